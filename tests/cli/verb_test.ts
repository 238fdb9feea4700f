import assert from "node:assert/strict";
import { readWords, UsageError, type Verb } from "../../src/cli/verb.ts";

const VERB: Verb = {
  name: "probe",
  words: "NAME",
  count: [1, 2],
  summary: "A verb of this test.",
  flags: [
    { name: "methods", short: "m", value: "LIST", help: "a value" },
    { name: "json", help: "a switch" },
  ],
  run: () => Promise.resolve(0),
};

Deno.test("words and flags are read in any order, in both spellings", () => {
  const cases: [string[], Record<string, unknown>, string[]][] = [
    [["a"], {}, ["a"]],
    [["a", "b"], {}, ["a", "b"]],
    [["a", "-m", "GET,POST"], { methods: "GET,POST" }, ["a"]],
    [["-mGET", "a"], { methods: "GET" }, ["a"]],
    [["--methods=GET", "a", "--json"], { methods: "GET", json: true }, ["a"]],
    [["--json", "--", "-m"], { json: true }, ["-m"]],
    [["--help"], { help: true }, []],
    [["-h"], { help: true }, []],
  ];
  for (const [args, flags, words] of cases) {
    const given = readWords(VERB, args);
    assert.deepEqual([{ ...given.flags }, [...given.words]], [flags, words], args.join(" "));
  }
});

Deno.test("words that can't be read say what is wrong, and what was meant where that is close", () => {
  const cases: [string[], RegExp, string | null][] = [
    [[], /needs NAME/, null],
    [["a", "b", "c"], /no word like "c"/, null],
    [["a", "--method", "GET"], /--method/, "did you mean --methods?"],
    [["a", "--nonsense"], /--nonsense/, null],
    [["a", "-x"], /-x/, null],
    [["a", "--methods"], /--methods/, null],
    [["a", "--methods", ""], /--methods is empty/, null],
    [["a", "--json=yes"], /--json/, null],
    [["a", "-m", "GET", "--methods", "POST"], /--methods is given twice/, null],
  ];
  for (const [args, message, hint] of cases) {
    assert.throws(() => readWords(VERB, args), (error) => {
      assert.ok(error instanceof UsageError, args.join(" "));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /ERR_|\n/);
      assert.equal(error.hint, hint, args.join(" "));
      return true;
    });
  }
});

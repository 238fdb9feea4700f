import assert from "node:assert/strict";
import { parseMethods, printMethods } from "../../src/core/methods.ts";
import { checkName } from "../../src/core/names.ts";
import { parseTarget, printTarget } from "../../src/core/target.ts";
import {
  parseDuration,
  parseRate,
  parseSize,
  printDuration,
  printRate,
  printSize,
} from "../../src/core/units.ts";
import cases from "../vectors/grammar.json" with { type: "json" };

interface Grammar<T> {
  parse(text: string): T;
  print(value: T): string;
}

function grammar<T>(parse: (text: string) => T, print: (value: T) => string): Grammar<unknown> {
  return { parse, print: print as (value: unknown) => string };
}

const GRAMMARS: Record<string, Grammar<unknown>> = {
  duration: grammar(parseDuration, printDuration),
  rate: grammar(parseRate, printRate),
  size: grammar(parseSize, printSize),
  target: grammar(parseTarget, printTarget),
  methods: grammar(parseMethods, printMethods),
  name: grammar((text) => {
    checkName(text);
    return text;
  }, (name) => name),
};

for (const [kind, { parse, print }] of Object.entries(GRAMMARS)) {
  const own = cases.filter((one) => one.kind === kind);

  Deno.test(`every ${kind} that is well written is read, printed, and read back as the same`, () => {
    const good = own.filter((one) => one.ok);
    assert.ok(good.length > 0, "no cases");
    for (const { text, value, printed } of good) {
      const read = parse(text);
      assert.deepEqual(read, value, text);
      assert.equal(print(read), printed, text);
      assert.deepEqual(parse(printed!), value, `${text} printed as ${printed}`);
    }
  });

  Deno.test(`every ${kind} that is not is refused with a message that names it`, () => {
    const bad = own.filter((one) => !one.ok);
    assert.ok(bad.length > 0, "no cases");
    for (const { text, message_contains, why } of bad) {
      assert.throws(() => parse(text), (error) => {
        assert.ok(error instanceof SyntaxError, `${why}: ${error}`);
        assert.ok(error.message.includes(message_contains!), `${why}: ${error.message}`);
        return true;
      }, `${JSON.stringify(text)}: ${why}`);
    }
  });
}

Deno.test("no case of the grammar goes unread", () => {
  assert.deepEqual(cases.filter((one) => !Object.hasOwn(GRAMMARS, one.kind)), []);
});

Deno.test("a password in a target is never in the message", () => {
  for (
    const text of ["http://ann:hunter2@a.test", "ann:hunter2@a.test:80", "http://a:hunter2@b@c.test:80/x"]
  ) {
    assert.throws(() => parseTarget(text), (error) => !/hunter2|ann/.test((error as Error).message));
  }
});

Deno.test("a duration so long that its end could not be written as a time is refused", () => {
  assert.equal(parseDuration("1000000d"), 86_400_000_000_000);
  assert.throws(() => parseDuration("1000000d1ms"), /longer than/);
});

Deno.test("zero prints as something that reads as zero", () => {
  assert.equal(parseDuration(printDuration(0)), 0);
  assert.equal(parseSize(printSize(0)), 0);
});

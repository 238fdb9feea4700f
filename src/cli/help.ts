/** `connectd help`: what there is, what a verb does, what a key or a code means. */
import { nearest } from "../config/suggest.ts";
import { out } from "./print.ts";
import { TOPICS } from "./topics.ts";
import { brief, UsageError, type Verb, verbHelp } from "./verb.ts";

/** The verb, about all of `verbs`. */
export function helpVerb(verbs: () => readonly Verb[]): Verb {
  return {
    name: "help",
    words: "[VERB|TOPIC]",
    count: [0, 1],
    summary: "Shows what there is, or what a verb does, or explains a topic.",
    more: `Topics: ${Object.keys(TOPICS).join(", ")}.`,
    flags: [],
    run({ words: [name] }) {
      out(textOf(name, verbs()).trimEnd());
      return Promise.resolve(0);
    },
  };
}

function textOf(name: string | undefined, verbs: readonly Verb[]): string {
  if (name === undefined) return overview(verbs);
  if (Object.hasOwn(TOPICS, name)) return TOPICS[name]();
  return verbHelp(verbNamed(name, verbs, Object.keys(TOPICS)));
}

function overview(verbs: readonly Verb[]): string {
  const rows = verbs.map((verb) => [`  connectd ${verb.name} ${verb.words ?? ""}`.trimEnd(), brief(verb)]);
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return "connectd gives a local service a public link, under a policy that its owner writes in one file.\n\n" +
    rows.map(([left, right]) => left.padEnd(width) + right).join("\n") +
    "\n\nWithout a verb: run. `connectd VERB --help` shows a verb's flags. From a checkout: deno task VERB." +
    "\n`connectd help links.yaml` explains every key of the file, `connectd help codes` what exits and refusals mean.";
}

/** The verb called `name`. Throws UsageError, with what was meant: a verb, or one of `topics`. */
export function verbNamed(name: string, verbs: readonly Verb[], topics: readonly string[] = []): Verb {
  const verb = verbs.find((verb) => verb.name === name);
  if (verb !== undefined) return verb;
  const meant = nearest(name, [...verbs.map((verb) => verb.name), ...topics]);
  throw new UsageError(
    `there is no verb ${JSON.stringify(name)}`,
    meant === null ? {} : { hint: `did you mean ${meant}?` },
  );
}

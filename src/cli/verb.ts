/** What a verb of the command line is, and how its words are read: one table for parsing, help and the README. */
import { parseArgs } from "node:util";

/** One flag. `value` names what follows it in the help; without it the flag is a switch. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  readonly value?: string;
  readonly help: string;
}

/** What was given: flags by long name, then the words that are none. */
export interface Given {
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly words: readonly string[];
}

/** One verb. `run` returns the exit code: 0 success, 1 error, 2 invalid arguments or file. */
export interface Verb {
  readonly name: string;
  /** Its words, as in `NAME…`. */
  readonly words?: string;
  /** At least and at most so many words. */
  readonly count: readonly [least: number, most: number];
  readonly summary: string;
  readonly more?: string;
  readonly flags: readonly Flag[];
  run(given: Given): Promise<number>;
}

/** Words that can't be read: exit 2, with a line that says where to look. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The text of flag `name`, null where it was not given. */
export function text(given: Given, name: string): string | null {
  const value = given.flags[name];
  return typeof value === "string" ? value : null;
}

/** Whether switch `name` was given. */
export function on(given: Given, name: string): boolean {
  return given.flags[name] === true;
}

const HELP: Flag = { name: "help", short: "h", help: "show this" };

/** Reads the words behind a verb. Throws UsageError on an unknown flag, a missing value, too few or too many words. */
export function readWords(verb: Verb, args: readonly string[]): Given {
  const options = Object.fromEntries([...verb.flags, HELP].map(({ name, short, value }) => [name, {
    type: value === undefined ? "boolean" as const : "string" as const,
    ...(short === undefined ? {} : { short }),
  }]));
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(plain((error as Error).message), { cause: error });
  }
  const words = parsed.positionals;
  const [least, most] = verb.count;
  if (parsed.values.help !== true && words.length < least) {
    throw new UsageError(`\`${verb.name}\` needs ${verb.words ?? "a word"}`);
  }
  if (words.length > most) {
    throw new UsageError(`\`${verb.name}\` takes no word like ${JSON.stringify(words[most])}`);
  }
  return { flags: parsed.values, words };
}

/** The first sentence of parseArgs's message: the rest is advice for its caller, not for ours. */
function plain(message: string): string {
  const first = message.split(". ")[0].replace(/\.$/, "").replace(/ \[ERR_[A-Z_]+\]/, "");
  return first.charAt(0).toLowerCase() + first.slice(1);
}

/** The help of one verb. */
export function verbHelp(verb: Verb): string {
  const flags = [...verb.flags, HELP].map(({ name, short, value, help }) =>
    [
      `  ${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
      help,
    ] as const
  );
  const width = Math.max(...flags.map(([left]) => left.length)) + 2;
  return `connectd ${verb.name}${verb.words === undefined ? "" : ` ${verb.words}`}${
    flags.length > 1 ? " [flags]" : ""
  }\n\n` +
    `${verb.summary}\n${verb.more === undefined ? "" : `\n${verb.more}\n`}\n` +
    flags.map(([left, help]) => left.padEnd(width) + help).join("\n") + "\n";
}

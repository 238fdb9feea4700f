/** What a verb of the command line is, and how its words are read: one table for parsing, help and the README. */
import { parseArgs } from "node:util";
import { nearest } from "../config/suggest.ts";
import { Failure } from "../core/errors.ts";

/** One flag. `value` names what follows it in the help; without it the flag is a switch. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  readonly value?: string;
  /** The only values it has, where they are few. */
  readonly choices?: readonly string[];
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

/** Words, or a file, that can't be read: exit 2. Without a hint, a line says where to look. */
export class UsageError extends Failure {
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { ...options, permanent: true });
  }
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

/** Flag `name` as `parse` reads it, null where it was not given. Throws UsageError for what `parse` refuses. */
export function parsed<T>(given: Given, name: string, parse: (text: string) => T): T | null {
  const value = text(given, name);
  return value === null ? null : orUsage(`--${name}: `, () => parse(value));
}

/** What `act` gives; the SyntaxError that it throws is about what was typed. */
export function orUsage<T>(lead: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(lead + error.message, { cause: error });
  }
}

/** Every verb has it. */
export const HELP: Flag = { name: "help", short: "h", help: "show this" };

/** Reads the words behind a verb. Throws UsageError on an unknown flag, a missing value, too few or too many words. */
export function readWords(verb: Verb, args: readonly string[]): Given {
  const flags = [...verb.flags, HELP];
  const options = Object.fromEntries(flags.map(({ name, short, value }) => [name, {
    type: value === undefined ? "boolean" as const : "string" as const,
    ...(short === undefined ? {} : { short }),
  }]));
  let read;
  try {
    read = parseArgs({ args: [...args], options, allowPositionals: true, strict: true, tokens: true });
  } catch (error) {
    const unknown = /^Unknown option '(--?[^' ]+)/.exec((error as Error).message)?.[1];
    const meant = unknown === undefined ? null : nearest(unknown, flags.map(({ name }) => `--${name}`));
    throw new UsageError(plain((error as Error).message), {
      ...(meant === null ? {} : { hint: `did you mean ${meant}?` }),
      cause: error,
    });
  }
  checkFlags(read.tokens.filter((token) => token.kind === "option"));
  const words = read.positionals;
  const [least, most] = verb.count;
  if (read.values.help !== true && words.length < least) {
    throw new UsageError(`\`${verb.name}\` needs ${verb.words ?? "a word"}`);
  }
  if (words.length > most) {
    throw new UsageError(`\`${verb.name}\` takes no word like ${JSON.stringify(words[most])}`);
  }
  return { flags: read.values, words };
}

/** One of two values would be dropped without a word, and with it a part of a policy. */
function checkFlags(tokens: readonly { name: string; value?: string }[]): void {
  const seen = new Set<string>();
  for (const { name, value } of tokens) {
    if (seen.has(name)) throw new UsageError(`--${name} is given twice`);
    if (value === "") throw new UsageError(`--${name} is empty`);
    seen.add(name);
  }
}

/** The first sentence of parseArgs's message: the rest is advice for its caller, not for ours. */
function plain(message: string): string {
  const first = message.split(". ")[0].replace(/\.$/, "").replace(/ \[ERR_[A-Z_]+\]/, "");
  return first.charAt(0).toLowerCase() + first.slice(1);
}

/** What a verb does, in a few words. */
export function brief({ summary }: Verb): string {
  return summary.split(/[.:] /)[0].replace(/\.$/, "");
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

/** The flags of the verbs that log: --log-format and --log-level. */
import { nearest } from "../config/suggest.ts";
import { createLog, type Log, type LogLevel } from "../log.ts";
import { type Flag, type Given, parsed } from "./verb.ts";

const FORMATS = ["text", "json"] as const;
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export const LOG_FLAGS: readonly Flag[] = [
  { name: "log-format", value: "FORMAT", choices: FORMATS, help: "text (default) or json, on stderr" },
  { name: "log-level", value: "LEVEL", choices: LEVELS, help: "debug, info (default), warn or error" },
];

/** The log that the flags ask for. Throws UsageError. */
export function logOf(given: Given): Log {
  return createLog({
    format: parsed(given, "log-format", (text) => oneOf(text, FORMATS)) ?? "text",
    level: parsed(given, "log-level", (text) => oneOf(text, LEVELS)) ?? "info",
  });
}

/** `text`, which is one of `words`. Throws a SyntaxError that names them. */
export function oneOf<T extends string>(text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  const meant = nearest(text, words);
  const rest = meant === null ? `write ${words.join(", ")}` : `did you mean ${meant}?`;
  throw new SyntaxError(`${JSON.stringify(text)} is not possible: ${rest}`);
}

/** The one log: lines on stderr, as text for people or JSON for machines. */
const LEVELS = ["debug", "info", "warn", "error"] as const;

/** How much is said: a level and everything above it. */
export type LogLevel = typeof LEVELS[number];

/** A line's facts; values are printed as JSON, so no input can break a line or reach a terminal raw. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes lines of its level or above. */
export type Log = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

/** What would reorder, hide or break text on a terminal: C0, DEL, C1, bidi marks and line separators. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** `text` with every control and bidi character escaped, safe within one line. */
export function oneLine(text: string): string {
  return text.replace(UNSAFE, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** A log that hands finished lines, without their line feed, to `write`. */
export function createLog(
  options: {
    level?: LogLevel;
    format?: "text" | "json";
    write?: (line: string) => void;
    now?: () => number;
  } = {},
): Log {
  const { level = "info", format = "text", write = toStderr, now = Date.now } = options;
  const line = (at: LogLevel) => (message: string, fields: LogFields = {}) => {
    if (LEVELS.indexOf(at) < LEVELS.indexOf(level)) return;
    const time = new Date(now()).toISOString();
    if (format === "json") return write(oneLine(JSON.stringify({ time, level: at, message, ...fields })));
    const facts = Object.entries(fields).map(([key, value]) =>
      ` ${key}=${typeof value === "string" && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value)}`
    ).join("");
    write(oneLine(`${time.slice(11, 23)} ${at.padEnd(5)} ${message}${facts}`));
  };
  return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
}

const encoder = new TextEncoder();

function toStderr(line: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(line + "\n"));
  } catch {
    // A closed stderr must not end the process.
  }
}

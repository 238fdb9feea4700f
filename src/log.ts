/** The one log: lines on stderr, as text for people or JSON for machines. */
const LEVELS = ["debug", "info", "warn", "error"] as const;

/** How much is said: a level and everything above it. */
export type LogLevel = typeof LEVELS[number];

/** A line's facts; values are printed as JSON, so no input can break a line or reach a terminal raw. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes lines of its level or above. */
export type Log = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

/** What would reorder, hide or break text on a terminal: C0, DEL, C1, bidi marks, line separators, halves of surrogate pairs. */
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** `text` with everything escaped that is not safe within one line. */
export function oneLine(text: string): string {
  return text.replace(UNSAFE, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** Characters of one value that a line shows. */
const SHOWN = 4096;

/** `text`, or its beginning and how long it is. */
function bounded(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${text.length} characters)`;
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
    if (format === "json") return write(oneLine(print({ time, level: at, message, ...fields })));
    // Of what is not there a reader need not hear.
    const facts = Object.entries(fields).filter(([, value]) => value !== null).map(([key, value]) =>
      ` ${bounded(key)}=${
        typeof value === "string" && /^[\w.:/@+-]{1,200}$/.test(value) ? value : print(value)
      }`
    ).join("");
    write(oneLine(`${time.slice(11, 23)} ${at.padEnd(5)} ${bounded(message)}${facts}`));
  };
  return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
}

function print(value: unknown): string {
  return JSON.stringify(value, (_, part) => typeof part === "string" ? bounded(part) : part);
}

const encoder = new TextEncoder();

function toStderr(line: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(line + "\n"));
  } catch {
    // A closed stderr must not end the process.
  }
}

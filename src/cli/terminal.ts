/** What a terminal gets besides text: colours, a line that says what is waited for, the clipboard. */
import { oneLine } from "../log.ts";

/** A stream that may be a terminal. */
interface Screen {
  isTerminal(): boolean;
  writeSync(bytes: Uint8Array): number;
}

const COLOURS = { green: 32, yellow: 33, red: 31, dim: 2, bold: 1 } as const;

/** Whether `screen` shall have colours: a terminal whose user has not said otherwise (no-color.org). */
export function coloured(screen: Screen = Deno.stdout): boolean {
  return screen.isTerminal() && !Deno.env.get("NO_COLOR");
}

/** `text` in `colour`. */
export function paint(text: string, colour: keyof typeof COLOURS): string {
  return `\x1b[${COLOURS[colour]}m${text}\x1b[0m`;
}

/** Writes to a terminal as it is, without a line feed. */
export function draw(text: string, screen: Screen = Deno.stdout): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(screen.writeSync(bytes));
}

/** What takes no longer needs no word. */
const SOON_MS = 500;

/** One line is enough: of things that are waited for within each other, the first one is named. */
let waiting = false;

/** What `work` gives. While it takes long, a terminal says on stderr what is waited for; nothing stays of that. */
export async function whileWaiting<T>(what: string, work: Promise<T>): Promise<T> {
  if (!Deno.stderr.isTerminal() || waiting) return await work;
  waiting = true;
  let shown = false;
  const timer = setTimeout(() => {
    shown = true;
    draw(`${oneLine(what)} …`, Deno.stderr);
  }, SOON_MS);
  try {
    return await work;
  } finally {
    waiting = false;
    clearTimeout(timer);
    if (shown) draw("\r\x1b[K", Deno.stderr);
  }
}

/** Puts `text` into the clipboard of the terminal, through ssh too (OSC 52). False: there is no terminal. */
export function copyText(text: string): boolean {
  if (!Deno.stderr.isTerminal()) return false;
  draw(`\x1b]52;c;${btoa(text)}\x07`, Deno.stderr);
  return true;
}

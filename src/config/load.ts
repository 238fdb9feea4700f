/** Configuration files from disk. */
import { resolve } from "node:path";
import { MAX_BYTES, type TextOptions, tooBig } from "./file.ts";
import { type HubConfig, readHubConfig } from "./hub.ts";
import { Lines } from "./lines.ts";
import { type Config, readConfig } from "./links.ts";
import { type Problem, problemAt } from "./problem.ts";
import { readStill } from "./still.ts";

/** A configuration and what is to be said about it; null: it is refused. */
export interface Loaded<C> {
  readonly config: C | null;
  readonly problems: Problem[];
}

/**
 * Reads and checks the links.yaml at `path` once it has stood still for `stillMs`; `now` is wall time in ms. Throws
 * Failure when there is no such file (its cause is a Deno.errors.NotFound) or it can not be read.
 */
export function loadConfig(path: string, now: number, stillMs = 0): Promise<Loaded<Config>> {
  return load(path, now, stillMs, readConfig);
}

/** Reads and checks `text` as if it stood in the links.yaml at `path`. */
export function readConfigText(text: string, path: string, now: number): Loaded<Config> {
  return readConfig(text, optionsOf(resolve(path), now));
}

/** Reads and checks the hub.yaml at `path`, as `loadConfig` does. Throws Failure when it is not there or can not be read. */
export function loadHubConfig(path: string, stillMs = 0): Promise<Loaded<HubConfig>> {
  return load(path, 0, stillMs, readHubConfig);
}

async function load<C>(
  path: string,
  now: number,
  stillMs: number,
  read: (text: string, options: TextOptions) => Loaded<C>,
): Promise<Loaded<C>> {
  const file = resolve(path);
  // One byte over the limit tells as much as all of them.
  const bytes = await readStill(file, stillMs, MAX_BYTES + 1);
  if (bytes.length > MAX_BYTES) return { config: null, problems: [tooBig(file)] };
  const wrong = wrongBytes(bytes);
  if (wrong !== null) return { config: null, problems: [notUtf8(file, bytes, wrong)] };
  return read(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), optionsOf(file, now));
}

function optionsOf(file: string, now: number): TextOptions {
  const home = Deno.env.get("HOME");
  return { file, now, ...(home ? { home } : {}) };
}

/** The offset of the first byte that is not UTF-8; null: there is none. */
function wrongBytes(bytes: Uint8Array): number | null {
  if (isUtf8(bytes)) return null;
  // The longest prefix that is the beginning of valid text: a decoder that streams forgives a cut letter at its end.
  let valid = 0;
  let wrong = bytes.length;
  while (wrong - valid > 1) {
    const middle = (valid + wrong) >> 1;
    if (isUtf8(bytes.subarray(0, middle), true)) valid = middle;
    else wrong = middle;
  }
  return valid;
}

function isUtf8(bytes: Uint8Array, stream = false): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}

function notUtf8(file: string, bytes: Uint8Array, at: number): Problem {
  // A decoder that streams leaves out the letter that the wrong byte cuts: there the problem is.
  const before = new TextDecoder().decode(bytes.subarray(0, at), { stream: true });
  const place = new Lines(before).place(before.length);
  const source = new Lines(new TextDecoder().decode(bytes)).line(place.line);
  const utf16 = at === 0 &&
    (bytes[0] === 0xff && bytes[1] === 0xfe || bytes[0] === 0xfe && bytes[1] === 0xff);
  return problemAt(file, place, source, {
    code: "syntax",
    message: utf16 ? "the file is UTF-16" : "this byte is not UTF-8",
    hint: "save the file as UTF-8",
  });
}

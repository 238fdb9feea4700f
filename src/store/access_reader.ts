/** Reads an access log from its end, in blocks: as much as is asked for, in bounded memory. */
import { latin1 } from "../core/latin1.ts";
import { readAt } from "./access_files.ts";
import { LINE_MAX } from "./access_line.ts";

/** Where a line begins. */
export interface Place {
  /** Of the file. */
  readonly number: number;
  readonly offset: number;
}

export interface Search<T> {
  readonly limit: number;
  /** Only what stands before it; null: all. */
  readonly before: Place | null;
  /** The value of a line; null: it is not wanted. */
  readonly wanted: (line: string) => T | null;
}

export interface Page<T> {
  /** The newest first. There may be fewer than `limit` and more to come: a page reads a bounded part of the files. */
  readonly items: readonly T[];
  /** Where to go on; null: there is nothing more. */
  readonly next: Place | null;
}

const BLOCK = 64 * 1024;

/** So much is read for one page: of rare lines there may be none in it. */
const READ_MAX = 16 * 1024 * 1024;

/** The newest lines of `files`, which are open, the newest first, that are wanted. */
export async function readNewest<T>(
  files: readonly { readonly number: number; readonly file: Deno.FsFile }[],
  { limit, before, wanted }: Search<T>,
): Promise<Page<T>> {
  const items: T[] = [];
  let read = 0, last: Place | null = null;
  for (const { number, file } of files) {
    const { size } = await file.stat();
    const end = number === before?.number ? Math.min(size, before.offset) : size;
    for await (const { text, offset } of blocksBackwards(file, end)) {
      for (let to = text.length; to > 0;) {
        // From a place below 0 it would be looked for at 0.
        const from = to < 2 ? 0 : text.lastIndexOf("\n", to - 2) + 1;
        const item = wanted(text.slice(from, to - 1));
        to = from;
        if (item === null) continue;
        // One more than is shown says that there is a next page.
        if (items.length === limit) return { items, next: last };
        items.push(item);
        last = { number, offset: offset + from };
      }
      read += text.length;
      if (read >= READ_MAX) return { items, next: { number, offset } };
    }
  }
  return { items, next: null };
}

/** Whole lines before `end`, block by block from the last; `offset` is where a block's first line begins. */
async function* blocksBackwards(
  file: Deno.FsFile,
  end: number,
): AsyncGenerator<{ text: string; offset: number }> {
  /** Of a line that begins in the block before. */
  let rest = "";
  for (let to = end; to > 0;) {
    const from = Math.max(0, to - BLOCK);
    const block = new Uint8Array(to - from);
    // Shorter than it was: somebody has emptied it.
    if (await readAt(file, from, block) < block.length) return;
    // Lines are ASCII: an octet is a character.
    const text = latin1(block) + rest;
    const newline = text.indexOf("\n");
    const first = from === 0 ? 0 : newline < 0 ? text.length : newline + 1;
    rest = text.slice(0, first);
    // Nothing of ours is so long.
    if (rest.length > LINE_MAX + BLOCK) return;
    if (first < text.length) yield { text: text.slice(first), offset: from + first };
    to = from;
  }
}

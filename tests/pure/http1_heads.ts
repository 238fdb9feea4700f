/** Heads written as lines. */
import assert from "node:assert/strict";
import { RequestReader, ResponseReader } from "../../src/core/http1/head.ts";
import type { RequestHead, ResponseHead } from "../../src/core/http1/types.ts";
import { toBytes } from "../../src/core/latin1.ts";

export function text(lines: readonly string[]): string {
  return [...lines, "", ""].join("\r\n");
}

export function request(lines: readonly string[]): RequestHead {
  const reader = new RequestReader();
  const bytes = toBytes(text(lines));
  assert.equal(reader.read(bytes, 0, bytes.length), bytes.length);
  return reader.head!;
}

export function response(
  lines: readonly string[],
  method = "GET",
  upgrade: string | null = null,
): ResponseHead {
  const reader = new ResponseReader();
  const bytes = toBytes(text(lines));
  reader.expect({ method, upgrade });
  assert.equal(reader.read(bytes, 0, bytes.length), bytes.length);
  return reader.head!;
}

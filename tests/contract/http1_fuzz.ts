/** What must hold of any octets that the HTTP/1.1 codec is given, one case at a time. */
import assert from "node:assert/strict";
import { Malformed } from "../../src/core/errors.ts";
import {
  inOnePiece,
  type ReadRequest,
  readRequest,
  readResponse,
  type Split,
  trailerPairs,
} from "../pure/http1_vectors.ts";
import type { Random } from "../pure/random.ts";
import { request, response } from "../pure/http1_inputs.ts";
import { ask, METHODS } from "./llhttp.ts";

const SENTINEL = "GET /sentinel HTTP/1.1\r\nHost: s.test\r\n\r\n";

/**
 * A request: what we take llhttp takes, and reads alike up to where the next message begins. Returns whether we took it.
 */
export function requestCase(random: Random): boolean {
  const text = request(random);
  const read = readAlike(text, random, (split) => readRequest(text, split));
  if (read === null) return false;
  try {
    compareRequest(text, read);
  } catch (error) {
    throw new Error(`llhttp reads another request in ${JSON.stringify(text)}`, { cause: error });
  }
  return true;
}

/** Throws unless llhttp reads `text` as we did. */
export function compareRequest(text: string, { head, body, trailers, rest }: ReadRequest): void {
  const { method } = head;
  const known = METHODS.has(method) ? method : "GET";
  const asked = known + text.slice(method.length, text.length - rest.length);
  // Its last octet, and no other, completes the message; what follows is read as another.
  const pieces = [asked.slice(0, -1), asked.slice(-1)];
  if (head.keepAlive) pieces.push(SENTINEL);
  const { seen, complete, refused } = ask("request", pieces);
  assert.equal(refused, null);
  assert.deepEqual(complete, head.keepAlive ? [0, 1, 2] : [0, 1]);
  assert.equal(seen[0].method, known);
  assert.equal(seen[0].target, head.target);
  assert.deepEqual(seen[0].pairs, head.fields);
  assert.equal(seen[0].body, body);
  assert.deepEqual(seen[0].trailers, trailerPairs(trailers));
  if (head.keepAlive) assert.equal(seen[1].target, "/sentinel");
}

/** A response: likewise. */
export function responseCase(random: Random): boolean {
  const text = response(random);
  const asked = { method: random.of(["GET", "GET", "HEAD"]), upgrade: random.of([null, "websocket"]) };
  const closes = random.below(2) === 0;
  const read = readAlike(text, random, (split) => readResponse(text, asked, closes, split));
  if (read === null) return false;
  try {
    const { head, interim, body, trailers, rest } = read;
    const { seen, refused } = ask("response", [text.slice(0, text.length - rest.length)], {
      bodiless: asked.method === "HEAD",
      ends: head.framing.kind === "close",
    });
    assert.ok(refused === null || (head.status === 101 && refused === "HPE_PAUSED_UPGRADE"), `${refused}`);
    assert.deepEqual(seen.map(({ status }) => status), [...interim, head.status]);
    const last = seen.at(-1)!;
    assert.deepEqual(last.pairs, head.fields);
    assert.equal(last.body, body);
    assert.deepEqual(last.trailers, trailerPairs(trailers));
    assert.equal(last.complete, true);
  } catch (error) {
    throw new Error(`llhttp reads another response in ${JSON.stringify(text)}`, { cause: error });
  }
  return true;
}

/** What was read in one piece; null where it was refused or has not ended. Throws unless any split says the same. */
function readAlike<T>(text: string, random: Random, read: (split: Split) => T | null): T | null {
  const whole = outcome(() => read(inOnePiece));
  const cuts = [random.below(text.length + 1), random.below(text.length + 1), random.below(text.length + 1)];
  const pieces = outcome(() => read((piece) => cut(piece, cuts)));
  assert.deepEqual(printable(pieces), printable(whole), `split at ${cuts}: ${JSON.stringify(text)}`);
  return whole instanceof Malformed ? null : whole;
}

/** A Malformed is an outcome; any other error is a defect. */
export function outcome<T>(read: () => T): T | Malformed {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return error;
    throw error;
  }
}

function cut(text: string, cuts: number[]): string[] {
  const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
  return places.slice(1).map((end, i) => text.slice(places[i], end));
}

function printable(value: unknown): unknown {
  return value instanceof Malformed ? `${value.code}: ${value.message}` : value;
}

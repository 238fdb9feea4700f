import assert from "node:assert/strict";
import { CODES, Malformed } from "../../src/core/errors.ts";
import {
  byteByByte,
  inOnePiece,
  long,
  longPairs,
  readRequest,
  readResponse,
  REQUESTS,
  RESPONSES,
  trailerPairs,
} from "./http1_vectors.ts";

const SPLITS = { "in one piece": inOnePiece, "byte by byte": byteByByte };

for (const [how, split] of Object.entries(SPLITS)) {
  Deno.test(`requests are read as the vectors say, ${how}`, async (t) => {
    assert.ok(REQUESTS.length > 300);
    for (const { name, why, bytes, expect } of REQUESTS) {
      await t.step(`${name}: ${why}`, () => {
        const text = long(bytes);
        if (!expect.accept && expect.truncated) return assert.equal(readRequest(text, split), null);
        if (!expect.accept) {
          return assert.throws(
            () => readRequest(text, split),
            (error) => error instanceof Malformed && CODES[error.code][0] === expect.status,
          );
        }
        const { head, body, trailers, rest } = readRequest(text, split)!;
        assert.equal(head.method, expect.method);
        assert.equal(head.target, long(expect.target));
        assert.deepEqual(head.fields, longPairs(expect.headers));
        assert.equal(head.raw + body, text.slice(0, head.raw.length) + expect.body);
        assert.equal(head.keepAlive, expect.keepAlive);
        assert.deepEqual(trailerPairs(trailers), expect.trailers ?? []);
        // What comes after a last message is the connection's matter: it must be left to it.
        assert.equal(rest !== "", expect.after !== undefined);
      });
    }
  });

  Deno.test(`responses are read as the vectors say, ${how}`, async (t) => {
    assert.ok(RESPONSES.length > 100);
    for (const { name, why, request, bytes, closes, expect } of RESPONSES) {
      await t.step(`${name}: ${why}`, () => {
        const asked = { method: request.method, upgrade: request.upgrade ?? null };
        const read = () => readResponse(long(bytes), asked, closes ?? false, split);
        if (!expect.accept && expect.truncated) return assert.equal(read(), null);
        if (!expect.accept) return assert.throws(read, Malformed);
        const { head, interim, body, trailers, rest } = read()!;
        assert.equal(head.status, expect.status);
        assert.deepEqual(head.fields, longPairs(expect.headers));
        assert.equal(body, expect.body);
        assert.deepEqual(interim, expect.interim);
        assert.deepEqual(trailerPairs(trailers), expect.trailers ?? []);
        assert.equal(head.keepAlive && rest === "", expect.reusable);
        if (expect.rest !== undefined) assert.equal(rest, expect.rest);
      });
    }
  });
}

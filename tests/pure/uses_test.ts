import assert from "node:assert/strict";
import {
  activate,
  endedAs,
  expiresAt,
  type LinkRecord,
  newRecord,
  readRecord,
  renew,
  revoke,
  settle,
  type Term,
  use,
  usesLeft,
} from "../../src/core/link.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 1);

const term = (maxUses: number | null, ttlMs: number | null = null): Term => ({ ttlMs, until: null, maxUses });

/** A link that was activated at NOW, and used so often since. */
function used(n: number, of: Term): LinkRecord {
  let record = activate(newRecord(of), NOW);
  for (let i = 0; i < n; i++) record = use(record, 1);
  return record;
}

Deno.test("a link has the uses that its entry says, from its activation on, and ends with the last", () => {
  assert.equal(usesLeft(used(5, term(null))), null);
  assert.deepEqual([0, 1, 2, 3, 4].map((n) => usesLeft(used(n, term(3)))), [3, 2, 1, 0, 0]);
  assert.deepEqual([2, 3, 4].map((n) => endedAs(used(n, term(3)), NOW)), [null, "expired", "expired"]);
  assert.equal(endedAs(use(used(3, term(3)), -1), NOW), null);
});

Deno.test("an end by the last use is written down, and says nothing of the clock", () => {
  const over = settle(used(3, term(3, HOUR)), term(3, HOUR), NOW + 5);
  assert.equal(over.expiredAt, NOW + 5);
  assert.equal(expiresAt(over), NOW + HOUR);
  assert.equal(settle(over, term(3, HOUR), NOW + 9), over);
});

/** What becomes of a link whose `max_uses` is edited after it was used twice. */
const EDITS: [from: number | null, to: number | null, left: number | null][] = [
  [2, 3, 1],
  [2, 2, 0],
  [5, 3, 1],
  [5, 2, 0],
  [5, 1, 0],
  [2, null, null],
  [null, 5, 3],
];

for (const [from, to, left] of EDITS) {
  Deno.test(`an edit from ${from} to ${to} after two uses leaves ${left}`, () => {
    const before = settle(used(2, term(from)), term(from), NOW);
    const record = settle(before, term(to), NOW + 1);
    assert.equal(usesLeft(record), left);
    assert.equal(endedAs(record, NOW + 1), left === 0 ? "expired" : null);
    assert.equal(record.activatedAt, NOW);
  });
}

Deno.test("an edited number of uses keeps what a renewal asked for, and does not lift an end by the clock", () => {
  const renewed = renew(used(2, term(2, HOUR)), NOW, 3 * HOUR);
  assert.equal(expiresAt(settle(renewed, term(9, HOUR), NOW)), NOW + 3 * HOUR);
  assert.equal(expiresAt(settle(renewed, term(9, 2 * HOUR), NOW)), NOW + 2 * HOUR);
  const late = settle(used(1, term(2, HOUR)), term(2, HOUR), NOW + HOUR);
  assert.equal(endedAs(settle(late, term(9, HOUR), NOW + HOUR), NOW + HOUR), "expired");
});

Deno.test("a renewal counts anew, a revocation takes no use back", () => {
  const over = settle(used(2, term(2)), term(2), NOW);
  assert.equal(usesLeft(renew(over, NOW + 1)), 2);
  assert.equal(endedAs(renew(over, NOW + 1), NOW + 1), null);
  const revoked = revoke(used(1, term(2)), NOW);
  assert.deepEqual([endedAs(revoked, NOW), usesLeft(revoked)], ["revoked", 1]);
});

Deno.test("a record of before links had uses is read, and is no edited one", () => {
  const { used: _, ...old } = { ...used(0, term(null, HOUR)), term: { ttlMs: HOUR, until: null } };
  const expired = { ...old, expiredAt: NOW + 7, renewed: { ttlMs: 2 * HOUR } };
  const record = readRecord(JSON.parse(JSON.stringify(expired)));
  assert.deepEqual([record.used, record.term], [0, term(null, HOUR)]);
  assert.equal(settle(record, term(null, HOUR), NOW), record);
});

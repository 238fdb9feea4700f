/** The chain, over a digest that a test can follow: the text itself. */
import assert from "node:assert/strict";
import {
  type AuditEntry,
  type AuditRecord,
  type AuditRow,
  type Break,
  chain,
  GENESIS,
  type Head,
  type Known,
  prunedEntry,
  readPruned,
  Verification,
} from "../../src/core/audit.ts";
import { Random } from "./random.ts";

/** FNV-1a: short, and another one for another text. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (const unit of text) hash = Math.imul(hash ^ unit.codePointAt(0)!, 0x01000193) >>> 0;
  return hash.toString(16);
}

function entry(n: number): AuditEntry {
  return {
    at: `2026-01-01T00:00:0${n % 10}.000Z`,
    type: "link.opened",
    workspace: "",
    actor: "file",
    subject: `link-${n}`,
    data: `{"n":${n}}`,
  };
}

function trail(n: number, from: Head = { seq: 0, hash: GENESIS }): AuditRecord[] {
  const records: AuditRecord[] = [];
  let last = from;
  for (let i = 0; i < n; i++) {
    const record = chain(entry(last.seq + 1), last.seq + 1, last.hash, digest);
    records.push(record);
    last = record;
  }
  return records;
}

function check(rows: readonly AuditRow[], known: Partial<Known> = {}): Break | null {
  const issued = Number(rows.at(-1)?.seq ?? 0);
  const verification = new Verification({ pruned: null, issued, heads: [], ...known }, digest);
  for (const row of rows) {
    const broken = verification.next(row);
    if (broken !== null) return broken;
  }
  return verification.end();
}

function said(broken: Break | null): [number, string] | null {
  return broken === null ? null : [broken.seq, broken.kind];
}

Deno.test("a trail that nobody touched is whole, an empty one too", () => {
  assert.equal(check([]), null);
  for (const n of [1, 2, 50]) assert.equal(check(trail(n)), null);
});

const whole = trail(9);
const edit = (seq: number, change: Partial<AuditRecord>) =>
  whole.map((record) => record.seq === seq ? { ...record, ...change } : record);
const resealed = (record: AuditRecord) => chain(record, record.seq, record.prev, digest);

const TAMPERED: Record<string, [rows: AuditRow[], seq: number, kind: Break["kind"]]> = {
  "a time edited": [edit(4, { at: "2020-01-01T00:00:00.000Z" }), 4, "edited"],
  "a type edited": [edit(4, { type: "link.closed" }), 4, "edited"],
  "a workspace edited": [edit(4, { workspace: "acme" }), 4, "edited"],
  "an actor edited": [edit(4, { actor: "socket" }), 4, "edited"],
  "a subject edited": [edit(4, { subject: "other" }), 4, "edited"],
  "data edited": [edit(1, { data: "{}" }), 1, "edited"],
  "text moved from one member to the next": [edit(4, { actor: "filelink-4", subject: "" }), 4, "edited"],
  "a hash edited": [edit(9, { hash: "0" }), 9, "edited"],
  "a link edited": [edit(9, { prev: "0" }), 9, "edited"],
  "an octet string in the place of a text": [
    whole.map((r) => r.seq === 3 ? { ...r, data: new Uint8Array(3) } : r),
    3,
    "edited",
  ],
  "edited and sealed again": [
    whole.map((r) => r.seq === 4 ? resealed({ ...r, subject: "other" }) : r),
    5,
    "unlinked",
  ],
  "the first one of another trail": [
    [chain(entry(7), 1, GENESIS, digest), ...whole.slice(1)],
    2,
    "unlinked",
  ],
  "a first one that follows something": [[chain(entry(1), 1, "f", digest), ...whole.slice(1)], 1, "unlinked"],
  "dropped in the middle": [whole.filter(({ seq }) => seq !== 5), 5, "missing"],
  "dropped and renumbered": [
    whole.filter(({ seq }) => seq !== 5).map((r) => r.seq > 5 ? { ...r, seq: r.seq - 1 } : r),
    5,
    "edited",
  ],
  "dropped, renumbered and sealed again": [
    whole.filter(({ seq }) => seq !== 5).map((r) => r.seq > 5 ? resealed({ ...r, seq: r.seq - 1 }) : r),
    5,
    "unlinked",
  ],
  "the oldest dropped": [whole.slice(3), 1, "missing"],
  "two exchanged": [
    edit(4, whole[4]).map((r, i) => i === 4 ? { ...whole[3], seq: 5 } : { ...r, seq: i + 1 }),
    4,
    "edited",
  ],
  "one inserted": [
    [
      ...whole.slice(0, 4),
      chain(entry(99), 5, whole[3].hash, digest),
      ...whole.slice(4).map((r) => ({ ...r, seq: r.seq + 1 })),
    ],
    6,
    "edited",
  ],
  "one before the beginning": [[chain(entry(0), 0, GENESIS, digest), ...whole], 0, "unlinked"],
};

for (const [what, [rows, seq, kind]] of Object.entries(TAMPERED)) {
  Deno.test(`${what}: found, and at the right record`, () => {
    const broken = check(rows, { issued: 9 });
    assert.deepEqual(said(broken), [seq, kind], broken?.detail ?? "nothing is broken");
  });
}

Deno.test("a cut at the end shows in the largest number that was given, or in a head noted elsewhere", () => {
  assert.deepEqual(said(check(whole.slice(0, 6), { issued: 9 })), [7, "missing"]);
  assert.equal(check(whole.slice(0, 6)), null);
  assert.deepEqual(said(check(whole.slice(0, 6), { heads: [whole[8]] })), [7, "head"]);
  assert.deepEqual(said(check([], { issued: 9 })), [1, "missing"]);
});

Deno.test("a chain that was made anew does not hold the heads that were noted of the old one", () => {
  const anew = trail(9).map((record) => record);
  let last: Head = anew[3];
  for (let i = 4; i < 9; i++) {
    last = anew[i] = chain({ ...entry(i + 1), subject: "other" }, i + 1, last.hash, digest);
  }
  assert.equal(check(anew), null);
  assert.deepEqual(said(check(anew, { heads: [whole[2], whole[6]] })), [7, "head"]);
  assert.equal(check(anew, { heads: [whole[2]] }), null);
});

Deno.test("what retention dropped is not missing, and nothing else may be", () => {
  const full = trail(9);
  const prune = chain(prunedEntry("2026-01-01T00:00:09.000Z", full[3]), 10, full[8].hash, digest);
  const kept = [...full.slice(4), prune, ...trail(3, prune)];
  const pruned = readPruned(prune);
  assert.deepEqual(pruned, { seq: 4, hash: full[3].hash });
  assert.equal(check(kept, { pruned }), null);
  assert.deepEqual(said(check(kept.slice(1), { pruned })), [5, "missing"]);
  assert.deepEqual(said(check([full[3], ...kept], { pruned })), [4, "unlinked"]);
  assert.deepEqual(said(check(kept, { pruned: { seq: 4, hash: "other" } })), [5, "unlinked"]);
  assert.deepEqual(readPruned({ ...prune, data: "no JSON" }), null);
});

Deno.test("a head of a record that retention dropped says nothing, and is counted", () => {
  const full = trail(9);
  const pruned = { seq: 4, hash: full[3].hash };
  const heads = [{ seq: 2, hash: "whatever" }, full[6]];
  const verification = new Verification({ pruned, issued: 9, heads }, digest);
  for (const record of full.slice(4)) assert.equal(verification.next(record), null);
  assert.equal(verification.end(), null);
  assert.deepEqual([verification.unchecked, verification.records, verification.first], [1, 5, 5]);
});

Deno.test("whatever one member of one record becomes, it is found", () => {
  const random = new Random(7);
  const members = ["at", "type", "workspace", "actor", "subject", "data", "prev", "hash"] as const;
  for (let round = 0; round < 500; round++) {
    const rows = trail(12);
    const seq = 1 + random.below(12), member = random.of(members);
    const text = rows[seq - 1][member], at = random.below(text.length + 1);
    const other = text.slice(0, at) + String.fromCharCode(97 + random.below(26)) +
      text.slice(at + random.below(2));
    if (other === text) continue;
    rows[seq - 1] = { ...rows[seq - 1], [member]: other };
    assert.equal(check(rows)?.seq, seq, `${member} ${text} → ${other}`);
  }
});

/** What a role writes: bounded whatever others do, harmless whatever they send. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import type { AuditEntry } from "../../src/core/audit.ts";
import { createLog } from "../../src/log.ts";
import { Audit, auditEntry, Growth } from "../../src/store/audit.ts";
import type { Trail } from "../../src/store/store.ts";

/** A trail that remembers. */
class Remembered implements Trail {
  readonly entries: AuditEntry[] = [];
  readonly pruned: [before: string, most: number][] = [];
  onTrouble: Trail["onTrouble"] = null;
  append(entry: AuditEntry): void {
    this.entries.push(entry);
  }
  list() {
    return Promise.resolve([]);
  }
  walk() {
    return Promise.resolve([]);
  }
  ends() {
    return Promise.resolve({ last: null, pruned: null, issued: 0 });
  }
  prune(before: string, most: number): Promise<void> {
    this.pruned.push([before, most]);
    return Promise.reject(new Error("not now"));
  }
}

function started(gather: (audit: Audit) => void = () => {}) {
  const trail = new Remembered(), clock = new TestClock(), lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line) });
  const audit = new Audit({ trail, clock, log, keepMs: 86_400_000, gather });
  return { trail, clock, audit, lines };
}

const denied = (subject: string, workspace = "") => ({
  type: "link.denied",
  workspace,
  actor: "visitors",
  subject,
});

Deno.test("what repeats is one record a minute for each link and code, and none where nothing happened", () => {
  const { trail, clock, audit } = started();
  for (let i = 0; i < 500; i++) audit.count(denied("a"), "path_denied", 1);
  audit.count(denied("a"), "ip_denied", 3);
  audit.count(denied("b"), "path_denied", 1);
  assert.equal(trail.entries.length, 0);
  clock.advance(60_200);
  assert.deepEqual(trail.entries.map(({ subject, data }) => [subject, JSON.parse(data)]), [
    ["a", { code: "path_denied", n: 500 }],
    ["a", { code: "ip_denied", n: 3 }],
    ["b", { code: "path_denied", n: 1 }],
  ]);
  clock.advance(120_000);
  assert.equal(trail.entries.length, 3);
  audit.count(denied("a"), "path_denied", 1);
  audit.close();
  assert.equal(trail.entries.length, 4, "what was counted is not lost at the end");
});

Deno.test("of ten thousand subjects in a minute a hundred have records of their own, and none is left out of the sum", () => {
  const { trail, audit } = started();
  for (let i = 0; i < 10_000; i++) audit.count(denied(`link-${i}`, "acme"), "path_denied", 2);
  audit.count(denied("quiet", "other"), "path_denied", 1);
  audit.flush();
  const own = trail.entries.filter(({ workspace, subject }) => workspace === "acme" && subject !== "");
  const others = trail.entries.filter(({ subject }) => subject === "");
  assert.equal(own.length, 100);
  assert.deepEqual(others.map(({ data }) => JSON.parse(data)), [{
    others: true,
    code: "path_denied",
    n: 19_800,
  }]);
  assert.deepEqual(
    trail.entries.filter(({ workspace }) => workspace === "other").map(({ subject }) => subject),
    [
      "quiet",
    ],
  );
});

Deno.test("who makes much happen in a workspace does not push others out, and how much it was is told", () => {
  const { trail, clock, audit } = started();
  const opened = (workspace: string) =>
    audit.paced({ type: "session.opened", workspace, actor: "token:x", subject: "d" });
  for (let i = 0; i < 12_000; i++) opened("noisy");
  opened("quiet");
  assert.equal(trail.entries.filter(({ workspace }) => workspace === "noisy").length, 10_000);
  assert.equal(trail.entries.filter(({ workspace }) => workspace === "quiet").length, 1);
  audit.record({ type: "token.revoked", workspace: "noisy", actor: "cli", subject: "t" });
  assert.equal(trail.entries.at(-1)!.type, "token.revoked", "what the owner does is never summed");
  clock.advance(60_200);
  const sums = trail.entries.filter(({ type }) => type === "audit.summed");
  assert.deepEqual(sums.map(({ workspace, data }) => [workspace, JSON.parse(data)]), [
    ["noisy", { code: "session.opened", n: 2000 }],
  ]);
  opened("noisy");
  assert.equal(trail.entries.at(-1)!.type, "session.opened", "later it is told one by one again");
});

Deno.test("counters are told by how much they grew", () => {
  const growth = new Growth(), a = { path_denied: 3, ip_denied: 0 };
  assert.deepEqual(growth.of(a), [["path_denied", 3]]);
  assert.deepEqual(growth.of(a), []);
  a.path_denied = 5;
  a.ip_denied = 1;
  assert.deepEqual(growth.of(a), [["path_denied", 2], ["ip_denied", 1]]);
  assert.deepEqual(growth.of({ path_denied: 5 }), [["path_denied", 5]], "of another link");
});

const HOSTILE = [
  "\u001b[2J",
  "a\nb",
  "\u0000x",
  "\u202eevil",
  "\u009b31m",
  "\ud800",
  "'; DROP TABLE audit;--",
  '"}',
];

for (const text of HOSTILE) {
  Deno.test(`${JSON.stringify(text)} as a name stays within its member`, () => {
    const { actor, subject, data } = auditEntry({
      type: "t",
      actor: text,
      subject: text,
      data: { text, [text]: 1 },
    }, 0);
    for (const said of [actor, subject]) {
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(said, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
      assert.ok(said.isWellFormed());
    }
    assert.ok(data.isWellFormed());
    assert.equal(JSON.parse(data).text, text);
  });
}

Deno.test("a record has a size, whatever is to be said", () => {
  const long = "x".repeat(1_000_000);
  const data = {
    short: 1,
    long,
    many: Array.from({ length: 100_000 }, () => long),
    deep: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, long])),
  };
  const entry = auditEntry({ type: "t", actor: long, subject: long, data }, 0);
  assert.ok(JSON.stringify(entry).length < 16_000);
  assert.equal(JSON.parse(entry.data).short, 1);
});

Deno.test("old records are dropped by the hour, and one that can't be dropped is said", async () => {
  const { trail, clock, lines } = started();
  clock.advance(60_200);
  assert.equal(trail.pruned.length, 1);
  assert.ok(Math.abs(Date.parse(trail.pruned[0][0]) - (clock.now() - 86_400_000)) < 1000);
  clock.advance(3_540_000);
  assert.equal(trail.pruned.length, 1);
  clock.advance(120_000);
  assert.equal(trail.pruned.length, 2);
  await Promise.resolve();
  assert.match(lines.join("\n"), /old records of the audit trail could not be dropped/);
});

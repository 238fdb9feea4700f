import assert from "node:assert/strict";
import { Buckets, MAX_KEYS } from "../../src/core/limit.ts";
import { parseRate, type Rate } from "../../src/core/units.ts";
import cases from "../vectors/rates.json" with { type: "json" };
import { Random } from "./random.ts";

interface Event {
  atMs: number;
  ip?: string;
  expect: string;
  retryAfterS?: number;
}

const IP = "198.51.100.1";

function rates(...texts: string[]): Rate[] {
  return texts.map(parseRate);
}

/** How many of `n` requests at one moment are admitted. */
function admitted(buckets: Buckets, list: Rate[], n: number, nowMs: number, ip = IP): number {
  let count = 0;
  for (let i = 0; i < n; i++) if (buckets.take(list, ip, nowMs, true) === null) count++;
  return count;
}

Deno.test("every event of the vectors is admitted, or refused for as long as they say", () => {
  assert.ok(cases.length > 0);
  for (const { rate, events, why } of cases) {
    const list = rates(...[rate].flat());
    // The same at the start of a clock and after a year of it.
    for (const start of [0, 365 * 86_400_000]) {
      const buckets = new Buckets();
      for (const { atMs, ip = IP, expect, retryAfterS } of events as Event[]) {
        const wait = buckets.take(list, ip, start + atMs, true);
        assert.equal(wait === null ? "allow" : "deny", expect, `${why}, at ${atMs}`);
        if (wait !== null) assert.equal(Math.ceil(wait.ms / 1000), retryAfterS, `${why}, at ${atMs}`);
      }
    }
  }
});

Deno.test("who waits for as long as the wait says is admitted, and not a millisecond sooner", () => {
  const random = new Random(7);
  for (
    const text of [
      "3/s",
      "7/s burst 2",
      "29/m",
      "100/m burst 20",
      "13/h per ip",
      "999/d burst 7",
      "1000000/s burst 3",
    ]
  ) {
    const list = rates(text), buckets = new Buckets();
    let now = 123_456;
    for (let i = 0; i < 2_000; i++) {
      const wait = buckets.take(list, IP, now, true);
      if (wait === null) now += random.below(list[0].perMs / list[0].count / 2);
      else {
        const ms = Math.ceil(wait.ms);
        assert.notEqual(buckets.take(list, IP, now + ms - 1, false), null, `${text}: ${ms} ms is too long`);
        assert.equal(buckets.take(list, IP, now + ms, false), null, `${text}: ${ms} ms is too short`);
        now += ms;
      }
    }
  }
});

Deno.test("over any span no more is admitted than the burst and the rate allow, and a busy visitor gets all of it", () => {
  const random = new Random(11);
  for (const text of ["10/s", "7/s burst 3", "600/m burst 50"]) {
    const [rate] = rates(text), list = [rate], buckets = new Buckets();
    const spanMs = 20_000;
    let count = 0;
    for (let now = 0; now < spanMs; now += random.below(20)) {
      if (buckets.take(list, IP, now, true) === null) count++;
    }
    const most = rate.burst + Math.floor(spanMs * rate.count / rate.perMs);
    assert.ok(count <= most && count >= most - 2, `${text}: ${count} of ${most}`);
  }
});

Deno.test("a request that is only asked about uses up nothing", () => {
  const buckets = new Buckets(), list = rates("2/m", "2/m per ip");
  for (let i = 0; i < 10; i++) assert.equal(buckets.take(list, IP, 0, false), null);
  assert.equal(admitted(buckets, list, 5, 0), 2);
  assert.equal(buckets.spent, 2);
});

Deno.test("of ten thousand addresses the one that was idle longest is forgotten, not one that hammers", () => {
  const buckets = new Buckets(), list = rates("1/d per ip");
  const ip = (i: number) => `10.${i >> 16}.${i >> 8 & 255}.${i & 255}`;
  for (let i = 0; i < MAX_KEYS; i++) assert.equal(buckets.take(list, ip(i), i, true), null);
  assert.notEqual(buckets.take(list, ip(0), MAX_KEYS, true), null, "0 hammers");
  assert.equal(buckets.take(list, ip(MAX_KEYS), MAX_KEYS, true), null, "one too many");
  assert.notEqual(buckets.take(list, ip(0), MAX_KEYS, true), null, "0 was not idle");
  assert.notEqual(buckets.take(list, ip(2), MAX_KEYS, true), null, "2 is still known");
  assert.equal(buckets.take(list, ip(1), MAX_KEYS, true), null, "1 was forgotten");
  assert.equal(buckets.save(MAX_KEYS)?.keys.length, MAX_KEYS);
});

Deno.test("of several rates that refuse, the longest wait is told, wherever it stands", () => {
  for (const list of [rates("1/h", "1/m"), rates("1/m", "1/h")]) {
    const buckets = new Buckets();
    buckets.take(list, IP, 0, true);
    assert.deepEqual(buckets.take(list, IP, 0, true), {
      index: list.findIndex((rate) => rate.perMs > 60_000),
      ms: 3_600_000,
    });
  }
});

Deno.test("an address that another rate refuses is not remembered", () => {
  const buckets = new Buckets(), list = rates("1/d", "1/d per ip");
  buckets.take(list, IP, 0, true);
  for (let i = 0; i < 100; i++) assert.equal(buckets.take(list, `10.0.0.${i}`, 0, true)?.index, 0);
  assert.equal(buckets.save(0)?.keys.length, 1);
});

Deno.test("what was used up stays used up when the rates change", () => {
  const buckets = new Buckets();
  assert.equal(admitted(buckets, rates("100/m"), 60, 0), 60);
  assert.equal(admitted(buckets, rates("100/m"), 100, 0), 40, "the same rate, read anew");
  assert.equal(admitted(buckets, rates("50/m"), 1, 0), 0);
  assert.equal(admitted(buckets, rates("50/m"), 1, 1_200), 1, "no more than the new bucket's depth is owed");
  assert.equal(admitted(buckets, rates("1000/m"), 2_000, 1_200), 950, "a deeper bucket has room at once");
  assert.equal(admitted(buckets, rates("10/s burst 4"), 9, 1_200), 0, "another span");
  assert.equal(admitted(buckets, rates("10/s burst 4"), 9, 1_300), 1);
});

Deno.test("each rate of a list finds its own count again, wherever it stands now", () => {
  const buckets = new Buckets();
  admitted(buckets, rates("10/d", "9/h per ip"), 7, 0);
  const after = rates("20/s per ip", "9/h per ip", "10/d");
  assert.deepEqual(buckets.levels(after, IP, 0).map((level) => level.left), [20, 2, 3]);
  const other = buckets.levels(after, "198.51.100.2", 0);
  assert.deepEqual(other.map((level) => level.left), [20, 9, 3]);
  const shared = rates("9/h");
  assert.equal(buckets.levels(shared, IP, 0)[0].left, 2, "of the only one of its kind, over another span");
});

Deno.test("levels tell what is left and how long the next one takes", () => {
  const buckets = new Buckets(), list = rates("6/m", "60/m burst 8 per ip");
  admitted(buckets, list, 6, 1_000);
  const [slow, own] = buckets.levels(list, IP, 3_000);
  assert.deepEqual([slow.left, slow.waitMs], [0, 8_000]);
  assert.deepEqual([own.left, own.waitMs], [4, 0]);
});

Deno.test("a restart forgets nothing of an hour's or a day's rate, and the time it took counts", () => {
  const list = rates("10/s", "4/h", "100/d per ip");
  const before = new Buckets();
  assert.equal(before.save(0), null, "nothing to keep");
  assert.equal(admitted(before, list, 9, 5_000_000), 4);
  const saved = JSON.parse(JSON.stringify(before.save(5_000_000)));
  assert.deepEqual(saved.rates, ["4/h", "100/d per ip"]);

  const after = Buckets.restore(saved, 70, 60_000);
  assert.deepEqual(after.levels(list, IP, 70).map((level) => level.left), [10, 0, 96]);
  assert.equal(after.take(list, IP, 70, true)?.ms, 900_000 - 60_000);
  assert.equal(admitted(after, list, 9, 70 + 840_000), 1);
  assert.equal(admitted(after, list, 9, 70 + 840_000), 0);
});

Deno.test("a clock that was set back makes no wait longer than it was", () => {
  const before = new Buckets(), list = rates("4/h");
  admitted(before, list, 1, 0);
  const after = Buckets.restore(before.save(0)!, 10, -86_400_000);
  assert.equal(admitted(after, list, 9, 10), 3);
});

Deno.test("a short window is not kept over a restart", () => {
  const buckets = new Buckets();
  admitted(buckets, rates("10/s", "1000/m per ip"), 10, 0);
  assert.equal(buckets.save(0), null);
});

/** What the hub remembers of a link's traffic, and what its list makes of ten thousand links. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { Peer } from "../../src/hub/peer.ts";
import { HubLink, type NameRecord, UNTOLD } from "../../src/hub/link.ts";
import { listPath, ORDERS, readChoice, select } from "../../src/hub/dashboard/select.ts";
import { HANDED, Traffic } from "../../src/hub/traffic.ts";

/** Minutes go by at once. */
class Minutes {
  #at = 0;
  mono(): number {
    return this.#at;
  }
  pass(minutes: number): void {
    this.#at += minutes * 60_000;
  }
}

function links(records: readonly Partial<NameRecord>[]): HubLink[] {
  const peer = new Peer("default", "daemon-1", new TestClock());
  return records.map((record, i) =>
    new HubLink({
      id: `id${i}`,
      workspace: "default",
      daemon: "daemon-1",
      name: `n${i}`,
      subdomain: false,
      declaredAt: 1,
      declared: true,
      expiresAt: null,
      ended: null,
      revokedAt: null,
      revokePending: false,
      ...UNTOLD,
      ...record,
    }, peer)
  );
}

Deno.test("requests are counted in the minute and the hour in which they came, and no longer than an hour and a day", () => {
  const clock = new Minutes();
  const [one, idle] = links([{}, {}]);
  const traffic = new Traffic(clock, () => [one, idle]);
  const pass = (minutes: number) => {
    for (let i = 0; i < minutes; i++) {
      clock.pass(1);
      traffic.look();
    }
  };
  assert.equal(traffic.minutes(one), null);
  one.counters.allowed += 3;
  pass(1);
  one.counters.allowed += 2;
  one.deny("method_denied");
  assert.deepEqual([...traffic.minutes(one)!.slice(-3)], [0, 3, 3]);
  assert.equal(traffic.hour(one), 6);
  assert.deepEqual(traffic.codes(one), [
    { code: HANDED, hour: 5, day: 5 },
    { code: "method_denied", hour: 1, day: 1 },
  ]);
  pass(59);
  assert.equal(traffic.hour(one), 3);
  pass(1);
  assert.deepEqual([traffic.hour(one), traffic.minutes(one)], [0, null]);
  assert.equal(traffic.codes(one)[0].day, 5);
  pass(24 * 60);
  assert.equal(traffic.codes(one)[0].day, 0);
  assert.deepEqual([traffic.minutes(idle), traffic.codes(idle)], [null, []]);
});

Deno.test("minutes that a machine slept through are empty ones", () => {
  for (const [minutes, hour, day] of [[30, 1, 1], [90, 0, 1], [3 * 24 * 60, 0, 0]]) {
    const clock = new Minutes();
    const [one] = links([{}]);
    const traffic = new Traffic(clock, () => [one]);
    one.counters.allowed++;
    traffic.look();
    clock.pass(minutes);
    traffic.look();
    assert.deepEqual([traffic.hour(one), traffic.codes(one)[0].day], [hour, day], `${minutes} minutes`);
  }
});

Deno.test("every order goes through all links page by page, each once, and keeps its order where links come and go", () => {
  const now = Date.UTC(2026, 0, 1);
  const all = links(
    Array.from({ length: 1000 }, (_, i) => ({
      name: `n${(i * 7919) % 1000}`,
      expiresAt: i % 3 === 0 ? null : now + ((i * 31) % 100) * 1000,
      ended: i % 10 === 0 ? "link_revoked" as const : null,
    })),
  );
  const busy = ({ record }: HubLink) => record.name.length * 10 + Number(record.id.at(-1));
  for (const sort of Object.keys(ORDERS)) {
    const seen: string[] = [];
    let choice = readChoice({ sort });
    for (;;) {
      const { links, found, next } = select(all, choice, 40, now, busy);
      assert.equal(found, 1000);
      seen.push(...links.map(({ id }) => id));
      if (next === null) break;
      choice = readChoice(
        Object.fromEntries(new URL(listPath({ ...choice, after: next }), "http://a").searchParams),
      );
    }
    assert.deepEqual([seen.length, new Set(seen).size], [1000, 1000], sort);
  }
  const first = select(all, readChoice({}), 40, now, busy);
  const without = all.filter((link) => link !== first.links[39]);
  const second = select(without, readChoice({ after: first.next! }), 40, now, busy);
  assert.ok(second.links[0].record.name > first.links[39].record.name);
  const ends = select(all, readChoice({ sort: "ends", state: "offline" }), 1000, now, busy).links;
  const times = ends.map(({ record: { expiresAt } }) => expiresAt ?? Infinity);
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  assert.ok(select(all, readChoice({ state: "revoked" }), 40, now, busy).found === 100);
  assert.equal(select(all, readChoice({ q: "N999" }), 40, now, busy).found, 1);
  assert.deepEqual(readChoice({ sort: "constructor" }), readChoice({}));
});

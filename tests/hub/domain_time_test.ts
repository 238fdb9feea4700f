/** What becomes of a proven domain over days, without a session that would have to live through them. */
import assert from "node:assert/strict";
import type { Clock, Timer } from "../../src/clock.ts";
import { tokenOf } from "../../src/hub/domain_proof.ts";
import { Domains } from "../../src/hub/domains.ts";
import { Hosts } from "../../src/hub/hosts.ts";
import { HubLink, type NameRecord, UNTOLD } from "../../src/hub/link.ts";
import { Peer } from "../../src/hub/peer.ts";
import { hubStorePath, openHubStore } from "../../src/hub/place.ts";
import { createLog } from "../../src/log.ts";
import { auditEntry } from "../../src/store/audit.ts";
import { TestNet } from "./test_net.ts";

const API = "api.example.com", HOUR_MS = 3_600_000;

/** Days go by in leaps: what falls due within one is done at its end. */
class LeapClock implements Clock {
  #elapsed = 0;
  readonly #due = new Map<object, { at: number; fire: () => void }>();

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#elapsed;
  }

  mono(): number {
    return this.#elapsed;
  }

  timer(fire: () => void): Timer {
    const key = {}, clear = () => void this.#due.delete(key);
    return { set: (ms) => void this.#due.set(key, { at: this.#elapsed + ms, fire }), clear, drop: clear };
  }

  leap(ms: number): void {
    this.#elapsed += ms;
    for (const [key, { at, fire }] of [...this.#due]) {
      if (at > this.#elapsed) continue;
      this.#due.delete(key);
      fire();
    }
  }
}

class World implements AsyncDisposable {
  readonly net = new TestNet();
  readonly clock = new LeapClock();
  readonly folder = Deno.makeTempDirSync({ prefix: "connectd-domains-" });
  readonly lines: string[] = [];
  domains!: Domains;
  /** What the audit trail says of domains. */
  trail!: () => Promise<string[]>;
  #close: () => Promise<void> = () => Promise.resolve();
  /** What was asked of the store until now is done, and whoever waited for that has gone on. */
  #settled: () => Promise<unknown> = () => Promise.resolve();

  async open(): Promise<this> {
    const { clock } = this, store = await openHubStore(hubStorePath(this.folder), clock);
    this.domains = await Domains.open({
      ...{ store, clock, prover: this.net, told: () => {} },
      log: createLog({ level: "info", write: (line) => this.lines.push(line) }),
      audit: {
        domain: (type, workspace, subject, data = {}) =>
          auditEntry({ type, workspace, actor: "clock", subject, data }, clock.now()),
      },
      hosts: () => new Hosts("links.test", "https://links.test", false),
    });
    this.trail = async () => {
      const query = { limit: 100, before: null, type: "domain", link: null, workspace: null };
      const rows = await store.trail.list(query);
      return rows.map(({ type, workspace }) => `${type} ${workspace}`).reverse();
    };
    this.#settled = () => this.trail().then(() => new Promise((turn) => setTimeout(turn)));
    this.#close = async () => {
      this.domains.close();
      await store.close();
    };
    return this;
  }

  link(workspace: string): HubLink {
    const record: NameRecord = {
      ...{
        id: "abcdefghijkl2",
        workspace,
        daemon: "d",
        name: "api",
        subdomain: false,
        declaredAt: 1,
        declared: true,
      },
      ...{ expiresAt: null, domain: API, ended: null, revokedAt: null, revokePending: false, ...UNTOLD },
    };
    const link = new HubLink(record, new Peer(workspace, "d", this.clock));
    this.domains.changed(link);
    return link;
  }

  /** What has to be done for the domain of `link`; null: nothing. */
  message(link: HubLink): string | null {
    return this.domains.grantFor(link)!.message;
  }

  /** The record that its owner would make. */
  record(link: HubLink): string[] {
    return [/TXT "(\w+)"/.exec(this.message(link)!)![1]];
  }

  async days(n: number): Promise<void> {
    for (let hours = n * 24; hours > 0; hours -= 4) {
      this.clock.leap(4 * HOUR_MS);
      for (let i = 0; i < 3; i++) await this.#settled();
    }
  }

  async again(): Promise<this> {
    await this.#close();
    return await this.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("a domain that is proven no more is served for a week, and its owner told; then whoever proves it has it", async () => {
  await using world = await new World().open();
  const owner = world.link("acme"), mine = world.record(owner);
  world.net.records.set(API, mine);
  await world.days(1);
  assert.equal(world.message(owner), null);
  world.net.records.set(API, null);
  await world.days(8);
  assert.equal(world.message(owner), null, "nobody could be asked");
  world.net.records.delete(API);
  await world.days(2);
  assert.match(
    world.message(owner)!,
    /is not proven any more, and is given up at 20\d\d-[^ ]+: create the DNS record/,
  );
  assert.equal(world.domains.isLive(API), true);
  world.net.records.set(API, mine);
  await world.days(1);
  assert.equal(world.message(owner), null, "it was proven again");
  const other = world.link("others"), theirs = world.record(other);
  world.net.records.set(API, []);
  await world.days(2);
  assert.equal(world.domains.find(API), owner, "others wait as long");
  await world.days(7);
  assert.equal(world.domains.find(API), undefined);
  assert.match(world.message(owner)!, /is not proven yet/);
  world.net.records.set(API, theirs);
  await world.days(1);
  assert.equal(world.domains.find(API), other);
  assert.deepEqual(
    world.lines.map((line) =>
      / (?:domain proven|a domain (?:was given up|is not proven any more))/.exec(line)?.[0].trim()
    ),
    [
      "domain proven",
      "a domain is not proven any more",
      "a domain is not proven any more",
      "a domain was given up",
      "domain proven",
    ],
  );
  assert.deepEqual(await world.trail(), [
    "domain.proven acme",
    "domain.lost acme",
    "domain.proven acme",
    "domain.lost acme",
    "domain.released acme",
    "domain.proven others",
  ]);
});

Deno.test("what was proven, and since when it is not, survives a restart", async () => {
  await using world = await new World().open();
  world.net.records.set(API, world.record(world.link("acme")));
  await world.days(1);
  await world.again();
  assert.equal(world.message(world.link("acme")), null);
  world.net.records.delete(API);
  await world.days(4);
  await world.again();
  const link = world.link("acme");
  assert.equal(world.domains.isLive(API), true);
  await world.days(5);
  assert.equal(world.domains.isLive(API), false);
  assert.match(world.message(link)!, /is not proven yet/);
});

Deno.test("a token is of one hub, one workspace and one domain, and nobody can tell it who has not the hub's key", () => {
  const tokens = [["k", "a", "x.test"], ["l", "a", "x.test"], ["k", "b", "x.test"], ["k", "a", "y.test"], [
    "k",
    "a\nx",
    "test",
  ]]
    .map(([key, workspace, domain]) => tokenOf(key, workspace, domain));
  assert.equal(new Set(tokens).size, tokens.length);
  for (const token of tokens) assert.match(token, /^[a-z2-7]{26}$/);
  assert.equal(tokenOf("k", "a", "x.test"), tokens[0]);
});

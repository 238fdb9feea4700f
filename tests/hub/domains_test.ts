import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import type { HubOptions } from "../../src/hub/hub.ts";
import { ask, type FakeDaemon, HubRig, link, type Message, pass } from "./rig.ts";
import { TestNet } from "./test_net.ts";

const API = "api.example.com";

class World implements AsyncDisposable {
  readonly net = new TestNet();
  readonly clock = new TestClock();
  rig!: HubRig;

  static async start(options: Partial<HubOptions> = {}): Promise<World> {
    const world = new World();
    world.rig = await HubRig.start({ clock: world.clock, prover: world.net, ...options });
    return world;
  }

  get port(): number {
    return this.rig.hub.address.port;
  }

  daemon(daemon: string, workspace: string): FakeDaemon {
    return this.rig.attached({ daemon, workspace, instance: `${daemon}-1`, clock: this.clock });
  }

  /** What visitors of `host` get. */
  async visit(host: string): Promise<string> {
    const { status, body, json } = await ask(this.port, host, "GET /x HTTP/1.1");
    return `${status} ${json?.code ?? body}`;
  }

  /** What a front on this machine hears. */
  async tls(domain: string, ...fields: string[]): Promise<number> {
    const path = `/v1/tls/ask?domain=${encodeURIComponent(domain)}`;
    return (await this.rig.api("GET", path, undefined, undefined, this.port, fields)).status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
  }
}

type Word = { name: string; url: string | null; message: string | null };

/** The last word that `daemon` heard on its link's domain. */
function word(daemon: FakeDaemon): Word | undefined {
  const heard = daemon.messages.flatMap((message) => (message as Message).links ?? []);
  return heard.at(-1)?.domain;
}

const tokenIn = ({ message }: Word) => /TXT "([a-z2-7]{26})"/.exec(message ?? "")?.[1] ?? "none";

/** Lets time go by until `daemon` hears what `is`; both it and the hub are at work meanwhile. */
async function hears(world: World, daemon: FakeDaemon, is: (word: Word) => boolean): Promise<void> {
  for (let s = 0; s < 300; s += 5) {
    const last = word(daemon);
    if (last !== undefined && is(last)) return;
    await pass(world.clock, 5_000);
  }
  throw new Error(`still ${JSON.stringify(word(daemon))}`);
}

const isProven = ({ url }: Word) => url !== null;

/** Proves API for the link of `daemon` by a record. */
async function prove(world: World, daemon: FakeDaemon): Promise<void> {
  world.net.records.set(API, [...world.net.records.get(API) ?? [], tokenIn(word(daemon)!)]);
  await hears(world, daemon, isProven);
}

Deno.test("a link is served at its own domain once a record proves it, and until then its daemon is told which", async () => {
  await using world = await World.start();
  const daemon = world.daemon("d", "acme");
  const { links: [{ id, url }] } = await daemon.hello([link("api", { domain: API })]);
  assert.equal(url, `http://${id}.localhost:${world.port}`);
  const { name, url: none, message } = word(daemon)!;
  assert.deepEqual([name, none], [API, null]);
  const token = tokenIn(word(daemon)!);
  assert.equal(
    message,
    `${API} is not proven yet: create the DNS record _connectd.${API} TXT "${token}", or have ` +
      `http://${API}/.well-known/connectd-challenge/${token} answer ${token}`,
  );
  assert.equal(await world.visit(API), "404 link_unknown");
  assert.equal(await world.tls(API), 404);
  assert.equal(await world.visit(`${id}.localhost`), `200 /x of ${id}`);
  await prove(world, daemon);
  assert.deepEqual(word(daemon), { name: API, url: `http://${API}:${world.port}`, message: null });
  for (const host of [API, `${API}:${world.port}`, "API.Example.COM", `${API}.`, `${API}.:80`]) {
    assert.equal(await world.visit(host), `200 /x of ${id}`, host);
  }
  for (const host of [`www.${API}`, "example.com", `${API}.localhost`, `x${API}`]) {
    assert.match(await world.visit(host), /^404/, host);
    assert.equal(await world.tls(host), 404, host);
  }
  for (const domain of [API, "API.example.com", `${API}.`]) {
    assert.equal(await world.tls(domain), 200, domain);
  }
});

Deno.test("only fronts may ask which domains there are: this machine and trusted proxies, for themselves", async () => {
  await using world = await World.start({ trustedProxies: ["127.0.0.1", "198.51.100.0/24"] });
  const daemon = world.daemon("d", "acme");
  await daemon.hello([link("api", { domain: API })]);
  await prove(world, daemon);
  assert.equal(await world.tls(API), 200);
  assert.equal(await world.tls(API, "X-Forwarded-For: 198.51.100.9"), 200);
  assert.equal(await world.tls(API, "X-Forwarded-For: 203.0.113.9"), 404);
  assert.equal(await world.tls(API, "X-Forwarded-For: 127.0.0.1, 203.0.113.9"), 404);
  const byAddress = await ask(world.port, "10.0.0.5:8080", `GET /v1/tls/ask?domain=${API} HTTP/1.1`);
  assert.equal(byAddress.status, 200);
});

Deno.test("a domain that leads to the hub already needs no more than the one link that asks for it", async () => {
  await using world = await World.start();
  world.net.leads.set(API, world.port);
  const daemon = world.daemon("d", "acme");
  const { links: [{ id }] } = await daemon.hello([link("api", { domain: API })]);
  await hears(world, daemon, isProven);
  assert.equal(await world.visit(API), `200 /x of ${id}`);
  const path = "/.well-known/connectd-challenge/";
  const wrong = await ask(world.port, API, `GET ${path}${"a".repeat(26)} HTTP/1.1`);
  assert.equal(wrong.body, `${path}${"a".repeat(26)} of ${id}`, "what is no token is the link's");
});

Deno.test("where two workspaces ask, only a record tells whose a domain is, and it goes before whoever was first", async () => {
  await using world = await World.start();
  world.net.leads.set(API, world.port);
  const squatter = world.daemon("s", "squatters");
  const { links: [{ id: squatted }] } = await squatter.hello([link("api", { domain: API })]);
  await hears(world, squatter, isProven);
  assert.equal(await world.visit(API), `200 /x of ${squatted}`);
  const owner = world.daemon("o", "acme");
  const { links: [{ id }] } = await owner.hello([link("api", { domain: API })]);
  assert.match(word(owner)!.message!, /it is held by another workspace; create the DNS record [^,]*$/);
  assert.notEqual(tokenIn(word(owner)!), "none");
  await prove(world, owner);
  assert.equal(await world.visit(API), `200 /x of ${id}`);
  await hears(world, squatter, ({ message }) => /held by another/.test(message ?? ""));
});

Deno.test("the trail says whose a domain came to be and how, to each workspace its own part, and what its link asks for", async () => {
  await using world = await World.start();
  world.net.leads.set(API, world.port);
  const squatter = world.daemon("s", "squatters");
  await squatter.hello([link("api", { domain: API })]);
  await hears(world, squatter, isProven);
  const owner = world.daemon("o", "acme");
  await owner.hello([link("api", { domain: API })]);
  await prove(world, owner);
  await owner.change([link("api", { domain: "b.example.com" })]);
  const trail = async (workspace: string) => {
    const token = await world.rig.token("viewer", workspace);
    const { items } = (await world.rig.api("GET", "/v1/audit", token)).json;
    return (items as { type: string; actor: string; subject: string; data: Record<string, string> }[])
      .filter(({ type }) => /^(?:domain|link)\./.test(type)).reverse()
      .map(({ type, actor, subject, data }) =>
        [type, actor, ...(subject === API ? [API] : []), data.domain ?? data.by].filter(Boolean).join(" ")
      );
  };
  assert.deepEqual(await trail("squatters"), [
    `link.opened token:embedded ${API}`,
    `domain.proven clock ${API} http`,
    `domain.released clock ${API}`,
  ]);
  assert.deepEqual(await trail("acme"), [
    `link.opened token:embedded ${API}`,
    `domain.proven clock ${API} txt`,
    "link.retuned token:embedded b.example.com",
  ]);
});

Deno.test("two workspaces that ask at once are both told to make a record, whichever the domain leads to", async () => {
  await using world = await World.start();
  const [a, b] = [world.daemon("a", "a"), world.daemon("b", "b")];
  await a.hello([link("api", { domain: API })]);
  await b.hello([link("api", { domain: API })]);
  await pass(world.clock, 1_000);
  world.net.leads.set(API, world.port);
  await pass(world.clock, 60_000);
  assert.equal(await world.visit(API), "404 link_unknown");
  assert.notEqual(tokenIn(word(a)!), tokenIn(word(b)!));
  await prove(world, b);
  assert.match(await world.visit(API), /^200/);
});

Deno.test("a proven domain is its workspace's: others get it by no record of their own, while its own is there", async () => {
  await using world = await World.start();
  const owner = world.daemon("o", "acme");
  const { links: [{ id }] } = await owner.hello([link("api", { domain: API })]);
  await prove(world, owner);
  const other = world.daemon("x", "others");
  const { links: [{ id: theirs, domain }] } = await other.hello([link("api", { domain: API })]);
  world.net.records.get(API)!.push(tokenIn(domain));
  // Asked for anew, it is looked at anew.
  await other.change([link("api", { id: theirs })]);
  const asked = world.net.asked;
  await other.change([link("api", { id: theirs, domain: API })]);
  while (world.net.asked === asked) await pass(world.clock, 5_000);
  assert.equal(await world.visit(API), `200 /x of ${id}`);
  // Not even when its link is gone: what it has proven stays.
  await owner.change([], [{ name: "api", id, reason: "removed" }]);
  assert.equal(await world.visit(API), "404 link_unknown");
  assert.equal(await world.tls(API), 404);
  const { links: [{ id: again }] } = await owner.change([link("second", { domain: API })]);
  assert.equal(await world.visit(API), `200 /x of ${again}`);
});

Deno.test("of two links of a workspace the first has the domain, and the other when the first is gone", async () => {
  await using world = await World.start();
  const daemon = world.daemon("d", "acme");
  const { links: [one, two] } = await daemon.hello([
    link("one", { domain: API }),
    link("two", { domain: API }),
  ]);
  world.net.records.set(API, [tokenIn(one.domain)]);
  await hears(world, daemon, ({ message }) => /the domain of the link one/.test(message ?? ""));
  assert.equal(await world.visit(API), `200 /x of ${one.id}`);
  await daemon.change([], [{ name: "one", id: one.id, reason: "removed" }]);
  assert.equal(await world.visit(API), `200 /x of ${two.id}`);
  await hears(world, daemon, isProven);
});

Deno.test("an ended link answers so at its domain, and no certificate is made for it any more", async () => {
  await using world = await World.start();
  const daemon = world.daemon("d", "acme");
  const { links: [{ id }] } = await daemon.hello([link("api", { domain: API })]);
  await prove(world, daemon);
  await daemon.change([link("api", { domain: API, id, state: "revoked" })]);
  assert.equal(await world.visit(API), "410 link_revoked");
  assert.equal(await world.tls(API), 404);
  await daemon.change([link("api", { domain: API, id })]);
  assert.equal(await world.tls(API), 200);
  await daemon.change([link("api", { id })]);
  assert.equal(await world.visit(API), "404 link_unknown");
});

Deno.test("a restart of the hub forgets no domain: it leads to its link, whose daemon is still away", async () => {
  await using world = await World.start();
  const daemon = world.daemon("d", "acme");
  await daemon.hello([link("api", { domain: API })]);
  await prove(world, daemon);
  const token = world.net.records.get(API)![0];
  daemon.leave();
  await world.rig.hub.close();
  // Name servers that nobody reaches prove nothing, and take nothing away.
  world.net.records.set(API, null);
  await world.rig.begin({ clock: world.clock, prover: world.net });
  assert.equal(await world.tls(API), 200);
  const visit = world.visit(API);
  await pass(world.clock, 6_000);
  assert.equal(await visit, "503 daemon_offline");
  const back = world.daemon("d", "acme");
  await back.hello([link("api", { domain: API })]);
  assert.match(await world.visit(API), /^200/);
  // Of this hub, this workspace and this domain, whenever it is asked for.
  await back.change([link("api", { domain: "other.example.com" })]);
  assert.notEqual(tokenIn(word(back)!), token);
});

Deno.test("no link gets a name of the hub's own for its domain, nor what is no domain", async () => {
  await using world = await World.start({
    domain: "links.example.net",
    publicUrl: "https://hub.example.org",
  });
  const daemon = world.daemon("d", "acme");
  const names = [
    ...[
      "links.example.net",
      "x.links.example.net",
      "a.b.links.example.net",
      "hub.example.org",
      "hub.localhost",
    ],
    ...[
      "localhost",
      "127.0.0.1",
      "a..example.com",
      ".example.com",
      "-a.example.com",
      "a.example.1",
      "example.com.",
    ],
  ];
  const { links } = await daemon.hello(names.map((domain, i) => link(`l${i}`, { domain })));
  for (const [i, { refused }] of links.entries()) assert.equal(refused?.code, "bad_name", names[i]);
  const fine = await daemon.change([link("fine", { domain: "links.example.net.example.com" })]);
  assert.ok("id" in fine.links[0]);
});

Deno.test("a workspace asks for a hundred domains and no more, however many links and daemons it has", async () => {
  await using world = await World.start();
  const daemon = world.daemon("d", "acme");
  const { links } = await daemon.hello(
    Array.from({ length: 101 }, (_, i) => link(`l${i}`, { domain: `l${i}.example.com` })),
  );
  assert.match(links[99].domain.message, /is not proven yet/);
  assert.match(links[100].domain.message, /at most 100 domains/);
  assert.ok("url" in links[100]);
  await pass(world.clock, 30_000);
  assert.ok(world.net.asked >= 100 && world.net.asked <= 400, `${world.net.asked} questions`);
});

Deno.test("the hub's API says what there is to do for a domain", async () => {
  await using world = await World.start();
  const daemon = world.daemon("d", "default");
  const { links: [{ id }] } = await daemon.hello([link("api", { domain: API })]);
  const token = await world.rig.token("viewer");
  const { json } = await world.rig.api("GET", `/v1/links/${id}`, token);
  assert.deepEqual(json.domain, word(daemon));
  assert.equal(json.lastError, json.domain.message);
});

/** What a workspace may have: links, sessions, streams, requests; and that it is counted rightly. */
import assert from "node:assert/strict";
import { systemClock, TestClock } from "../../src/clock.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { parseRate } from "../../src/core/units.ts";
import { type AllWorkspaceLimits, UNLIMITED, type WorkspaceLimits } from "../../src/core/workspace_limits.ts";
import type { HubSettings } from "../../src/hub/settings.ts";
import type { Stream } from "../../src/wire/stream.ts";
import { connectHub } from "../../src/daemon/connect.ts";
import { eventually, FakeDaemon, HubRig, link, pass, respond } from "./rig.ts";

const limits = (
  each: Partial<WorkspaceLimits>,
  named: Record<string, Partial<WorkspaceLimits>> = {},
): AllWorkspaceLimits => ({
  each: { ...UNLIMITED.each, ...each },
  named: new Map(Object.entries(named)),
});

const settings = (workspaces: AllWorkspaceLimits): HubSettings => ({
  listen: { hostname: "127.0.0.1", port: 0 },
  domain: null,
  publicUrl: null,
  trustedProxies: [],
  limits: DEFAULT_LIMITS,
  workspaces,
});

/** Ids of those that were granted, codes of those that were not. */
const outcome = (links: { id?: string; refused?: { code: string } }[]) =>
  links.map(({ id, refused }) => refused?.code ?? (typeof id === "string" ? "granted" : "?"));

Deno.test("a workspace has as many links as it may; what ends makes room, another workspace has its own", async () => {
  await using rig = await HubRig.start({
    workspaces: limits({ links: 2 }, { big: { links: 3 }, free: { links: null } }),
  });
  const one = rig.attached({ daemon: "one" }), two = rig.attached({ daemon: "two" });
  const hello = await one.hello([link("a"), link("b"), link("c")]);
  assert.deepEqual(outcome(hello.links), ["granted", "granted", "limit"]);
  assert.match(hello.links[2].refused.message, /default has as many links as it may \(2\): revoke one/);
  assert.deepEqual(outcome((await two.hello([link("d")])).links), ["limit"]);
  const [{ id }] = hello.links;
  // Declared again, by another policy: it has its place already.
  assert.deepEqual(outcome((await one.change([link("a", { policy: { methods: ["GET"] } })])).links), [
    "granted",
  ]);
  await one.change([], [{ name: "a", id, reason: "removed" }]);
  assert.deepEqual(outcome((await two.change([link("d")])).links), ["granted"]);
  assert.deepEqual(outcome((await one.change([link("a")])).links), ["limit"]);
  // Expired ones take no place, and need one to come back.
  assert.deepEqual(outcome((await two.change([link("d", { state: "expired" })])).links), ["granted"]);
  assert.deepEqual(outcome((await one.change([link("a")])).links), ["granted"]);
  assert.deepEqual(outcome((await two.change([link("d")])).links), ["limit"]);
  const names = ["1", "2", "3", "4"].map((name) => link(name));
  const [big, free] = ["big", "free"].map((workspace) => rig.attached({ workspace }));
  assert.deepEqual(outcome((await big.hello(names)).links), ["granted", "granted", "granted", "limit"]);
  assert.deepEqual(outcome((await free.hello(names)).links), ["granted", "granted", "granted", "granted"]);
});

Deno.test("links are counted over a restart, a revocation at the hub makes room, fewer places cut nothing", async () => {
  await using rig = await HubRig.start();
  const first = rig.attached();
  const [{ id }] = (await first.hello([link("a"), link("b")])).links;
  await rig.hub.close();
  await rig.begin({ workspaces: limits({ links: 1 }) });
  const daemon = rig.attached(), other = rig.attached({ daemon: "other" });
  assert.deepEqual(outcome((await daemon.hello([link("a"), link("b")])).links), ["granted", "granted"]);
  assert.equal((await rig.visit(id)).status, 200);
  assert.deepEqual(outcome((await other.hello([link("c")])).links), ["limit"]);
  await rig.hub.change(settings(limits({ links: 2 })));
  await rig.api("DELETE", `/v1/links/${id}`, await rig.token("admin"));
  assert.deepEqual(outcome((await other.change([link("c")])).links), ["granted"]);
});

Deno.test("a session too many is closed with the reason, and not for good", async () => {
  await using rig = await HubRig.start({ workspaces: limits({ sessions: 2 }) });
  const token = await rig.token("daemon"), elsewhere = await rig.token("daemon", "other");
  const kept: FakeDaemon[] = [];
  for (const connection of [0, 1]) {
    const daemon = await rig.dialled(token, { connection });
    await daemon.hello([]);
    kept.push(daemon);
  }
  const file = `${rig.folder}/token`,
    address = { url: rig.hub.url, tokenFile: file, caFile: null, plain: false };
  Deno.writeTextFileSync(file, token);
  // As a daemon dials: what comes right behind the 101 is not lost.
  const dialled = () => connectHub(address, file, systemClock, 5000).then((wire) => new FakeDaemon(wire, {}));
  const reason = await (await dialled()).end();
  assert.deepEqual(reason, {
    code: "limit",
    message: "the workspace default has as many sessions as it may (2)",
    permanent: false,
  });
  await (await rig.dialled(elsewhere)).hello([]);
  kept[0].leave();
  await eventually(async () => {
    const daemon = await dialled();
    const welcome = await daemon.hello([]).then(() => true, () => false);
    daemon.leave();
    return welcome;
  }, (welcome) => welcome);
});

Deno.test("a stream too many is 503, and its place is free when the one before it has ended, however that ends", async () => {
  await using rig = await HubRig.start({ workspaces: limits({ streams: 1 }) });
  let held: Stream | null = null;
  const daemon = rig.attached({ serve: (stream) => void (held = stream) });
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const [{ id: there }] = (await rig.attached({ workspace: "other" }).hello([link("web")])).links;
  const busy = async () => {
    const { status, json, head } = await rig.visit(id);
    assert.deepEqual([status, json.code], [503, "hub_busy"]);
    assert.match(head, /^retry-after:/im);
  };
  const taken = () => eventually(() => held, (stream) => stream !== null) as Promise<Stream>;
  const first = rig.visit(id);
  respond(await taken().then(async (stream) => (await busy(), stream)), "done");
  assert.equal((await first).body, "done");
  held = null;
  const second = rig.visit(id);
  (await taken()).reset("target_closed");
  assert.equal((await second).status, 502);
  held = null;
  // A visitor who leaves.
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: rig.hub.address.port });
  await socket.write(new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: ${id}.localhost\r\n\r\n`));
  await taken();
  assert.equal((await rig.visit(there)).status, 200, "another workspace");
  socket.close();
  held = null;
  const third = eventually(() => {
    const asked = rig.visit(id);
    return Promise.race([asked, taken().then((stream) => (respond(stream, "third"), asked))]);
  }, ({ status }) => status === 200);
  assert.equal((await third).body, "third");
});

Deno.test("requests of a workspace are counted over all its links, refused with the time to wait, and by hub.yaml anew", async () => {
  const clock = new TestClock();
  await using rig = await HubRig.start({ clock, workspaces: limits({ requests: parseRate("3/m") }) });
  const one = rig.attached({ daemon: "one", clock }), two = rig.attached({ daemon: "two", clock });
  const [{ id: a }] = (await one.hello([link("a", { policy: { methods: ["GET"] } })])).links;
  const [{ id: b }] = (await two.hello([link("b")])).links;
  assert.equal(
    (await rig.visit(a, "DELETE / HTTP/1.1")).status,
    405,
    "what goes to no daemon does not count",
  );
  for (const id of [a, b, a]) assert.equal((await rig.visit(id)).status, 200);
  const { status, json, head } = await rig.visit(b);
  assert.deepEqual([status, json.code], [429, "rate_limited"]);
  assert.match(head, /^retry-after: 20\r$/im);
  assert.match(head, /^ratelimit-policy: "workspace";q=3;w=60\r$/im);
  assert.match(head, /^ratelimit: "workspace";r=0;t=20\r$/im);
  await pass(clock, 20_000);
  assert.equal((await rig.visit(b)).status, 200);
  assert.equal((await rig.visit(b)).status, 429);
  const changes = await rig.hub.change(settings(limits({}, { other: { requests: parseRate("1/m") } })));
  assert.deepEqual(
    changes.map(({ key, from, to }) => `${key}: ${from} → ${to}`).filter((text) => /work/.test(text)),
    [
      "limits.workspace.requests: 3/m → none",
      "workspaces: none → other: requests 1/m",
    ],
  );
  for (let i = 0; i < 5; i++) assert.equal((await rig.visit(b)).status, 200);
});

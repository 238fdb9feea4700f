/** What a hub asks of a daemon: what the file allows is done once and for good, everything else is refused. */
import assert from "node:assert/strict";
import type { Ask, AskProblem } from "../../src/wire/hello.ts";
import { DaemonRig } from "./daemon_rig.ts";

const HOUR = 3_600_000;

const SERVICES = `services:
  web: { target: echo, remote: true }
  own: { target: echo }
  db: { target: "tcp://127.0.0.1:5432", access: private, remote: true }
  raw: { target: "tcp://127.0.0.1:5433", remote: true }
  inner: { target: echo, access: private, remote: true }
`;
const MANAGED = `remote: manage\n${SERVICES}`;

let asked = 0;

/** Has the fake hub ask, and returns the answer. */
async function wants(rig: DaemonRig, ask: Partial<Ask>): Promise<AskProblem | null> {
  const id = ask.id ?? `ask-${++asked}`;
  rig.hub.tell({ type: "ask", id, op: "create", name: "new", by: "token:ci", body: {}, ...ask });
  const answers = () => rig.hub.said.filter((said) => said.type === "reply" && said.id === id);
  const before = answers().length;
  await rig.hub.until(() => answers().length > before);
  return (answers().at(-1) as { problem: AskProblem | null }).problem;
}

/** Status, code and where it is wrong. */
function short(problem: AskProblem | null): string {
  if (problem === null) return "done";
  return [problem.status, problem.code, ...problem.errors.map(({ pointer }) => pointer)].join(" ");
}

Deno.test("a hub has a link made on a service that is marked for it: it serves, and the trail says who asked", async () => {
  await using rig = await DaemonRig.start(`${MANAGED}defaults: { rate: 7/m }`);
  const body = { service: "web", ttl: "2h", methods: ["GET"], paths: ["/a"], maxUses: 3 };
  assert.equal(await wants(rig, { body }), null);
  const link = rig.link("new");
  assert.deepEqual([link.source, link.service, link.state, link.target], ["hub", "web", "active", "echo"]);
  assert.deepEqual([link.policy.methods, link.policy.paths, link.uses?.max], [["GET"], ["/a"], 3]);
  assert.deepEqual(link.policy.rate, ["7/m"], "what the file says of every link, it says of this one");
  assert.equal(Date.parse(link.expiresAt!) - Date.parse(link.activatedAt!), 2 * 3_600_000);
  assert.equal(await rig.hub.visit(rig.hub.id("new"), "GET /a"), "200");
  assert.equal(await rig.hub.visit(rig.hub.id("new"), "GET /b"), "path_denied");
  const declared = rig.hub.declared("new")!;
  assert.deepEqual([declared.service, declared.source], ["web", "hub"]);
  assert.equal(declared.activatedAt, Date.parse(link.activatedAt!));
  const { items } = (await rig.api("GET", "/v1/audit?type=link.opened")).json;
  assert.equal(items[0].actor, "hub:embedded token:ci");
});

Deno.test("what the file does not allow a hub is refused, and leaves no link behind", async () => {
  const rows: [remote: string, ask: Partial<Ask>, due: string][] = [
    ["revoke", { body: { service: "web" } }, "403 not_managed"],
    ["none", { body: { service: "web" } }, "403 not_managed"],
    ["manage", { body: { service: "own" } }, "403 not_managed"],
    ["manage", { body: { service: "db" } }, "403 not_managed"],
    ["manage", { body: { service: "raw" } }, "403 not_managed"],
    ["manage", { body: { service: "inner" } }, "403 not_managed"],
    ["manage", { body: { service: "gone" } }, "403 not_managed"],
    ["manage", { body: { service: "localhost:3000" } }, "403 not_managed"],
    ["manage", { body: { service: "unix:/run/docker.sock" } }, "403 not_managed"],
    ["manage", { body: { service: ["web"] } }, "403 not_managed"],
    ["manage", { body: {} }, "403 not_managed"],
    ["manage", { body: { service: "web", target: "localhost:22" } }, "422 invalid /target"],
    ["manage", { body: { service: "web", name: "other" } }, "422 invalid /name"],
    ["manage", { body: { service: "web", auth: { basic: { file: "/etc/shadow" } } } }, "422 invalid /auth"],
    ["manage", { body: { service: "web", tls: { caFile: "/etc/passwd" } } }, "422 invalid /tls"],
    [
      "manage",
      { body: { service: "web", headers: { request: {} }, host: "x" } },
      "422 invalid /headers /host",
    ],
    ["manage", { body: { service: "web", shadow: true } }, "422 invalid /shadow"],
    ["manage", { body: { service: "web", inspect: "bodies" } }, "422 invalid /inspect"],
    ["manage", { body: { service: "web", ttl: "soon", rate: "0/m" } }, "422 invalid /ttl /rate"],
    ["manage", { body: { service: "web", paths: ["a"] } }, "422 invalid /paths/0"],
    ["manage", { name: "mine", body: { service: "web" } }, "409 name_taken"],
    ["manage", { op: "edit", name: "nobody", body: { rate: "1/m" } }, "404 not_found"],
    ["manage", { op: "renew", name: "nobody" }, "404 not_found"],
    ["manage", { op: "renew", name: "mine" }, "403 not_managed"],
    ["manage", { op: "edit", name: "mine", body: { rate: "1/m" } }, "403 not_managed"],
    ["manage", { op: "edit", name: "filed", body: { rate: "1/m" } }, "409 in_file"],
    ["manage", { op: "renew", name: "filed", body: { ttl: "never ever" } }, "422 invalid /ttl"],
    ["revoke", { op: "renew", name: "filed" }, "403 not_managed"],
  ];
  for (const remote of ["manage", "revoke", "none"]) {
    const links = "links: { mine: { target: own }, filed: { target: web } }";
    await using rig = await DaemonRig.start(`remote: ${remote}\n${SERVICES}${links}`);
    for (const [under, ask, due] of rows) {
      if (under === remote) assert.equal(short(await wants(rig, ask)), due, JSON.stringify(ask));
    }
    assert.deepEqual(rig.daemon.links().map(({ name }) => name), ["filed", "mine"]);
  }
});

Deno.test("a hub is told which services are for it: those that are marked, while the file says manage", async () => {
  const remotes = (said: { services: readonly { name: string; remote: boolean }[] }) =>
    said.services.filter(({ remote }) => remote).map(({ name }) => name);
  await using rig = await DaemonRig.start(`${MANAGED}links: { mine: { target: own } }`);
  const [hello] = rig.hub.said;
  assert.ok(hello.type === "hello");
  assert.deepEqual(remotes(hello), ["web"]);
  const told = () => rig.hub.said.filter((said) => said.type === "services");
  const seen = told().length;
  await rig.reload(`${SERVICES}links: { mine: { target: own } }`);
  await rig.hub.until(() => told().length > seen);
  assert.deepEqual(remotes(told().at(-1)!), [], "no link was changed, and the hub hears of it all the same");
  await rig.reload(`${SERVICES}links: { mine: { target: own, rate: 1/m } }`);
  await rig.hub.until(() => rig.hub.declared("mine")!.policy.rate.length === 1);
  assert.equal(told().length, seen + 1, "services that did not change are not told");
});

Deno.test("an ask that comes by two sessions, or again, is done once and answered alike", async () => {
  await using rig = await DaemonRig.start(MANAGED);
  const ask: Ask = {
    ...{ type: "ask", id: "once", op: "create", name: "new", by: "token:ci" },
    body: { service: "web" },
  };
  const replies = () => rig.hub.said.filter((said) => said.type === "reply");
  rig.hub.tell(ask);
  rig.hub.tell(ask);
  await rig.hub.until(() => replies().length === 2);
  assert.equal(await wants(rig, ask), null);
  assert.deepEqual(replies().map((said) => said.type === "reply" && said.problem), [null, null, null]);
  assert.equal(short(await wants(rig, { ...ask, id: "another" })), "409 name_taken");
});

Deno.test("an ask that comes again after a restart is known by its id", async () => {
  await using rig = await DaemonRig.start(MANAGED);
  const ask = { id: "once", body: { service: "web", ttl: "1h" } };
  assert.equal(await wants(rig, ask), null);
  const { id } = rig.link("new");
  await rig.restart();
  assert.equal(await wants(rig, ask), null);
  assert.deepEqual([rig.daemon.links().length, rig.link("new").id], [1, id]);
  assert.equal(short(await wants(rig, { ...ask, id: "another" })), "409 name_taken");
});

Deno.test("an edit replaces what it names, null takes it away, and all of it survives a restart", async () => {
  await using rig = await DaemonRig.start(MANAGED);
  await wants(rig, { body: { service: "web", ttl: "1h", rate: "10/m", methods: ["GET"] } });
  const { id, activatedAt } = rig.link("new");
  const body = { rate: null, paths: ["/x"], ttl: "3h" };
  assert.equal(await wants(rig, { op: "edit", body }), null);
  const edited = rig.link("new");
  assert.deepEqual([edited.policy.rate, edited.policy.paths], [null, ["/x"]]);
  assert.deepEqual([edited.policy.methods, edited.id, edited.activatedAt], [["GET"], id, activatedAt]);
  assert.equal(Date.parse(edited.expiresAt!) - Date.parse(activatedAt!), 3 * 3_600_000);
  const until = "2031-01-01T00:00:00.000Z";
  assert.equal(await wants(rig, { op: "edit", body: { until } }), null);
  assert.equal(rig.link("new").expiresAt, until);
  assert.equal(await wants(rig, { op: "edit", body: { until: null } }), null);
  assert.equal(
    Date.parse(rig.link("new").expiresAt!) - Date.parse(activatedAt!),
    24 * 3_600_000,
    "without an end of its own it has that of any link that no file names",
  );
  assert.equal(short(await wants(rig, { op: "edit", body: { ttl: "1h", until } })), "422 invalid /until");
  await rig.restart();
  const again = rig.link("new");
  assert.deepEqual([again.source, again.service, again.id, again.policy.paths], ["hub", "web", id, ["/x"]]);
});

Deno.test("what a hub had made is revoked by whoever sits here, and renewed by the hub only where it may ask", async () => {
  await using rig = await DaemonRig.start(MANAGED);
  await wants(rig, { body: { service: "web" } });
  assert.equal((await rig.api("DELETE", "/v1/links/new")).json.state, "revoked");
  await rig.restart();
  assert.equal(rig.link("new").state, "revoked");
  assert.equal(await wants(rig, { op: "renew", body: { ttl: "1h" } }), null);
  assert.equal(rig.link("new").state, "active");
  assert.equal(await rig.hub.visit(rig.hub.id("new")), "200");
});

Deno.test("a link that a hub had made follows its service, and goes with it", async () => {
  await using rig = await DaemonRig.start(MANAGED);
  await wants(rig, { body: { service: "web" } });
  await rig.api("POST", "/v1/links", { name: "own", target: "web" });
  const moved = await rig.reload(MANAGED.replace("web: { target: echo", 'web: { target: "localhost:9"'));
  assert.deepEqual(
    moved.json.plan.map(({ step, name }: { step: string; name: string }) => `${step} ${name}`),
    [
      "retune new",
    ],
  );
  assert.equal(rig.link("new").target, "http://localhost:9");
  await rig.restart();
  assert.equal(rig.link("new").target, "http://localhost:9");
  const { plan } =
    (await rig.reload(MANAGED.replace("web: { target: echo, remote: true }", "web: echo"))).json;
  assert.deepEqual(plan.map(({ step, name }: { step: string; name: string }) => `${step} ${name}`), [
    "close new",
  ]);
  assert.equal(rig.link("new"), undefined);
  assert.equal(rig.link("own").state, "active", "whoever sits here keeps what they made");
  await rig.restart();
  assert.equal(rig.link("new"), undefined);
});

Deno.test("a link for which the hub has no name is none: whoever asked hears why, and the daemon keeps nothing", async () => {
  await using rig = await DaemonRig.start(MANAGED);
  rig.hub.refusing.set("new", { code: "name_taken", message: "the name demo is taken" });
  const problem = await wants(rig, { body: { service: "web", subdomain: "demo" } });
  assert.equal(short(problem), "409 name_taken");
  assert.match(problem!.detail, /the name demo is taken/);
  assert.equal(rig.link("new"), undefined);
  await rig.restart();
  assert.equal(rig.link("new"), undefined);
});

for (const [what, later, state] of [["after", 1_000, "revoked"], ["before", -1_000, "active"]] as const) {
  Deno.test(`a renewal that a hub asked for, and that came late, stands as ${state} where the hub revoked ${what} it asked`, async () => {
    await using rig = await DaemonRig.start(`${MANAGED}links: { filed: { target: web } }`);
    const at = rig.clock.now();
    // The daemon was asleep meanwhile.
    await rig.pass(10_000);
    assert.equal(await wants(rig, { op: "renew", name: "filed", at }), null);
    const activatedAt = at - HOUR;
    rig.hub.pending.push({ name: "filed", id: rig.hub.id("filed"), at: at + later, activatedAt });
    const seen = rig.hub.declarations("filed").length;
    rig.hub.drop();
    await rig.pass(2_000);
    await rig.hub.until(() =>
      rig.hub.declarations("filed").slice(seen).some(({ state }) => state === "revoked")
    );
    await rig.restart();
    assert.equal(rig.link("filed").state, state);
  });
}

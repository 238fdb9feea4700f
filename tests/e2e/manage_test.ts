/** Links made at a hub, with hub and daemon as processes that are killed at will. */
import assert from "node:assert/strict";
import { type Answer, curl, eventually, type Process, Rig } from "./rig.ts";

const FILE = `remote: manage
services:
  web: { target: echo, remote: true }
  own: echo
links: { mine: { target: own } }
`;

// deno-lint-ignore no-explicit-any
type Json = any;

/** A hub and a daemon that lets it have links made, each with a state directory that outlives it. */
class World {
  hub!: Process;
  daemon!: Process;
  url = "";
  member = "";
  readonly #rig: Rig;

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  async startHub(): Promise<void> {
    const { folder } = this.#rig, state = `${folder}/hub`;
    const listen = this.url === "" ? "127.0.0.1:0" : new URL(this.url).host.replace("localhost", "127.0.0.1");
    this.hub = this.#rig.connectd(["hub", "--listen", listen, "--state", state, "--json"]);
    this.url = (await this.hub.ready<{ hub: string }>()).hub;
    if (this.member !== "") return;
    const token = async (scope: string) =>
      (await this.#rig.run(["token", "create", "--scope", scope, "--name", scope, "--state", state])).stdout
        .trim();
    this.#rig.file("token", await token("daemon"));
    this.member = await token("member");
    this.#rig.file("links.yaml", `version: 1\nhub: ${this.url}\ntoken_file: ./token\n${FILE}`);
  }

  async startDaemon(): Promise<void> {
    const { folder } = this.#rig;
    this.daemon = this.#rig.connectd([
      ...["run", "--config", `${folder}/links.yaml`, "--state", `${folder}/daemon`],
      ...["--control", "127.0.0.1:0", "--json"],
    ]);
    await this.daemon.ready();
  }

  async api(
    method: string,
    path: string,
    body?: unknown,
    fields: string[] = [],
  ): Promise<{ answer: Answer; json: Json }> {
    const answer = await curl(
      `${this.url}${path}`,
      ...["-X", method, "-H", `Authorization: Bearer ${this.member}`],
      ...fields.flatMap((field) => ["-H", field]),
      ...(body === undefined ? [] : ["-H", "Content-Type: application/json", "-d", JSON.stringify(body)]),
    );
    return { answer, json: JSON.parse(answer.body) };
  }

  /** The link in the hub's API once `is` says so. */
  async until(id: string, is: (link: Json) => boolean): Promise<Json> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const { json } = await this.api("GET", `/v1/links/${id}`);
      if (is(json)) return json;
      if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(json)}\n${this.daemon.stderr}`);
      await new Promise((again) => setTimeout(again, 50));
    }
  }

  async visit(id: string): Promise<number> {
    const { port } = new URL(this.url);
    return (await curl(`http://127.0.0.1:${port}/`, "-H", `Host: ${id}.localhost:${port}`)).status;
  }
}

Deno.test("a link made at the hub serves, and lives through kills of either side; its revocation too", async () => {
  await using rig = new Rig();
  const world = new World(rig);
  await world.startHub();
  await world.startDaemon();

  const fields = ["Idempotency-Key: a-key"];
  const made = await world.api("POST", "/v1/links", { service: "web", name: "demo", ttl: "1h" }, fields);
  assert.equal(made.answer.status, 201, made.answer.body);
  const { id } = made.json;
  assert.deepEqual([made.json.source, made.json.service, made.json.state], ["hub", "web", "active"]);
  assert.equal(await world.visit(id), 200);

  await world.daemon.kill("SIGKILL");
  await world.startDaemon();
  const again = await world.until(id, ({ state }) => state === "active");
  assert.deepEqual([again.expiresAt, again.source], [made.json.expiresAt, "hub"]);
  assert.equal(await world.visit(id), 200);

  await world.hub.kill("SIGKILL");
  await world.startHub();
  const kept = await world.api("POST", "/v1/links", { service: "web", name: "demo", ttl: "1h" }, fields);
  assert.equal(kept.json.id, id, "the key is known over the kill");
  await world.until(id, ({ state }) => state === "active");
  const { answer } = await world.api("GET", `/v1/links/${id}`);
  const edited = await world.api("PATCH", `/v1/links/${id}`, { methods: ["GET"] }, [
    `If-Match: ${/^etag: (.*)$/im.exec(answer.head)![1].trim()}`,
  ]);
  assert.deepEqual(edited.json.policy.methods, ["GET"], edited.answer.body);

  // It is stored before anybody is told: neither a hub nor a daemon that is killed right behind it forgets it.
  assert.equal((await world.api("DELETE", `/v1/links/${id}`)).json.state, "revoked");
  assert.equal(await world.visit(id), 410);
  await Promise.all([world.hub.kill("SIGKILL"), world.daemon.kill("SIGKILL")]);
  await world.startHub();
  assert.equal(await world.visit(id), 410);
  await world.startDaemon();
  await world.until(id, ({ state }) => state === "revoked");
  assert.equal(await world.visit(id), 410);

  const renewed = await rig.run([
    "renew",
    "demo",
    "2h",
    "--hub",
    world.url,
    "--token-file",
    rig.file("member", world.member),
  ]);
  assert.equal(renewed.code, 0, renewed.stderr);
  assert.match(renewed.stdout, /^renewed demo /);
  assert.equal(await world.visit(id), 200);
});

Deno.test("a daemon that is away learns of a revocation as it comes back, and of a link that is its own the hub makes nothing", async () => {
  await using rig = new Rig();
  const world = new World(rig);
  await world.startHub();
  await world.startDaemon();
  const { items } = (await world.api("GET", "/v1/links")).json;
  const [{ id }] = items;
  for (const [path, body] of [["/renew", { ttl: "1h" }]] as const) {
    assert.equal((await world.api("POST", `/v1/links/${id}${path}`, body)).json.code, "not_managed");
  }
  assert.equal((await world.api("POST", "/v1/links", { service: "own" })).json.code, "not_managed");
  await world.daemon.kill("SIGKILL");
  assert.equal((await world.api("POST", "/v1/links", { service: "web" })).json.code, "daemon_offline");
  assert.equal((await world.api("DELETE", `/v1/links/${id}`)).json.state, "revoked");
  await world.startDaemon();
  await world.daemon.until(() => world.daemon.stderr.includes("link revoked"));
  assert.equal(await world.visit(id), 410);
});

Deno.test("a create that a kill cut short is finished by the same call: one link, whichever side was killed", async () => {
  await using rig = new Rig();
  const world = new World(rig);
  await world.startHub();
  await world.startDaemon();
  const body = (name: string) => ({ service: "web", name, ttl: "1h" });
  const ask = (name: string) => world.api("POST", "/v1/links", body(name), [`Idempotency-Key: ${name}`]);
  for (const killed of ["hub", "both"]) {
    const first = ask(killed).catch(() => null);
    // The daemon has it: the hub may have answered, or have stored its answer, or neither.
    await world.daemon.until(() => world.daemon.stderr.includes(`+ ${killed}`));
    await world.hub.kill("SIGKILL");
    if (killed === "both") await world.daemon.kill("SIGKILL");
    const answered = await first;
    await world.startHub();
    if (killed === "both") await world.startDaemon();
    const again = await eventually(() => ask(killed), ({ answer }) => answer.status === 201);
    if (answered?.answer.status === 201) assert.equal(again.json.id, answered.json.id);
    const { items } = (await world.api("GET", "/v1/links")).json;
    const made = (items as Json[]).filter(({ source }) => source === "hub").map(({ name }) => name);
    assert.deepEqual(made.filter((name: string) => name === killed), [killed], killed);
    assert.equal(await world.visit(again.json.id), 200);
  }
});

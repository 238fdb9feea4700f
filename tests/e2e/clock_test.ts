/** The clock of a machine jumps by a day, ahead and back, under a hub and a daemon that run (libfaketime). */
import assert from "node:assert/strict";
import { ApiClient } from "../../src/cli/client.ts";
import { curl, eventually, type Process, Rig } from "./rig.ts";

/** Debian puts it below the machine's triplet. Null after a printed reason. */
function libfaketime(): string | null {
  for (const { name } of Deno.readDirSync("/usr/lib")) {
    const path = `/usr/lib/${name}/faketime/libfaketimeMT.so.1`;
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not in this folder.
    }
  }
  console.log("left out: libfaketime is not installed (Debian: apt-get install libfaketime)");
  return null;
}

/** A hub and a daemon whose wall clock is a test's; what only goes forward is the machine's. */
class World {
  hub!: Process;
  daemon!: Process;
  url = "";
  readonly hubState: string;
  readonly daemonState: string;
  readonly #env: Record<string, string>;
  #port = 0;

  constructor(readonly rig: Rig, library: string) {
    this.hubState = `${rig.folder}/hub`;
    this.daemonState = `${rig.folder}/daemon`;
    this.#env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: `${rig.folder}/clock`,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    this.set("+0");
  }

  /** How far the wall clock is off: `+1d`, `-1d`. Never half written: it is read all the time. */
  set(offset: string): void {
    Deno.renameSync(this.rig.file("clock.new", offset), `${this.rig.folder}/clock`);
  }

  async startHub(): Promise<void> {
    const args = ["hub", "--listen", `127.0.0.1:${this.#port}`, "--state", this.hubState, "--json"];
    this.hub = this.rig.connectd(args, this.#env);
    this.url = (await this.hub.ready<{ hub: string }>()).hub;
    this.#port = Number(new URL(this.url).port);
  }

  async startDaemon(): Promise<void> {
    const args = ["run", "--config", `${this.rig.folder}/links.yaml`, "--state", this.daemonState];
    this.daemon = this.rig.connectd([...args, "--control", "127.0.0.1:0", "--json"], this.#env);
    await this.daemon.ready();
  }

  api<T>(method: string, path: string, body?: unknown): Promise<T> {
    return new ApiClient({ socket: `${this.daemonState}/control.sock` }).call<T>(method, path, body);
  }

  async state(name: string): Promise<string> {
    return (await this.api<{ state: string }>("GET", `/v1/links/${name}`)).state;
  }

  /** The status that a visitor of the link with the subdomain `name` gets, or the code of connectd's own answer. */
  async visit(name: string, path = "/"): Promise<number | string> {
    const answer = await curl(
      `http://127.0.0.1:${this.#port}${path}`,
      ...["-H", `Host: ${name}.localhost:${this.#port}`, "-H", "Accept: application/json"],
    );
    return answer.status < 400 ? answer.status : JSON.parse(answer.body).code;
  }

  visits(names: readonly string[]): Promise<(number | string)[]> {
    return Promise.all(names.map((name) => this.visit(name)));
  }
}

const LINKS = ["hour", "forever", "gone", "daily"] as const;

Deno.test("a clock that jumps a day ends what is over, revives nothing, and moves no rate, timer or session", async () => {
  const library = libfaketime();
  if (library === null) return;
  await using rig = new Rig();
  const world = new World(rig, library);
  await world.startHub();
  const token = async (...args: string[]) =>
    (await rig.run(["token", "create", "--state", world.hubState, ...args])).stdout.trim();
  rig.file("token", await token("--scope", "daemon"));
  const fleeting = await token("--scope", "viewer", "--expires", "12h");
  const links = {
    hour: "ttl: 1h, drain: 1s",
    forever: "ttl: never",
    gone: "ttl: never",
    late: "ttl: never",
    daily: "ttl: never, rate: 2/d",
  };
  const entries = Object.entries(links).map(([name, keys]) =>
    `  ${name}: { target: echo, subdomain: ${name}, ${keys} }\n`
  );
  rig.file("links.yaml", `version: 1\nhub: ${world.url}\ntoken_file: ./token\nlinks:\n${entries.join("")}`);
  await world.startDaemon();
  const hubApi = async () =>
    (await curl(`${world.url}/v1/links`, "-H", `Authorization: Bearer ${fleeting}`)).status;
  assert.deepEqual(await world.visits(LINKS), [200, 200, 200, 200]);
  assert.deepEqual([await world.visit("daily"), await world.visit("daily")], [200, "rate_limited"]);
  assert.equal(await hubApi(), 200);

  // In flight on both when the clock jumps: one has its drain, the other its answer, when it is due and no sooner.
  const waits = "/?delay=2s", begun = performance.now();
  const cut = world.visit("hour", "/?delay=30m");
  const due = world.visit("forever", waits).then((status) => ({ status, took: performance.now() - begun }));
  await eventually(
    () => world.api<{ counters: { open: number } }>("GET", "/v1/links/forever"),
    ({ counters }) => counters.open === 1,
  );
  await eventually(
    () => world.api<{ counters: { open: number } }>("GET", "/v1/links/hour"),
    ({ counters }) => counters.open === 1,
  );
  world.set("+1d");
  assert.deepEqual(await world.visits(LINKS), ["link_expired", 200, 200, "rate_limited"]);
  await eventually(() => world.state("hour"), (state) => state === "expired");
  assert.equal(await cut, "link_expired");
  await eventually(hubApi, (status) => status === 401);
  await world.api("DELETE", "/v1/links/gone");
  await world.api("POST", "/v1/links/late/renew");

  world.set("-1d");
  const over = ["link_expired", 200, "link_revoked", "rate_limited"];
  assert.deepEqual(await world.visits(LINKS), over);
  // Renewed in a time that is still to come, and revoked nevertheless.
  await world.api("DELETE", "/v1/links/late");
  assert.equal(await world.visit("late"), "link_revoked");
  assert.equal(await hubApi(), 401);
  const { status, took } = await due;
  assert.equal(status, 200);
  assert.ok(took >= 2_000, `${took} ms`);
  // Neither jump cost a session.
  assert.equal(world.daemon.stderr.match(/connected to/g)?.length, 1, world.daemon.stderr);
  assert.doesNotMatch(world.daemon.stderr + world.hub.stderr, /no session|session closed/);

  // Nor does a start in the past revive anything; what rates have counted is written when a daemon ends.
  await world.daemon.kill("SIGTERM");
  await world.hub.kill("SIGKILL");
  await world.startHub();
  await world.startDaemon();
  assert.deepEqual(await world.visits(LINKS), over);
  assert.equal(await world.visit("late"), "link_revoked");
  assert.equal(await hubApi(), 401);
  await world.api("POST", "/v1/links/hour/renew");
  assert.equal(await world.visit("hour"), 200);
  for (const state of [world.daemonState, world.hubState]) {
    const { code, stdout, stderr } = await rig.run(["audit", "--verify", "--state", state]);
    assert.equal(code, 0, stdout + stderr);
  }
});

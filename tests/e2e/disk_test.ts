/** Disks that are full or can't be written to, under a hub and a daemon: small file systems in a namespace of their own. */
import assert from "node:assert/strict";
import { ApiClient, Refused } from "../../src/cli/client.ts";
import { curl, eventually, type Process, Rig, type Run } from "./rig.ts";

const root = new URL("../../", import.meta.url).pathname;

/** A folder on a small disk that nobody else sees, and that is gone with the process that holds it. */
class Disk {
  private constructor(private readonly rig: Rig, readonly folder: string, private readonly holder: Process) {}

  /** Null after a printed reason: this user may not mount. */
  static async make(rig: Rig, size: string): Promise<Disk | null> {
    const folder = `${rig.folder}/disk`;
    Deno.mkdirSync(folder);
    const mount = 'mount -t tmpfs -o "size=$1,mode=700" tmpfs "$2" && echo mounted && exec sleep infinity';
    const holder = rig.spawn("unshare", ["-m", "sh", "-c", mount, "sh", size, folder]);
    try {
      await holder.until(() => holder.stdout.includes("mounted"));
      return new Disk(rig, folder, holder);
    } catch {
      console.log(`left out: this user may not mount a small file system: ${holder.stderr.trim()}`);
      return null;
    }
  }

  spawn(command: string, ...args: string[]): Process {
    return this.rig.spawn("nsenter", ["-m", "-t", String(this.holder.pid), command, ...args]);
  }

  connectd(...args: string[]): Process {
    const grants = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-env"];
    return this.spawn(Deno.execPath(), "run", ...grants, `${root}mod.ts`, ...args);
  }

  async sh(script: string): Promise<string> {
    return (await this.spawn("sh", "-c", `cd "$0" && ${script}`, this.folder).ended()).stdout.trim();
  }

  /** Nothing more fits. */
  async fill(): Promise<void> {
    await this.sh("cat /dev/zero > ballast");
  }

  async room(): Promise<void> {
    await this.sh("rm ballast");
  }
}

/** What became of a call: `done`, or the status and what is said. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "done";
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return `${error.status} ${error.problem.detail}`;
  }
}

Deno.test("with a full disk links are served and ended, what can't be stored is refused, and nothing is lost", async () => {
  await using rig = new Rig();
  const disk = await Disk.make(rig, "4m");
  if (disk === null) return;
  const states = { hub: `${disk.folder}/hub`, daemon: `${disk.folder}/daemon` };
  let port = 0;
  const startHub = async () => {
    const hub = disk.connectd("hub", "--listen", `127.0.0.1:${port}`, "--state", states.hub, "--json");
    port = Number(new URL((await hub.ready<{ hub: string }>()).hub).port);
    return hub;
  };
  const token = (scope: string) =>
    disk.connectd("token", "create", "--scope", scope, "--state", states.hub).ended();
  let hub = await startHub();
  const [forDaemon, admin, viewer] = (await Promise.all(["daemon", "admin", "viewer"].map(token)))
    .map(({ stdout }) => stdout.trim());
  rig.file("token", forDaemon);
  const write = (links: string) =>
    rig.file(
      "links.yaml",
      `version: 1\nhub: http://localhost:${port}\ntoken_file: ./token\nlinks:\n${links}`,
    );
  const link = (name: string, keys = "ttl: never") =>
    `  ${name}: { target: echo, subdomain: ${name}, ${keys} }\n`;
  write(link("web") + link("gone") + link("brief", "ttl: 1h") + link("away"));
  let control!: ApiClient;
  const startDaemon = async () => {
    const args = ["run", "--config", `${rig.folder}/links.yaml`, "--state", states.daemon];
    const daemon = disk.connectd(...args, "--control", "127.0.0.1:0", "--json");
    const { control: address } = await daemon.ready<{ control: string }>();
    control = new ApiClient({
      origin: `http://${address}`,
      token: await disk.sh("cat daemon/control.token"),
    });
    return daemon;
  };
  let daemon = await startDaemon();
  const hubApi = new ApiClient({ origin: `http://127.0.0.1:${port}`, token: admin });
  const visit = async (name: string) => {
    const host = ["-H", `Host: ${name}.localhost:${port}`, "-H", "Accept: application/json"];
    const answer = await curl(`http://127.0.0.1:${port}/`, ...host);
    return answer.status === 200 ? 200 : JSON.parse(answer.body).code;
  };
  const visits = (...names: string[]) => Promise.all(names.map(visit));
  const names = async () => (await control.all<{ name: string }>("/v1/links")).map(({ name }) => name);
  assert.deepEqual(await visits("web", "gone", "brief", "away"), [200, 200, 200, 200]);

  await disk.fill();
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(await visits("web", "gone", "brief", "web"), [200, 200, 200, 200]);
  }
  const full = /^503 .*: the disk is full$/;
  // What ends access ends it, and says that a restart may not know.
  assert.match(await outcome(control.call("DELETE", "/v1/links/gone")), full);
  assert.equal(await visit("gone"), "link_revoked");
  write(link("web") + link("gone") + link("brief", "ttl: 1s"));
  assert.equal(await outcome(control.call("POST", "/v1/reload")), "done");
  await eventually(() => visits("brief", "away"), (seen) => seen.join() === "link_expired,link_removed");
  // What would give access does not.
  assert.match(await outcome(control.call("POST", "/v1/links/gone/renew", { ttl: "1h" })), full);
  assert.equal(await visit("gone"), "link_revoked");
  assert.match(await outcome(control.call("POST", "/v1/links", { name: "more", target: "echo" })), full);
  assert.deepEqual(await names(), ["brief", "gone", "web"]);
  const refused = /^503 .*(disk is full|can not store)/;
  const { items } = await hubApi.call<{ items: { id: string; scope: string }[] }>("GET", "/v1/tokens");
  const { id } = items.find(({ scope }) => scope === "viewer")!;
  assert.match(await outcome(hubApi.call("POST", "/v1/tokens", { scope: "viewer" })), refused);
  assert.match(await outcome(hubApi.call("DELETE", `/v1/tokens/${id}`)), refused);
  assert.match(await outcome(hubApi.call("DELETE", "/v1/links/web")), refused);
  const viewing = new ApiClient({ origin: `http://127.0.0.1:${port}`, token: viewer });
  assert.equal(await outcome(viewing.call("GET", "/v1/links")), "done");
  assert.equal((await hubApi.call<{ items: unknown[] }>("GET", "/v1/tokens")).items.length, items.length);
  assert.equal(await visit("web"), 200);

  await disk.room();
  assert.equal(await outcome(control.call("DELETE", "/v1/links/gone")), "done");
  assert.equal(await outcome(control.call("POST", "/v1/links", { name: "more", target: "echo" })), "done");
  assert.equal(await outcome(hubApi.call("DELETE", `/v1/tokens/${id}`)), "done");
  await Promise.all([daemon.kill("SIGKILL"), hub.kill("SIGKILL")]);
  hub = await startHub();
  daemon = await startDaemon();
  assert.deepEqual(
    await visits("web", "gone", "brief", "away"),
    [200, "link_revoked", "link_expired", "link_removed"],
  );
  assert.deepEqual(await names(), ["brief", "gone", "more", "web"]);
  assert.match(await outcome(viewing.call("GET", "/v1/links")), /^401 /);
});

const REFUSED = /^connectd: the (state directory|store) \S+ can not be used: [^\n]+\n {2}[^\n]+\n$/;

Deno.test("on a disk that is full or can't be written to, neither hub nor daemon starts: one sentence, what to do, exit 1", async () => {
  await using rig = new Rig();
  const disk = await Disk.make(rig, "1m");
  if (disk === null) return;
  const file = rig.file("links.yaml", "version: 1\nlinks: { hello: { target: echo } }\n");
  Deno.chmodSync(rig.folder, 0o755);
  const { folder } = disk;
  await disk.sh(
    "chmod 755 . && mkdir full read-only && mount --bind read-only read-only && mount -o remount,bind,ro read-only",
  );
  const daemon = (
    state: string,
  ) => ["run", "--config", file, "--state", state, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
  const hub = (state: string) => ["hub", "--listen", "127.0.0.1:0", "--state", state];
  await disk.fill();
  for (const args of [daemon, hub]) {
    const runs: Run[] = await Promise.all([
      disk.connectd(...args(`${folder}/full`)).ended(),
      disk.connectd(...args(`${folder}/read-only`)).ended(),
      disk.connectd(...args(`${folder}/read-only/none`)).ended(),
    ]);
    for (const [i, { code, stdout, stderr }] of runs.entries()) {
      assert.equal(code, 1, stderr);
      assert.match(stderr, REFUSED);
      assert.match(
        stderr,
        i === 0 ? /the disk is full\n {2}free some/ : /it can not be written\n {2}check who/,
      );
      assert.equal(stdout, "");
    }
  }
});

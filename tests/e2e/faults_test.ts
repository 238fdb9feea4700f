/** What a visitor and an owner see when a process is killed, frozen, restarted or asked to end. */
import assert from "node:assert/strict";
import { curl, eventually, type Process, Rig } from "./rig.ts";

/** A hub and a daemon of their own, joined over loopback, with one link to echo. */
async function pair(
  rig: Rig,
): Promise<
  { hub: Process; daemon: Process; url: string; startHub: () => Process; startDaemon: () => Process }
> {
  const state = `${rig.folder}/hub`;
  const hub = rig.connectd(["hub", "--listen", "127.0.0.1:0", "--state", state, "--json"]);
  const { hub: origin } = await hub.ready<{ hub: string }>();
  const made = await rig.run(["token", "create", "--scope", "daemon", "--state", state]);
  rig.file("token", made.stdout);
  const file = rig.file(
    "links.yaml",
    `version: 1\nhub: ${origin}\ntoken_file: ./token\nlinks:\n  echo:\n    target: echo\n`,
  );
  const startDaemon = () =>
    rig.connectd([
      ...["run", "--config", file, "--state", `${rig.folder}/daemon`, "--control", "127.0.0.1:0", "--json"],
    ]);
  const startHub = () =>
    rig.connectd(["hub", "--listen", `127.0.0.1:${new URL(origin).port}`, "--state", state, "--json"]);
  const daemon = startDaemon();
  const { links } = await daemon.ready<{ links: { url: string }[] }>();
  return { hub, daemon, url: links[0].url, startHub, startDaemon };
}

/** How a request that is under way ends: its status, or curl's complaint. Within `seconds`, or it is still open. */
function ending(url: string, seconds: number): Promise<string> {
  return curl(url, "-m", String(seconds)).then(
    ({ status }) => String(status),
    (error) => (error as Error).message,
  );
}

/** The request is with the target: it counts as open at the daemon. */
async function underWay(rig: Rig): Promise<void> {
  await eventually(
    async () => JSON.parse((await rig.run(["list", "--json", "--state", `${rig.folder}/daemon`])).stdout),
    ({ items }) => items[0].counters.open === 1,
  );
}

Deno.test("a visitor whose daemon or hub is killed is not left waiting", async () => {
  await using rig = new Rig();
  const { hub, daemon, url } = await pair(rig);
  const first = ending(`${url}/?delay=1m`, 6);
  await underWay(rig);
  await daemon.kill("SIGKILL");
  assert.equal(await first, "502");
  // Others wait for the daemon to come back, for as long as it may only be restarting.
  const { host, port } = new URL(url);
  const second = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await second.write(new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
  await hub.kill("SIGKILL");
  assert.equal(await second.read(new Uint8Array(1)).catch(() => null), null);
  second.close();
});

Deno.test("a visitor in the gap of a daemon's restart waits and is served, and the address stays", async () => {
  await using rig = new Rig();
  const { daemon, url, startDaemon } = await pair(rig);
  await daemon.kill("SIGTERM");
  const waiting = curl(`${url}/`, "-d", "kept meanwhile");
  startDaemon();
  const { status, body } = await waiting;
  assert.deepEqual([status, JSON.parse(body).body], [200, "kept meanwhile"]);
});

Deno.test("a restarted hub knows its links, and the daemon comes back by itself", async () => {
  await using rig = new Rig();
  const { hub, url, startHub } = await pair(rig);
  await hub.kill("SIGKILL");
  await startHub().ready();
  assert.equal((await curl(url)).status, 200);
});

for (const which of ["daemon", "hub"] as const) {
  Deno.test(`a ${which} that is asked to end finishes what is in flight, then exits 0`, async () => {
    await using rig = new Rig();
    const { [which]: process, url } = await pair(rig);
    const inFlight = ending(`${url}/?delay=2s`, 20);
    await underWay(rig);
    const ended = process.kill("SIGTERM");
    assert.equal(await inFlight, "200");
    assert.equal((await ended).code, 0);
  });
}

Deno.test("a second process on a copy of the state takes over, and the first one says so", async () => {
  await using rig = new Rig();
  const { daemon, url } = await pair(rig);
  const copy = `${rig.folder}/copy`;
  Deno.mkdirSync(copy);
  for (const name of ["state.db", "state.db-wal"]) {
    try {
      Deno.copyFileSync(`${rig.folder}/daemon/${name}`, `${copy}/${name}`);
    } catch {
      // It is written back into the database when nobody has it open.
    }
  }
  const second = rig.connectd([
    ...["run", "--config", `${rig.folder}/links.yaml`, "--state", copy, "--control", "127.0.0.1:0", "--json"],
  ]);
  await second.ready();
  await daemon.until(() => daemon.stderr.includes("another process uses this state"));
  assert.equal((await curl(url)).status, 200);
});

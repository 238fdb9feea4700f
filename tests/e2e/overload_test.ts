/** More visitors than there is room for: who is refused, with what, and who is served nevertheless. */
import assert from "node:assert/strict";
import { Crowd } from "./crowd.ts";
import { curl, eventually, type Process, Rig } from "./rig.ts";

/** File descriptors of a process that is to run out of them. */
const FEW = 256;

const HEALTH = ["/healthz", "/readyz"];

/** `links` of a daemon at a hub; either may have few descriptors. */
async function pair(rig: Rig, links: string, { few, limits }: { few?: "hub" | "daemon"; limits?: string }) {
  const state = `${rig.folder}/hub`;
  const config = rig.file("hub.yaml", `version: 1\n${limits ?? ""}`);
  const start = (role: "hub" | "daemon", args: string[]) =>
    few === role ? rig.connectdWithin(FEW, args) : rig.connectd(args);
  const hub = start("hub", [
    ...["hub", "--config", config, "--listen", "127.0.0.1:0", "--state", state, "--json"],
  ]);
  const { hub: url } = await hub.ready<{ hub: string }>();
  rig.file("token", (await rig.run(["token", "create", "--scope", "daemon", "--state", state])).stdout);
  const file = rig.file("links.yaml", `version: 1\nhub: ${url}\ntoken_file: ./token\nlinks:\n${links}`);
  const startDaemon = async () => {
    const daemon = start("daemon", [
      ...["run", "--config", file, "--state", `${rig.folder}/daemon`, "--control", "127.0.0.1:0", "--json"],
    ]);
    return { daemon, control: (await daemon.ready<{ control: string }>()).control };
  };
  return { hub, url, port: Number(new URL(url).port), startDaemon };
}

const ECHO = "  echo:\n    target: echo\n    subdomain: echo\n";
const GET = "GET / HTTP/1.1\r\nHost: echo.localhost\r\n\r\n";

/** What curl is told of a link at the hub on `port`, as `200` or `503 hub_busy`. */
async function visit(link: string, port: number): Promise<string> {
  const { status, body } = await curl(`http://127.0.0.1:${port}/`, "-H", `Host: ${link}.localhost`);
  const code = /"code": ?"([a-z_]+)"/.exec(body)?.[1];
  return status >= 400 ? `${status} ${code}` : String(status);
}

/** Share of one core that `process` uses within `ms`. */
async function busy(process: Process, ms: number): Promise<number> {
  const used = () => {
    const [user, system] = new TextDecoder().decode(
      new Deno.Command("cat", { args: [`/proc/${process.pid}/stat`] }).outputSync().stdout,
    ).split(") ")[1].split(" ").slice(11, 13);
    // In ticks of 10 ms.
    return (Number(user) + Number(system)) * 10;
  };
  const before = used();
  await new Promise((over) => setTimeout(over, ms));
  return (used() - before) / ms;
}

Deno.test("visitors who take every descriptor of a hub leave it its sessions, its API and themselves", async () => {
  await using rig = new Rig();
  const { hub, url, port, startDaemon } = await pair(rig, ECHO, { few: "hub" });
  const { daemon } = await startDaemon();
  await eventually(() => visit("echo", port), (answer) => answer === "200");
  using crowd = new Crowd(port);
  await crowd.grow(FEW + 50, GET);
  assert.deepEqual(new Set(crowd.answers.keys()), new Set(["200", "503 hub_busy"]));
  assert.ok(crowd.served.length > FEW / 2, `${crowd.served.length} are served`);
  // Others come and say nothing.
  await crowd.come(50);
  for (const path of HEALTH) assert.equal((await curl(`${url}${path}`)).status, 200);
  const sockets = ["--unix-socket", `${rig.folder}/hub/hub.sock`];
  assert.equal((await curl("http://localhost/v1/sessions", ...sockets)).status, 200);
  assert.equal(await visit("echo", port), "503 hub_busy");
  assert.ok(await busy(hub, 1_000) < 0.5);

  await daemon.kill("SIGKILL");
  await startDaemon();
  await crowd.askAgain(GET);
  assert.equal(await visit("echo", port), "503 hub_busy");
  crowd.leave();
  await eventually(() => visit("echo", port), (answer) => answer === "200");
  assert.match(hub.stderr, /file descriptors/);
});

Deno.test("visitors who take every descriptor of a daemon are told, and its owner is served", async () => {
  await using rig = new Rig();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  let holding = true;
  void (async () => {
    for await (const conn of listener) {
      if (holding) held.push(conn);
      else {await conn.write(new TextEncoder().encode("HTTP/1.1 204 No Content\r\n\r\n")).then(() =>
          conn.close()
        );}
    }
  })();
  const links = `${ECHO}  held:\n    target: 127.0.0.1:${listener.addr.port}\n    subdomain: held\n`;
  const { port, startDaemon } = await pair(rig, links, { few: "daemon" });
  const { daemon, control } = await startDaemon();
  await eventually(() => visit("echo", port), (answer) => answer === "200");
  using crowd = new Crowd(port);
  const HELD = "GET / HTTP/1.1\r\nHost: held.localhost\r\n\r\n";
  void crowd.grow(FEW + 50, HELD).catch(() => {});
  await eventually(() => Promise.resolve(crowd.answers.get("503 link_busy") ?? 0), (refused) => refused > 50);
  assert.deepEqual([...crowd.answers.keys()], ["503 link_busy"]);
  assert.equal(await visit("held", port), "503 link_busy");
  const token = Deno.readTextFileSync(`${rig.folder}/daemon/control.token`).trim();
  const bearer = ["-H", `Authorization: Bearer ${token}`];
  assert.equal((await curl(`http://${control}/v1/status`, ...bearer)).status, 200);
  const reload = await curl(`http://${control}/v1/reload`, "-X", "POST", ...bearer);
  assert.deepEqual([reload.status, JSON.parse(reload.body).applied], [200, true]);
  assert.equal(await visit("echo", port), "200");
  assert.match(daemon.stderr, /a target failed .*code=link_busy/);
  holding = false;
  crowd.leave();
  for (const conn of held) conn.close();
  await eventually(() => visit("held", port), (answer) => answer === "204");
});

Deno.test("visitors who take every descriptor of a daemon with a hub inside are refused, its owner is served", async () => {
  await using rig = new Rig();
  const file = rig.file("links.yaml", `version: 1\nlinks:\n${ECHO}`);
  const process = rig.connectdWithin(FEW, [
    ...["run", "--config", file, "--state", `${rig.folder}/daemon`, "--listen", "127.0.0.1:0"],
    ...["--control", "127.0.0.1:0", "--json"],
  ]);
  const { hub, control } = await process.ready<{ hub: string; control: string }>();
  const port = Number(new URL(hub).port);
  using crowd = new Crowd(port);
  await crowd.grow(FEW + 50, GET);
  assert.deepEqual(new Set(crowd.answers.keys()), new Set(["200", "503 hub_busy"]));
  assert.equal((await curl(`http://${control}/healthz`)).status, 200);
  await crowd.askAgain(GET);
  crowd.leave();
  await eventually(() => visit("echo", port), (answer) => answer === "200");
});

Deno.test("beyond its visitors' connections a hub has room for a daemon and its API", async () => {
  await using rig = new Rig();
  const limits = "limits: { connections: 4 }\n";
  const { url, port, startDaemon } = await pair(rig, ECHO, { limits });
  using crowd = new Crowd(port);
  crowd.served.push(...await crowd.come(4));
  await startDaemon();
  for (const path of HEALTH) assert.equal((await curl(`${url}${path}`)).status, 200);
  await crowd.askAgain(GET);
  assert.equal(await visit("echo", port), "503 hub_busy");
  crowd.leave();
  await eventually(() => visit("echo", port), (answer) => answer === "200");
});

/** hub.yaml while the hub runs: what changes, what waits for a restart, what a bad file does, and who is cut (nobody). */
import assert from "node:assert/strict";
import { systemClock, TestClock } from "../../src/clock.ts";
import { loadHubConfig } from "../../src/config/load.ts";
import type { Hub } from "../../src/hub/hub.ts";
import { Folder } from "../config/read.ts";
import { hubFile, settingsOf } from "./file_rig.ts";
import { nobodyListens } from "../e2e/rig.ts";
import { eventually, HubRig, link } from "./rig.ts";

/** A hub that follows a file. */
class FileRig implements AsyncDisposable {
  readonly folder = new Folder();
  rig!: HubRig;
  readonly lines: string[] = [];

  /** `watched`: what is saved is noticed; else only who asks makes it read the file. */
  static async start(yaml: string, watched = false): Promise<FileRig> {
    const it = new FileRig();
    const path = it.folder.file("hub.yaml", `version: 1\n${yaml}`);
    const file = await hubFile(path, it.lines, watched ? systemClock : new TestClock());
    const { config } = await loadHubConfig(path);
    it.rig = await HubRig.start({ ...settingsOf(config!), file });
    return it;
  }

  get hub(): Hub {
    return this.rig.hub;
  }

  write(yaml: string): void {
    this.folder.file("hub.yaml", yaml.includes("version") ? yaml : `version: 1\n${yaml}`);
  }

  /** Asks for a reload as `hub reload` does. */
  async reload(yaml: string) {
    this.write(yaml);
    const { status, json } = await this.rig.api("POST", "/v1/reload", undefined, undefined, this.hub.socket!);
    const changes = json.changes.map(({ key, from, to }: Record<string, string>) =>
      `${key}: ${from} → ${to}`
    );
    const problems = json.problems.map((
      { line, column, code, message }: Record<string, string>,
    ) => `${line}:${column} ${code}: ${message}`);
    assert.equal(json.applied, status === 200);
    return { status, changes, problems, json };
  }

  async status() {
    return (await this.rig.api("GET", "/v1/status", undefined, undefined, this.hub.socket!)).json;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** A connection that stays, and one request after another on it. */
async function keptVisitor(port: number, host: string) {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const buffer = new Uint8Array(65536);
  return {
    async visit(): Promise<string> {
      await socket.write(new TextEncoder().encode(`GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
      let text = "";
      while (!/\r\n\r\n[^]+/.test(text)) {
        const n = await socket.read(buffer);
        if (n === null) return `${text}(cut)`;
        text += new TextDecoder().decode(buffer.subarray(0, n));
      }
      return text.split("\r\n")[0];
    },
    close: () => socket.close(),
  };
}

Deno.test("a change of limits holds from the next request on, and cuts nobody", async () => {
  await using it = await FileRig.start("limits: { streams_per_session: 8, target: 300B }\n");
  const daemon = it.rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const { port } = it.hub.address;
  const kept = await keptVisitor(port, `${id}.localhost`);
  assert.equal(await kept.visit(), "HTTP/1.1 200 OK");
  const long = `GET /${"x".repeat(400)} HTTP/1.1`;
  assert.equal((await it.rig.visit(id, long)).status, 414);

  const { status, changes, problems } = await it.reload(
    "limits: { streams_per_session: 16, target: 1KiB, keep_alive: 5s, sessions: 1 }\nkeep: { audit: 1d }\n",
  );
  assert.deepEqual([status, problems], [200, []]);
  assert.deepEqual(changes, [
    "limits.sessions: 10000 → 1",
    "limits.streams_per_session: 8 → 16",
    "limits.target: 300B → 1KiB",
    "limits.keep_alive: 1m → 5s",
    "keep.audit: the default → 1d",
  ]);
  assert.equal((await it.rig.visit(id, long)).status, 200);
  assert.equal(await kept.visit(), "HTTP/1.1 200 OK");
  kept.close();
  const [record] =
    (await it.rig.api("GET", "/v1/audit?type=hub.reloaded", undefined, undefined, it.hub.socket!))
      .json.items;
  assert.match(record.data["limits.sessions"], /^10000 .* 1$/);
  // The session that is there stays; there is no room for another one.
  await assert.rejects(it.rig.dialled(await it.rig.token("daemon")), /503/);
  assert.deepEqual((await it.reload("limits: { sessions: 2 }\n")).status, 200);
  const second = await it.rig.dialled(await it.rig.token("daemon"), { daemon: "daemon-2" });
  assert.equal((await second.hello([])).limits.streams, 1024);
  assert.equal(daemon.ended, null);
});

Deno.test("proxies are believed, and not believed any more, from the next connection on", async () => {
  await using it = await FileRig.start("");
  const daemon = it.rig.attached();
  const seen: string[] = [];
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const from = async () => {
    await it.rig.visit(id, "GET / HTTP/1.1\r\nX-Forwarded-For: 203.0.113.9");
    seen.push(daemon.opened.at(-1)!.open.address);
  };
  await from();
  assert.deepEqual((await it.reload("trusted_proxies: [127.0.0.1]\n")).changes, [
    "trusted_proxies: none → 127.0.0.1",
  ]);
  await from();
  assert.deepEqual((await it.reload("")).changes, ["trusted_proxies: 127.0.0.1 → none"]);
  await from();
  assert.deepEqual(seen, ["127.0.0.1", "203.0.113.9", "127.0.0.1"]);
});

Deno.test("the hub listens where the file says, tells the URLs, and finishes what it was at", async () => {
  await using it = await FileRig.start("listen: 127.0.0.1:0\n");
  const daemon = it.rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const before = it.hub.address.port;
  // Another address of this machine: whatever port the kernel picks, nobody else has it.
  const { status, changes } = await it.reload("listen: 127.0.0.2:0\n");
  assert.deepEqual([status, changes], [200, ["listen: 127.0.0.1:0 → 127.0.0.2:0"]]);
  const { hostname, port } = it.hub.address;
  assert.equal(hostname, "127.0.0.2");
  const told = await daemon.until((message) =>
    message.type === "granted" && JSON.stringify(message.links).includes(`:${port}"`)
  );
  assert.equal(told.links[0].id, id);
  await nobodyListens({ hostname: "127.0.0.1", port: before });
  const socket = await Deno.connect({ hostname: "127.0.0.2", port });
  socket.close();

  // Taken by somebody else: a problem in its place, and everything is as it was, what else stands in the file too.
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${(taken.addr as Deno.NetAddr).port}`;
  const refused = await it.reload(`limits: { sessions: 5 }\nlisten: ${address}\n`);
  assert.equal(refused.status, 422);
  assert.deepEqual(refused.problems, [
    `3:9 bad_address: the hub can not listen on ${address}: it is in use`,
  ]);
  assert.deepEqual([it.hub.address.hostname, it.hub.address.port], [hostname, port]);
  assert.deepEqual((await it.reload("listen: 127.0.0.2:0\n")).changes, []);
});

Deno.test("what would change links' URLs waits until none runs; another store waits for a restart", async () => {
  await using it = await FileRig.start("domain: a.example\npublic_url: https://hub.example\n");
  const daemon = it.rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  for (
    const [yaml, problem] of [
      [
        "domain: b.example\npublic_url: https://hub.example\n",
        "2:9 conflict: 1 link runs, and would have another URL",
      ],
      [
        "domain: a.example\npublic_url: https://new.example\n",
        "3:13 conflict: 1 link runs, and would have another URL",
      ],
      ["public_url: https://hub.example\n", "1:1 conflict: domain: 1 link runs, and would have another URL"],
      [
        "domain: a.example\npublic_url: https://hub.example\nstore: sqlite:./other.db\n",
        "4:8 conflict: the store can not change while the hub runs",
      ],
    ]
  ) {
    const { status, problems, json } = await it.reload(yaml);
    assert.deepEqual([status, problems], [422, [problem]]);
    assert.match(json.problems[0].hint, /restart the hub/);
  }
  assert.equal(it.hub.domain, "a.example");
  await daemon.change([], [{ name: "web", id, reason: "removed" }]);
  daemon.leave();
  await daemon.end();
  const { changes } = await it.reload("domain: b.example\npublic_url: https://new.example\n");
  assert.deepEqual(changes, [
    "domain: a.example → b.example",
    "public_url: https://hub.example → https://new.example",
  ]);
  assert.deepEqual([it.hub.domain, it.hub.url], ["b.example", "https://new.example"]);
});

Deno.test("a bad file changes nothing, says so once, and shows in the status until a good one is there", async () => {
  await using it = await FileRig.start("limits: { sessions: 7 }\n");
  const { config: { hash } } = await it.status();
  const bad = "limits: { sesions: 8, head: 1B }\nlisten: here\n";
  const { status, problems, json } = await it.reload(bad);
  assert.equal(status, 422);
  assert.deepEqual(problems.map((text: string) => text.split(":").slice(0, 2).join(":")), [
    "2:11 unknown_key",
    "2:29 bad_value",
    "3:9 bad_address",
  ]);
  assert.equal(json.problems[0].hint, 'did you mean "sessions"?');
  await it.reload(bad);
  const told = () => it.lines.filter((line) => line.includes("the file was not taken")).length;
  assert.equal(told(), 1);
  const { config } = await it.status();
  assert.deepEqual([config.hash, config.problems.length], [hash, 3]);
  Deno.removeSync(`${it.folder.path}/hub.yaml`);
  const gone = await it.rig.api("POST", "/v1/reload", undefined, undefined, it.hub.socket!);
  assert.deepEqual([gone.status, gone.json.problems[0].code], [422, "missing"]);
  assert.deepEqual((await it.reload("limits: { sessions: 7 }\n")).changes, []);
  assert.deepEqual((await it.status()).config.problems, []);
});

Deno.test("a file that is saved is taken without being asked for, also by a rename and after a bad one", async () => {
  await using it = await FileRig.start("limits: { sessions: 7 }\n", true);
  const sawSessions = (n: number) =>
    eventually(
      () => it.lines.join("\n"),
      (text) => text.includes(`limits.sessions: `) && text.includes(`→ ${n}`),
    );
  it.write("limits: { sessions: 8 }\n");
  await sawSessions(8);
  it.write("limits: { sessions: eight }\n");
  await eventually(() => it.lines.join("\n"), (text) => text.includes("the file was not taken"));
  const aside = it.folder.file("aside", "version: 1\nlimits: { sessions: 9 }\n");
  Deno.renameSync(aside, `${it.folder.path}/hub.yaml`);
  await sawSessions(9);
});

Deno.test("who is no admin of the machine reloads nothing, and a hub without a file says that it has none", async () => {
  await using it = await FileRig.start("");
  for (const scope of ["admin", "daemon", "member", "viewer", "metrics"] as const) {
    const token = await it.rig.token(scope);
    for (const [method, path] of [["POST", "/v1/reload"], ["POST", "/v1/backup"], ["GET", "/v1/status"]]) {
      const { status, json } = await it.rig.api(method, path, token);
      assert.deepEqual([status, json.code], [403, "forbidden"], `${scope} ${path}`);
    }
  }
  await using bare = await HubRig.start();
  const { status, json } = await bare.api("POST", "/v1/reload", undefined, undefined, bare.hub.socket!);
  assert.deepEqual([status, json.code], [409, "no_file"]);
  const shown = await bare.api("GET", "/v1/status", undefined, undefined, bare.hub.socket!);
  assert.equal(shown.json.config, null);
});

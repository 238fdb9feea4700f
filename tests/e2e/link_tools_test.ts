/** What a link does besides its policy: changes fields, waits for its target, ends after so many requests. */
import assert from "node:assert/strict";
import { latin1 } from "../../src/core/latin1.ts";
import { startPair } from "./pair.ts";
import { curl, eventually, freePort, type Process, Rig } from "./rig.ts";
import { endingOf, Talk } from "./talk.ts";

/** A target by hand: tells each head and body, and answers as `answer` says. */
function target(rig: Rig, answer: (head: string, body: string) => Promise<string> | string): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = new Set<Talk>();
  rig.atEnd(() => {
    listener.close();
    for (const talk of conns) talk.close();
  });
  const serve = async (talk: Talk) => {
    for (let head; (head = await talk.head()) !== null;) {
      let body = "";
      const trailers = await talk.body(endingOf(head, 0), (bytes) => void (body += latin1(bytes)));
      const fields = [...head.fields].map(([name, value]) => `${name}: ${value}`).join("\n");
      await talk.write(await answer(`${head.first}\n${fields}\n${trailers}`, body));
    }
  };
  void (async () => {
    for await (const conn of listener) {
      const talk = new Talk(conn);
      conns.add(talk);
      serve(talk).catch(() => {}).finally(() => {
        talk.close();
        conns.delete(talk);
      });
    }
  })();
  return listener.addr.port;
}

/** The link called `demo`, as the control API shows it. */
async function demo({ control, token }: { control: string; token: string }) {
  const answer = await fetch(`${control}/v1/links/demo`, { headers: { Authorization: `Bearer ${token}` } });
  // deno-lint-ignore no-explicit-any
  return await answer.json() as any;
}

Deno.test("fields are changed on the way to the target and back, and their values stay unseen", async () => {
  await using rig = new Rig();
  const heads: string[] = [];
  const port = target(rig, (head) => {
    heads.push(head);
    return "HTTP/1.1 200 OK\r\nServer: secret-server/1\r\nX-Powered-By: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "2\r\nok\r\n0\r\nX-Powered-By: x\r\nX-Sum: 1\r\n\r\n";
  });
  const file = (key: string) =>
    `version: 1\nlinks:\n  demo:\n    target: 127.0.0.1:${port}\n    methods: [GET, POST]\n    headers:\n` +
    `      request: { set: { X-Key: ${key}, Authorization: Bearer ${key} }, remove: [Cookie, X-Trace] }\n` +
    `      response: { set: { X-Frame-Options: DENY }, remove: [Server, X-Powered-By] }\n`;
  const { ready, process, state, file: path } = await rig.daemon(file("s3cret-one"));
  const [{ url }] = ready.links;
  const answer = await curl(
    url,
    "-H",
    "Cookie: a=b",
    "-H",
    "X_Key: forged",
    "-H",
    "Authorization: Basic eDp5",
  );
  assert.match(answer.head, /^X-Frame-Options: DENY$/m);
  assert.doesNotMatch(answer.head, /server|powered/i);
  assert.match(heads[0], /^x-key: s3cret-one$/m);
  assert.match(heads[0], /^authorization: Bearer s3cret-one$/m);
  assert.doesNotMatch(heads[0], /cookie|forged|eDp5/i);

  using talk = await Talk.to(Number(new URL(url).port));
  await talk.write(
    `POST / HTTP/1.1\r\nHost: ${new URL(url).host}\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n` +
      "1\r\na\r\n0\r\nX-Trace: b\r\nX-Sum: c\r\n\r\n",
  );
  const head = (await talk.head())!;
  const trailers = await talk.body(endingOf(head, 0), () => {});
  assert.equal(trailers, "X-Sum: 1\r\n");
  assert.match(heads[1], /\nX-Sum: c\r\n$/);

  // Answers of connectd's own are not the target's.
  const own = await curl(url, "-X", "DELETE");
  assert.equal(own.status, 405);
  assert.doesNotMatch(own.head, /X-Frame-Options/);

  Deno.writeTextFileSync(path, file("s3cret-two"));
  let printed = "";
  const tell = async (...args: string[]) => {
    const run = await rig.run(args[0] === "check" ? args : [...args, "--state", state]);
    assert.equal(run.code, 0, run.stderr);
    printed += run.stdout + run.stderr;
  };
  await tell("reload");
  await Promise.all([tell("plan"), tell("status", "--json"), tell("list", "--json"), tell("check", path)]);
  await curl(url);
  assert.match(heads[2], /^x-key: s3cret-two$/m);
  // By a verb or by the watch, the change was taken and logged.
  const run = await process.kill();
  const said = printed + run.stdout + run.stderr;
  assert.match(said, /headers request set X-Key: \*\*\*, .* → request set X-Key: \*\*\*, .* \(others\)/);
  assert.doesNotMatch(said, /s3cret/);
});

/** A server that writes down what it is asked before it answers, and keeps no connection. */
const SERVER = `
const [port, notes] = Deno.args;
const file = Deno.openSync(notes, { append: true, create: true });
const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
console.log("listening");
for await (const conn of listener) {
  (async () => {
    const bytes = new Uint8Array(8192);
    const n = await conn.read(bytes);
    const [first] = new TextDecoder().decode(bytes.subarray(0, n ?? 0)).split("\\r\\n");
    file.writeSync(new TextEncoder().encode(first + "\\n"));
    await conn.write(new TextEncoder().encode("HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\n\\r\\n"));
    conn.close();
  })().catch(() => {});
}
`;

const VISITORS = 24, KILLS = 2;

Deno.test("a target that is killed and started again under load costs no request, and gets none twice", async () => {
  await using rig = new Rig();
  const port = freePort(), notes = `${rig.folder}/notes`;
  const script = rig.file("server.ts", SERVER);
  const start = async () => {
    const args = ["run", "--no-prompt", "--allow-net", "--allow-read", "--allow-write"];
    const server = rig.spawn(Deno.execPath(), [...args, script, String(port), notes]);
    await server.until(() => server.stdout.includes("listening"));
    return server;
  };
  let server: Process = await start();
  const pair = await startPair(rig, `  demo: { target: "127.0.0.1:${port}", subdomain: demo, hold: 30s }\n`);
  /** While it is shut nobody asks. */
  let gate: Promise<void> = Promise.resolve(), open = () => {};
  let asked = 0, answered = 0, stop = false;
  const failures: string[] = [];
  const visitor = async () => {
    using talk = await Talk.to(pair.port);
    for (;;) {
      await gate;
      if (stop) return;
      await talk.write(`POST /${asked++} HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 0\r\n\r\n`);
      const head = (await talk.head())!;
      await talk.body(endingOf(head, 0), () => {});
      answered++;
      if (!head.first.startsWith("HTTP/1.1 200")) failures.push(head.first);
    }
  };
  const visitors = Array.from({ length: VISITORS }, visitor);
  const until = (more: number) => eventually(() => Promise.resolve(answered), (n) => n >= more);
  for (let kill = 0; kill < KILLS; kill++) {
    await until(answered + 5 * VISITORS);
    gate = new Promise((opens) => open = opens);
    await eventually(() => Promise.resolve(asked - answered), (underWay) => underWay === 0);
    await server.kill("SIGKILL");
    open();
    await eventually(() => demo(pair), ({ counters }) => counters.open === VISITORS);
    server = await start();
  }
  await until(answered + VISITORS);
  stop = true;
  await Promise.all(visitors);
  assert.deepEqual(failures, []);
  const lines = Deno.readTextFileSync(notes).trimEnd().split("\n");
  assert.equal(lines.length, asked);
  assert.equal(new Set(lines).size, asked);
});

const USES = 120;

Deno.test("of many visitors by two hubs as many as there are uses reach the target, over a kill of the daemon", async () => {
  await using rig = new Rig();
  let came = 0;
  const port = target(rig, () => {
    came++;
    return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  });
  const hubs = await Promise.all(["a", "b"].map(async (name) => {
    const state = `${rig.folder}/hub-${name}`;
    const hub = rig.connectd(["hub", "--listen", "127.0.0.1:0", "--state", state, "--json"]);
    const { hub: url } = await hub.ready<{ hub: string }>();
    const made = await rig.run(["token", "create", "--scope", "daemon", "--state", state]);
    return { url, token_file: rig.file(`token-${name}`, made.stdout), port: Number(new URL(url).port) };
  }));
  const hub = hubs.map(({ url, token_file }) => ({ url, token_file }));
  const link = { target: `127.0.0.1:${port}`, subdomain: "demo", max_uses: USES };
  const file = rig.file("links.yaml", JSON.stringify({ version: 1, hub, links: { demo: link } }));
  const start = async () => {
    const daemon = rig.connectd([
      ...["run", "--config", file, "--state", `${rig.folder}/daemon`, "--control", "127.0.0.1:0", "--json"],
    ]);
    const { control } = await daemon.ready<{ control: string }>();
    const token = Deno.readTextFileSync(`${rig.folder}/daemon/control.token`).trim();
    return { daemon, api: { control: `http://${control}`, token } };
  };
  const before = await start();
  const outcomes = new Map<string, number>();
  const ended = Promise.withResolvers<void>();
  let over = false;
  const visitor = async (port: number) => {
    while (!over) {
      using talk = await Talk.to(port);
      await talk.write("GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n");
      const head = await talk.head().catch(() => null);
      const status = head?.first.split(" ")[1] ?? "cut";
      outcomes.set(status, (outcomes.get(status) ?? 0) + 1);
      if (status === "410") ended.resolve();
    }
  };
  const crowd = hubs.flatMap(({ port }) => Array.from({ length: 10 }, () => visitor(port)));
  await eventually(() => Promise.resolve(came), (n) => n >= USES / 3);
  await before.daemon.kill("SIGKILL");
  const killedAt = came;
  assert.ok(killedAt < USES, `${killedAt} came before the kill`);
  const { api } = await start();
  // A use that was stored for a request which then was not sent is lost; none is given back.
  assert.ok((await demo(api)).uses.left <= USES - killedAt);
  await ended.promise;
  await eventually(() => demo(api), ({ state, counters }) => state === "expired" && counters.open === 0);
  over = true;
  await Promise.all(crowd);
  assert.deepEqual((await demo(api)).uses, { max: USES, left: 0 });
  assert.ok(came <= USES && came >= USES - crowd.length, `${came} requests came for ${USES} uses`);
  assert.ok((outcomes.get("200") ?? 0) <= came);
});

Deno.test("a link for one use serves it whole, and then its process exits 0", async () => {
  await using rig = new Rig();
  const port = target(rig, () => `HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${"x".repeat(100_000)}`);
  const link = rig.connectd(["link", `127.0.0.1:${port}`, "--max-uses", "1"]);
  const url = await link.until(() => /http:\S+/.exec(link.stdout)?.[0]);
  await link.until(() => /policy +max_uses 1/.test(link.stdout));
  const { status, body } = await curl(url);
  assert.deepEqual([status, body.length], [200, 100_000]);
  assert.equal((await link.ended()).code, 0);
  const none = await rig.run(["link", `127.0.0.1:${port}`, "--max-uses", "0"]);
  assert.deepEqual([none.code, /"0" is no number of requests/.test(none.stderr)], [2, true]);
});

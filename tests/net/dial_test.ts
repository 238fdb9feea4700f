import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/clock.ts";
import type { TargetTls } from "../../src/core/entry.ts";
import type { Target } from "../../src/core/target.ts";
import { dial } from "../../src/net/dial.ts";
import { TargetPool } from "../../src/net/pool.ts";
import type { Socket } from "../../src/net/socket.ts";
import { answering, Heard, type Script, TargetRig } from "./target_rig.ts";

const file = (name: string) => fileURLToPath(new URL(`tls/${name}`, import.meta.url));
const read = (name: string) => Deno.readTextFileSync(file(name));

const CA = file("ca.pem");
const NEVER = new AbortController().signal;

/** A target whose certificate is for `api.internal` and 127.0.0.1, signed by CA. */
function tlsRig(script: Script): TargetRig {
  const listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: read("server.pem"),
    key: read("server_key.pem"),
  });
  return new TargetRig(script, { listener });
}

const to = ({ port }: TargetRig, host = "127.0.0.1"): Target => ({ kind: "https", host, port });

const tls = (other: Partial<TargetTls>): TargetTls => ({
  caFile: null,
  serverName: null,
  insecure: false,
  ...other,
});

/** What a pool makes of a request to `target`. */
async function ask(target: Target, tls: TargetTls | null = null): Promise<Heard> {
  const pool = new TargetPool(target, { tls, clock: systemClock });
  const heard = Heard.ask(pool, "GET /");
  await heard.over;
  pool.close();
  return heard;
}

async function readAll(socket: Socket): Promise<number> {
  const buffer = new Uint8Array(16 * 1024);
  let octets = 0;
  for (let n; (n = await socket.read(buffer)) !== null;) octets += n;
  return octets;
}

Deno.test("a target is reached by either address family, and localhost by the one that listens", async () => {
  const cases: [listens: string, hosts: string[]][] = [
    ["127.0.0.1", ["127.0.0.1", "localhost"]],
    ["::1", ["::1", "localhost"]],
  ];
  for (const [hostname, hosts] of cases) {
    await using rig = new TargetRig(answering("ok"), { listener: Deno.listen({ hostname, port: 0 }) });
    for (const host of hosts) {
      assert.equal((await ask({ kind: "http", host, port: rig.port })).text, "ok", `${host} at ${hostname}`);
    }
  }
});

Deno.test("a target is reached by a unix socket, and one that is not there is refused", async () => {
  const dir = await Deno.makeTempDir();
  {
    const path = `${dir}/app.sock`;
    await using _ = new TargetRig(answering("ok"), { listener: Deno.listen({ transport: "unix", path }) });
    assert.equal((await ask({ kind: "unix", path })).text, "ok");
    assert.equal((await ask({ kind: "unix", path: `${dir}/no.sock` })).code, "target_refused");
  }
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a connection that is made as its caller gives up is the caller's alone", async () => {
  const dir = await Deno.makeTempDir(), path = `${dir}/app.sock`;
  const abort = new AbortController(), real = Deno.connect;
  {
    await using _ = new TargetRig(answering("ok"), { listener: Deno.listen({ transport: "unix", path }) });
    const made = Deno.connect({ transport: "unix", path });
    Deno.connect = (() => made) as unknown as typeof real;
    const dialled = dial({ kind: "unix", path }, null, abort.signal);
    Deno.connect = real;
    // Between the runtime's promise and the caller's lie others: it gives up when the first one is kept.
    made.then(() => abort.abort());
    // Throws where it was closed before.
    (await dialled).close();
  }
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a certificate is verified: by the default roots, by those of a file, or not at all", async () => {
  await using rig = tlsRig(answering("ok"));
  const cases: [what: string, tls: TargetTls | null, host: string, reached: boolean][] = [
    ["an authority that nobody knows", null, "127.0.0.1", false],
    ["the file's", tls({ caFile: CA }), "127.0.0.1", true],
    ["the file's, by name", tls({ caFile: CA, serverName: "api.internal" }), "127.0.0.1", true],
    ["another file's", tls({ caFile: file("other_ca.pem") }), "127.0.0.1", false],
    ["the wrong name", tls({ caFile: CA, serverName: "other.internal" }), "127.0.0.1", false],
    ["the wrong address", tls({ caFile: CA, serverName: "127.0.0.2" }), "127.0.0.1", false],
    ["the right address, said", tls({ caFile: CA, serverName: "127.0.0.1" }), "localhost", true],
    ["a name that the certificate lacks", tls({ caFile: CA }), "localhost", false],
    ["no file", tls({ caFile: file("no.pem") }), "127.0.0.1", false],
    ["a file without a certificate", tls({ caFile: file("server_key.pem") }), "127.0.0.1", false],
    ["insecure", tls({ insecure: true }), "127.0.0.1", true],
    ["insecure, whatever the name", tls({ insecure: true, serverName: "other.internal" }), "127.0.0.1", true],
  ];
  for (const [what, options, host, reached] of cases) {
    const heard = await ask(to(rig, host), options);
    assert.deepEqual([heard.text, heard.code], reached ? ["ok", null] : ["", "target_refused"], what);
  }
});

Deno.test("a file's certificates are trusted instead of the default ones, not besides", async () => {
  await using rig = tlsRig(answering("ok"));
  // `--cert` puts the authority among the default roots of a process.
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--allow-net",
      "--allow-read",
      "--allow-env",
      `--cert=${CA}`,
      fileURLToPath(new URL("dial_trusting.ts", import.meta.url)),
      String(rig.port),
      file("other_ca.pem"),
    ],
  }).output();
  const said = new TextDecoder().decode(stdout);
  assert.deepEqual(
    said.split("\n").slice(0, 2),
    ["default: connected", "other file: refused"],
    new TextDecoder().decode(stderr),
  );
});

Deno.test("one connection after another by TLS carries requests, and is kept", async () => {
  await using rig = tlsRig(answering("ok"));
  for (const options of [tls({ caFile: CA }), tls({ insecure: true })]) {
    const before = rig.connections;
    const pool = new TargetPool(to(rig), { tls: options, clock: systemClock });
    for (let i = 0; i < 3; i++) {
      const heard = Heard.ask(pool, "POST /");
      await heard.over;
      assert.equal(heard.text, "ok");
    }
    assert.equal(rig.connections, before + 1);
    pool.close();
  }
});

Deno.test("each direction of TLS ends for itself, after its last octet", async () => {
  const got = Promise.withResolvers<number>();
  await using rig = tlsRig(async (peer) => {
    got.resolve((await peer.readAll()).length);
    await peer.write(new Uint8Array(3_000_000));
  });
  const socket = await dial(to(rig), tls({ insecure: true }), NEVER);
  const bytes = new Uint8Array(1_000_000);
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
  await socket.closeWrite();
  assert.equal(await got.promise, 1_000_000);
  assert.equal(await readAll(socket), 3_000_000);
  socket.close();
});

Deno.test("a target that has ended its direction of TLS still hears what it is sent", async () => {
  const got = Promise.withResolvers<string>();
  await using rig = tlsRig(async (peer) => {
    await peer.conn.closeWrite();
    got.resolve(await peer.readAll());
  });
  const socket = await dial(to(rig), tls({ insecure: true }), NEVER);
  assert.equal(await readAll(socket), 0);
  await socket.write(new TextEncoder().encode("still here"));
  await socket.closeWrite();
  assert.equal(await got.promise, "still here");
  socket.close();
});

Deno.test("whoever does not read holds the other end of TLS up", async () => {
  const MiB = 1024 * 1024;
  let written = 0;
  await using rig = tlsRig(async (peer) => {
    const piece = new Uint8Array(64 * 1024);
    const write = () => peer.write(piece).then(() => true, () => false);
    while (written < 64 * MiB && await write()) written += piece.length;
  });
  const socket = await dial(to(rig), tls({ insecure: true }), NEVER);
  assert.equal(await socket.read(new Uint8Array(1)), 1);
  for (let before = -1; before !== written;) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(written < 32 * MiB, `${written} octets were taken`);
  // The target takes nothing either: a write must wait for it.
  let sent = 0;
  const sending = (async () => {
    for (const piece = new Uint8Array(64 * 1024); sent < 64 * MiB;) sent += await socket.write(piece);
  })().catch(() => {});
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(sent < 32 * MiB, `${sent} octets were taken`);
  socket.close();
  await sending;
  await assert.rejects(socket.read(new Uint8Array(1)));
  await assert.rejects(socket.write(new Uint8Array(1)));
});

Deno.test("a target that says nothing to a greeting is given up", async () => {
  for (const options of [null, tls({ insecure: true })]) {
    const greeted = Promise.withResolvers<void>();
    await using rig = new TargetRig(async (peer) => {
      await peer.read(1);
      greeted.resolve();
      await peer.readAll();
    });
    const limit = new AbortController();
    const dialling = dial(to(rig), options, limit.signal);
    dialling.catch(() => {});
    await greeted.promise;
    limit.abort(new Error("too late"));
    await assert.rejects(dialling);
    await assert.rejects(dial(to(rig), options, limit.signal), /too late/);
  }
});

Deno.test("a target that goes on saying nothing to greetings costs no socket for each", async () => {
  let greeted = Promise.withResolvers<void>(), left = Promise.withResolvers<void>();
  await using rig = new TargetRig(async (peer) => {
    const told = left;
    await peer.read(1);
    greeted.resolve();
    await peer.readAll();
    told.resolve();
  });
  const giveUp = async () => {
    greeted = Promise.withResolvers();
    left = Promise.withResolvers();
    const limit = new AbortController();
    const dialling = dial(to(rig), null, limit.signal);
    dialling.catch(() => {});
    await greeted.promise;
    limit.abort(new Error("too late"));
    await assert.rejects(dialling);
  };
  await giveUp();
  for (let i = 0; i < 3; i++) {
    await giveUp();
    await left.promise;
  }
});

Deno.test("a target that ends its connection in the handshake is refused at once", async () => {
  await using rig = new TargetRig(async (peer) => void await peer.read(1));
  for (const options of [null, tls({ insecure: true }), tls({ caFile: CA })]) {
    assert.equal((await ask(to(rig), options)).code, "target_refused");
  }
});

Deno.test("TLS that is cut off within a body is no clean end", async () => {
  await using rig = tlsRig(async (peer) => {
    await peer.readHead();
    await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf");
  });
  const heard = await ask(to(rig), tls({ caFile: CA }));
  assert.deepEqual([heard.text, heard.code], ["half", "target_closed"]);
});

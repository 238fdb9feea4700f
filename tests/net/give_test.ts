/** Octets that are given to a connection, not copied: over every kind of socket the buffer comes back when it may, and no sooner. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Conn, type ConnHandler } from "../../src/net/conn.ts";
import { serverIdentity } from "../../src/net/server_identity.ts";
import { type Socket, socketPair } from "../../src/net/socket.ts";
import { acceptTls } from "../../src/net/tls_server.ts";
import { encryptBy } from "../../src/net/tls_socket.ts";
import { Random } from "../pure/random.ts";

const file = (name: string) => {
  const path = fileURLToPath(new URL(name, import.meta.url));
  return { path, text: Deno.readTextFileSync(path) };
};
const CA = file("tls/ca.pem").text;
const identity = await serverIdentity(file("tls/server.pem"), file("tls/server_key.pem"));

async function tcpPair(): Promise<[near: Deno.TcpConn, far: Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  return await Promise.all([Deno.connect({ hostname: "127.0.0.1", port }), listener.accept()]);
}

const CLIENT = { name: "api.internal", ca: CA, insecure: false };

/** The end that is given octets, and the one that reads them. */
const PAIRS: Readonly<Record<string, () => Promise<[near: Socket, far: Socket]>>> = {
  "a connection within the process": () => Promise.resolve(socketPair(10_000)),
  TCP: tcpPair,
  "TLS, from a visitor's side": async () => {
    const [near, far] = await tcpPair();
    const accepted = acceptTls(far, identity);
    return [await encryptBy(near, CLIENT, AbortSignal.timeout(20_000)), accepted];
  },
  "TLS, from the hub's side": async () => {
    const [near, far] = await tcpPair();
    const accepted = acceptTls(near, identity);
    return [accepted, await encryptBy(far, CLIENT, AbortSignal.timeout(20_000))];
  },
  "the runtime's TLS": async () => {
    const [near, far] = await tcpPair();
    const accepted = acceptTls(far, identity);
    const secure = await Deno.startTls(near, { hostname: "api.internal", caCerts: [CA] });
    return [secure, accepted];
  },
};

const QUIET: ConnHandler = { data: (bytes) => bytes.length, end() {}, failed() {}, flushed() {} };

for (const [kind, pair] of Object.entries(PAIRS)) {
  Deno.test(`what is given and what is written arrive in order, whatever becomes of the buffers afterwards: ${kind}`, async () => {
    const random = new Random(7), [near, far] = await pair();
    const conn = new Conn(near);
    conn.handler = QUIET;
    conn.start();
    const sent: number[] = [];
    let out = 0;
    for (let i = 0; i < 60; i++) {
      const length = 1 + random.below(i % 3 === 0 ? 200_000 : 3_000);
      const bytes = Uint8Array.from({ length }, () => random.below(256));
      for (const octet of bytes) sent.push(octet);
      if (i % 3 === 2) conn.write(bytes);
      else {
        out++;
        // Whoever has the buffer next writes to it at once.
        conn.give(bytes, 0, length, () => {
          out--;
          bytes.fill(0xee);
        });
      }
    }
    conn.end();
    const got: number[] = [], buffer = new Uint8Array(50_000);
    for (;;) {
      const n = await far.read(buffer);
      if (n === null) break;
      for (const octet of buffer.subarray(0, n)) got.push(octet);
      if (random.below(8) === 0) await new Promise((turn) => setTimeout(turn));
    }
    assert.equal(got.length, sent.length);
    assert.equal(got.findIndex((octet, i) => octet !== sent[i]), -1);
    assert.equal(out, 0);
    conn.destroy();
    far.close();
  });

  Deno.test(`a connection that is destroyed while it is given octets keeps the buffer that is under way: ${kind}`, async () => {
    const [near, far] = await pair();
    const conn = new Conn(near);
    conn.handler = QUIET;
    conn.start();
    const size = 256 * 1024, out: number[] = [];
    for (let i = 0; i < 64; i++) conn.give(new Uint8Array(size).fill(i), 0, size, () => out.push(i));
    const buffer = new Uint8Array(size);
    // Until it is in the midst of one: nobody reads what the rest of them hold.
    for (let got = 0; got < 3 * size;) got += (await far.read(buffer))!;
    assert.ok(conn.writing);
    const before = out.length;
    conn.destroy();
    await new Promise((turn) => setTimeout(turn, 20));
    for (; await far.read(buffer).catch(() => null) !== null;);
    assert.deepEqual(out, Array.from({ length: before }, (_, i) => i));
    conn.give(new Uint8Array(size), 0, size, () => out.push(-1));
    assert.equal(out.at(-1), -1, "what it takes no more is given back");
    far.close();
  });
}

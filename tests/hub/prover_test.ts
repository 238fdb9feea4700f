/** Name servers and web servers, real ones on this machine, as those are asked who prove a domain. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { proverBy } from "../../src/hub/prover.ts";

const NO_SUCH_NAME = 3;

/** Zones of a name server: name → the pieces of each record, or how it refuses. */
type Zone = Readonly<Record<string, readonly (readonly string[])[] | number>>;

/** A name server on UDP (RFC 1035 §4) that knows TXT records and nothing else. */
async function nameServer(zone: Zone) {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    let at = 12, name = "";
    while (query[at] > 0) {
      name += `${query.subarray(at + 1, at + 1 + query[at]).toString("latin1")}.`;
      at += query[at] + 1;
    }
    const question = query.subarray(12, at + 5),
      found = zone[name.toLowerCase().slice(0, -1)] ?? NO_SUCH_NAME;
    const records = typeof found === "number" ? [] : found;
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8580 | (typeof found === "number" ? found : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    const answers = records.map((pieces) => {
      const data = Buffer.concat(
        pieces.map((piece) => Buffer.from([piece.length, ...Buffer.from(piece, "latin1")])),
      );
      // The name is that of the question; TXT, IN, a TTL of 0.
      return Buffer.concat([
        Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, data.length >> 8, data.length & 255]),
        data,
      ]);
    });
    socket.send(Buffer.concat([head, question, ...answers]), from.port, from.address);
  });
  await new Promise<void>((bound) => socket.bind(0, "127.0.0.1", bound));
  return {
    prover: proverBy({ ipAddr: "127.0.0.1", port: socket.address().port }),
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => void socket.close(() => closed())),
  };
}

Deno.test("a name server's records are read whole, and none are told from a server that says nothing", async () => {
  await using server = await nameServer({
    "_connectd.api.example.com": [["abc"], ["in ", "two pieces"]],
    "_connectd.empty.example.com": [],
  });
  const rows: [name: string, records: readonly string[]][] = [
    ["api.example.com", ["abc", "in two pieces"]],
    ["empty.example.com", []],
    ["absent.example.com", []],
  ];
  for (const [name, records] of rows) {
    assert.deepEqual(await server.prover.txt(`_connectd.${name}`), records, name);
  }
  const silent = createSocket("udp4");
  await new Promise<void>((bound) => silent.bind(0, "127.0.0.1", bound));
  const { port } = silent.address();
  assert.equal(await proverBy({ ipAddr: "127.0.0.1", port }, 100).txt("_connectd.api.example.com"), null);
  silent.close();
});

Deno.test("a web server's word is the beginning of what it answers with 200, and no redirection", async () => {
  const answers: Readonly<Record<string, string>> = {
    "/ok": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntoken",
    "/endless": `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(1_000_000)}`,
    "/else": "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\ntoken",
    "/away": "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n",
    "/nonsense": "SSH-2.0-OpenSSH\r\n",
  };
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    for await (const conn of listener) {
      const buffer = new Uint8Array(4096);
      const asked = new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
      let rest = new TextEncoder().encode(answers[asked.split(" ")[1]]);
      try {
        while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
      } catch {
        // Enough was read.
      }
      conn.close();
    }
  })();
  const prover = proverBy(), domain = `127.0.0.1:${listener.addr.port}`;
  assert.equal(await prover.http(domain, "/ok"), "token");
  const endless = await prover.http(domain, "/endless");
  assert.ok(endless!.length >= 1024 && endless!.length < 900_000);
  for (const path of ["/else", "/away", "/nonsense"]) {
    assert.equal(await prover.http(domain, path), null, path);
  }
  listener.close();
  await served.catch(() => {});
  assert.equal(await prover.http(domain, "/ok"), null);
});

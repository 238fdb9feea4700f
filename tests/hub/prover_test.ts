/** Name servers and web servers, real ones on this machine, as those are asked who prove a domain. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { type Prover, proverBy } from "../../src/hub/prover.ts";
import { NameServer } from "./name_server.ts";

const API = "api.example.com";

/** A web server that answers by path, and keeps the heads that it got. */
class Web implements AsyncDisposable {
  readonly heads: string[] = [];
  readonly #served: Promise<void>;

  private constructor(
    readonly listener: Deno.TcpListener,
    readonly answers: Readonly<Record<string, string>>,
  ) {
    this.#served = this.#serve().catch(() => {});
  }

  static at(hostname: string, answers: Readonly<Record<string, string>>, port = 0): Web {
    return new Web(Deno.listen({ hostname, port }), answers);
  }

  get port(): number {
    return (this.listener.addr as Deno.NetAddr).port;
  }

  async #serve(): Promise<void> {
    for await (const conn of this.listener) {
      const buffer = new Uint8Array(4096);
      const head = new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
      this.heads.push(head);
      let rest = new TextEncoder().encode(this.answers[head.split(" ")[1]] ?? "");
      try {
        while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
      } catch {
        // Enough was read.
      }
      conn.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    await this.#served;
  }
}

const TOKEN = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntoken";

function proverOf(server: NameServer, port: number, home = "localhost", patienceMs = 5_000): Prover {
  return proverBy({ home: () => home, nameServer: server.address, port, patienceMs });
}

Deno.test("a name server's records are read whole, and none are told from a server that says nothing", async () => {
  await using server = await NameServer.start({
    [`_connectd.${API}`]: { txt: [["abc"], ["in ", "two pieces"]] },
    "_connectd.empty.example.com": {},
  });
  const rows: [name: string, records: readonly string[]][] = [
    [API, ["abc", "in two pieces"]],
    ["empty.example.com", []],
    ["absent.example.com", []],
  ];
  for (const [name, records] of rows) {
    assert.deepEqual(await proverOf(server, 80).txt(`_connectd.${name}`), records, name);
  }
  const silent = createSocket("udp4");
  await new Promise<void>((bound) => silent.bind(0, "127.0.0.1", bound));
  const { port } = silent.address();
  const deaf = proverBy({ home: () => "", nameServer: { ipAddr: "127.0.0.1", port }, patienceMs: 100 });
  assert.equal(await deaf.txt(`_connectd.${API}`), null);
  assert.equal(await deaf.http(API, "/ok"), null);
  silent.close();
});

Deno.test("a web server's word is the beginning of what it answers with 200, and no redirection", async () => {
  await using web = Web.at("127.0.0.1", {
    "/ok": TOKEN,
    "/chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntoken\r\n0\r\n\r\n",
    "/endless": `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(10_000_000)}`,
    "/head": `HTTP/1.1 200 OK\r\n${"X-A: b\r\n".repeat(1_000_000)}`,
    "/else": "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\ntoken",
    "/away": "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n",
    "/nonsense": "SSH-2.0-OpenSSH\r\n",
    "/nothing": "",
  });
  await using server = await NameServer.start({ [API]: { a: ["127.0.0.1"] } });
  const prover = proverOf(server, web.port);
  assert.equal(await prover.http(API, "/ok"), "token");
  assert.match(web.heads[0], /^GET \/ok HTTP\/1\.1\r\nHost: api\.example\.com\r\n/);
  assert.equal(await prover.http(API, "/chunked"), "token");
  const endless = await prover.http(API, "/endless");
  assert.ok(endless!.length >= 1024 && endless!.length < 200_000);
  for (const path of ["/head", "/else", "/away", "/nonsense", "/nothing"]) {
    assert.equal(await prover.http(API, path), null, path);
  }
  assert.equal(web.heads.length, 8);
});

Deno.test("a web server that takes its time, or says it octet by octet, is left after a while", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let came = false;
  const slow = (async () => {
    const conn = await listener.accept();
    came = true;
    for (const octet of new TextEncoder().encode(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(60_000)}`)) {
      await conn.write(new Uint8Array([octet]));
      await new Promise((next) => setTimeout(next, 20));
    }
  })();
  await using server = await NameServer.start({ [API]: { a: ["127.0.0.1"] } });
  assert.equal(await proverOf(server, listener.addr.port, "localhost", 300).http(API, "/ok"), null);
  listener.close();
  await assert.rejects(slow);
  assert.ok(came);
});

Deno.test("a domain that leads into the hub's own network is not asked there, whatever it calls itself", async () => {
  await using web = Web.at("127.0.0.1", { "/ok": TOKEN });
  const rows: [home: string, records: Record<string, { a?: string[]; aaaa?: string[]; cname?: string[] }>][] =
    [
      ["connect.example.net", { [API]: { a: ["127.0.0.1"] } }],
      ["connect.example.net", { [API]: { aaaa: ["::ffff:127.0.0.1"] } }],
      ["connect.example.net", {
        [API]: { cname: ["inside.example.com"] },
        "inside.example.com": { a: ["127.0.0.1"] },
      }],
      ["192.0.2.1", { [API]: { a: ["127.0.0.1"] } }],
      ["[2001:db8::1]", { [API]: { a: ["127.0.0.1"] } }],
      ["connect.example.net", { [API]: { a: ["127.0.0.1"] }, "connect.example.net": { a: ["127.0.0.2"] } }],
    ];
  for (const [home, zone] of rows) {
    await using server = await NameServer.start(zone);
    assert.equal(await proverOf(server, web.port, home).http(API, "/ok"), null, home);
  }
  assert.deepEqual(web.heads, []);
});

Deno.test("where the hub itself is reached a domain may lead, by an alias too: there the hub is asked itself", async () => {
  await using web = Web.at("127.0.0.1", { "/ok": TOKEN });
  const a = { a: ["127.0.0.1"] };
  const rows: [home: string, zone: Record<string, { a?: string[]; cname?: string[] }>][] = [
    ["localhost", { [API]: a }],
    ["hub.localhost", { [API]: a }],
    ["127.0.0.1", { [API]: a }],
    ["connect.lan", { [API]: { cname: ["connect.lan"] }, "connect.lan": a }],
  ];
  for (const [home, zone] of rows) {
    await using server = await NameServer.start(zone);
    assert.equal(await proverOf(server, web.port, home).http(API, "/ok"), "token", home);
  }
});

Deno.test("the address that was looked at is the one that is asked, whatever the name leads to a moment later", async () => {
  await using web = Web.at("127.0.0.1", { "/ok": TOKEN });
  await using other = Web.at("127.0.0.2", { "/ok": TOKEN }, web.port);
  await using server = await NameServer.start({ [API]: { a: ["127.0.0.1"] } });
  server.asked = (_, type) => {
    // From the second question on.
    if (type === "a") queueMicrotask(() => server.zone.set(API, { a: ["127.0.0.2"] }));
  };
  assert.equal(await proverOf(server, web.port, "127.0.0.1").http(API, "/ok"), "token");
  assert.deepEqual(other.heads, []);
});

Deno.test("of several addresses the next one is asked where nobody listens, and none that is not to be asked", async () => {
  await using web = Web.at("127.0.0.3", { "/ok": TOKEN });
  await using forbidden = Web.at("127.0.0.2", { "/ok": TOKEN }, web.port);
  const home = "connect.lan";
  await using server = await NameServer.start({
    [API]: { a: ["127.0.0.1", "127.0.0.2", "127.0.0.3"] },
    [home]: { a: ["127.0.0.1", "127.0.0.3"] },
  });
  assert.equal(await proverOf(server, web.port, home).http(API, "/ok"), "token");
  assert.deepEqual(forbidden.heads, []);
});

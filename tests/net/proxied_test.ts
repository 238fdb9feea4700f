import assert from "node:assert/strict";
import { latin1 } from "../../src/core/latin1.ts";
import { readProxied } from "../../src/net/proxied.ts";
import { type Socket, socketPair } from "../../src/net/socket.ts";
import { serverIdentity } from "../../src/net/server_identity.ts";
import { encryptBy } from "../../src/net/tls_socket.ts";
import { extra, header, IPV4, IPV6 } from "../pure/proxy_inputs.ts";
import { answer, pass, request, TestVisitor, timed, until } from "./visitor_rig.ts";

const GET = request("GET /");
const LOCAL = header({ kind: 0x20, family: 0, rest: [] });
const LARGE = header({ rest: [...IPV4, ...extra(4, Array(9_000).fill(7))] });

const file = (path: string) => ({ path, text: Deno.readTextFileSync(new URL(path, import.meta.url)) });
const identity = await serverIdentity(file("tls/server.pem"), file("tls/server_key.pem"));

/** Trusts this machine and 198.51.100.0/24 alone; `cut` hears of those who were cut. */
function proxied(o: Parameters<typeof timed>[0] = {}) {
  const cut: string[] = [];
  const trusted = (ip: string) => ip.startsWith("127.") || ip.startsWith("198.51.100.");
  return { cut, ...timed({ trusted, unproxied: (peer, why) => void cut.push(`${peer}: ${why}`), ...o }) };
}

async function sendAll(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
}

Deno.test("a visitor counts by the address that its proxy says, and what stands in its own head is not believed", async () => {
  const rows: [header: Uint8Array, address: string][] = [
    [header(), "203.0.113.7"],
    [header({ family: 0x21, rest: IPV6 }), "2001:db8::7"],
    [LARGE, "203.0.113.7"],
    // A proxy that asks for itself is believed in what it says of others, too.
    [LOCAL, "192.0.2.1"],
    [header({ rest: [198, 51, 100, 9, ...IPV4.slice(4)] }), "192.0.2.1"],
  ];
  const { rig, next, cut } = proxied();
  await using _ = rig;
  for (const [header, address] of rows) {
    const visitor = await rig.connect();
    await sendAll(visitor.socket, header);
    await visitor.send(request("GET /", ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"]));
    const exchange = await next();
    assert.equal(exchange.address, address);
    assert.equal(exchange.secure, address === "192.0.2.1");
    answer(exchange, "x");
    assert.equal((await visitor.answer()).body, "x");
    visitor.leave();
  }
  assert.deepEqual(cut, []);
});

Deno.test("a header is read wherever it is cut, and not an octet of what follows is lost", async () => {
  const whole = Uint8Array.from([...header(), ...new TextEncoder().encode("GET / and more")]);
  for (let at = 1; at < whole.length; at++) {
    const [here, there] = socketPair();
    const read = readProxied(there);
    await sendAll(here, whole.subarray(0, at));
    await sendAll(here, whole.subarray(at));
    here.close();
    const { socket, source } = await read;
    assert.equal(source, "203.0.113.7");
    let text = "";
    const buffer = new Uint8Array(5);
    for (let n; (n = await socket.read(buffer)) !== null;) text += latin1(buffer, 0, n);
    assert.equal(text, "GET / and more", `cut at ${at}`);
  }
});

Deno.test("a header that ends before it is complete brings nobody", async () => {
  for (const length of [0, 1, 15, 16, 27]) {
    const [here, there] = socketPair();
    await sendAll(here, header().subarray(0, length));
    here.close();
    await assert.rejects(readProxied(there), Deno.errors.UnexpectedEof, `${length}`);
  }
});

Deno.test("a proxy that sends no header is cut and named, at once or when its time is over", async () => {
  const { rig, clock, cut } = proxied();
  await using _ = rig;
  for (
    const [text, why] of [[GET, /no PROXY/], ["PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n", /version 1/]] as const
  ) {
    const visitor = await rig.connect();
    await visitor.send(text);
    assert.equal(await visitor.rest().catch(() => ""), "");
    assert.match(cut.pop()!, why);
  }
  const silent = await rig.connect();
  await silent.send("\r\n\r\n");
  await pass(clock, 9_000);
  await pass(clock, 2_000);
  assert.equal(await silent.rest().catch(() => ""), "");
  assert.deepEqual(cut, []);
  assert.equal(rig.listener.connections, 0);
});

Deno.test("who is no trusted proxy gets in by no header", async () => {
  const { rig, cut } = proxied({ trusted: () => false });
  await using _ = rig;
  const visitor = await rig.connect();
  await sendAll(visitor.socket, header()).catch(() => {});
  assert.equal(await visitor.rest().catch(() => ""), "");
  assert.match(cut[0], /^127\.0\.0\.1: it is none of trusted_proxies/);
});

Deno.test("connections count by the visitor's address: one has no more than per_address, whatever proxy brings it", async () => {
  const { rig, next } = proxied({ limits: { perAddress: 1 } });
  await using _ = rig;
  const come = async (rest: number[]) => {
    const visitor = await rig.connect();
    await sendAll(visitor.socket, header({ rest }));
    await visitor.send(GET);
    return visitor;
  };
  const first = await come(IPV4);
  await next();
  assert.equal((await (await come(IPV4)).answer()).status, 503);
  const other = await come([203, 0, 113, 8, ...IPV4.slice(4)]);
  answer(await next(), "x");
  assert.equal((await other.answer()).body, "x");
  first.leave();
});

Deno.test("TLS begins behind the header", async () => {
  const { rig, next } = proxied({ identity: () => identity });
  await using _ = rig;
  const { socket } = await rig.connect();
  await sendAll(socket, header());
  const options = { name: "api.internal", ca: file("tls/ca.pem").text, insecure: false };
  const visitor = new TestVisitor(await encryptBy(socket, options, AbortSignal.timeout(20_000)));
  await visitor.send(GET);
  const exchange = await next();
  assert.equal(exchange.address, "203.0.113.7");
  answer(exchange, "x");
  assert.equal((await visitor.answer()).body, "x");
  visitor.leave();
});

Deno.test("a listener that closes lets go of proxies that have not said a word", async () => {
  const { rig } = proxied();
  const silent = await rig.connect();
  await until(() => true);
  await rig[Symbol.asyncDispose]();
  assert.equal(await silent.rest().catch(() => ""), "");
});

import assert from "node:assert/strict";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { Failure } from "../../src/core/errors.ts";
import { type ServerIdentity, serverIdentity } from "../../src/net/server_identity.ts";
import type { Socket } from "../../src/net/socket.ts";
import { encryptBy } from "../../src/net/tls_socket.ts";
import { curl } from "../e2e/rig.ts";
import {
  answer,
  appRig,
  echoTarget,
  pass,
  request,
  TestVisitor,
  timed,
  until,
  VisitorRig,
} from "./visitor_rig.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const file = (name: string) => ({ path: name, text: Deno.readTextFileSync(path(name)) });
const CA = path("tls/ca.pem"), HUB_CA = path("../cli/tls/hub.pem");
const API = file("tls/server.pem"), API_KEY = file("tls/server_key.pem");
const HUB = file("../cli/tls/hub.pem"), HUB_KEY = file("../cli/tls/hub_key.pem");

const api = await serverIdentity(API, API_KEY), hub = await serverIdentity(HUB, HUB_KEY);
const GET = request("GET /x");

/** Shakes hands with whoever is at the other end of `socket`, trusting `ca`. */
async function greet(socket: Socket, name = "api.internal", ca = CA): Promise<TestVisitor> {
  const trusted = Deno.readTextFileSync(ca);
  return new TestVisitor(
    await encryptBy(socket, { name, ca: trusted, insecure: false }, AbortSignal.timeout(20_000)),
  );
}

Deno.test("a visitor by TLS is served by HTTP/1.1, whatever else it speaks, and by whatever name it asks for", async () => {
  await using rig = appRig((request) => new Response(request.url), { identity: () => api, secure: true });
  const port = await rig.port();
  const at = (name: string, ...options: string[]) =>
    curl(
      `https://${name}:${port}/a`,
      "--cacert",
      CA,
      "--resolve",
      `api.internal:${port}:127.0.0.1`,
      ...options,
    );
  for (const options of [["--tls-max", "1.2"], ["--tlsv1.3"], ["--http2"], ["--http1.0"]]) {
    const { head, body } = await at("api.internal", ...options);
    assert.match(head, /^HTTP\/1\.1 200/, options.join(" "));
    assert.equal(body, `https://api.internal:${port}/a`);
  }
  assert.equal((await at("127.0.0.1")).status, 200);
  assert.equal(
    (await curl(`https://else.example:${port}/`, "-k", "--resolve", `else.example:${port}:127.0.0.1`)).status,
    200,
  );
  const only2 = connect({ host: "127.0.0.1", port, ALPNProtocols: ["h2"], rejectUnauthorized: false });
  await new Promise<void>((refused, reject) => {
    only2.once("secureConnect", () => reject(new Error("it was let in")));
    only2.once("error", () => refused());
    only2.once("close", () => refused());
  });
  only2.destroy();
});

Deno.test("what goes through TLS both ways comes out as it went in", async () => {
  await using rig = appRig(async (request) => new Response(await request.arrayBuffer()), {
    identity: () => api,
  });
  const sent = Uint8Array.from({ length: 3_000_001 }, (_, i) => i * i >> 3);
  const folder = Deno.makeTempDirSync({ prefix: "connectd-tls-" });
  Deno.writeFileSync(`${folder}/up`, sent);
  const url = `https://127.0.0.1:${await rig.port()}/`;
  await curl(url, "--cacert", CA, "--data-binary", `@${folder}/up`, "-o", `${folder}/down`, "--no-include");
  // Compared as text of one character an octet: a difference is shown in one line.
  assert.ok(Deno.readFileSync(`${folder}/down`).every((octet, i) => octet === sent[i]));
  assert.equal(Deno.statSync(`${folder}/down`).size, sent.length);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("whoever forgets the s of https:// is told, and whoever speaks neither is cut", async () => {
  await using rig = new VisitorRig({ handler: echoTarget, identity: () => api });
  const plain = await rig.connect();
  await plain.send(GET);
  assert.match(await plain.rest(), /^HTTP\/1\.1 400 Bad Request\r\n[^]*speaks https/);
  for (const text of ["\x05\x01\x00", "\x16\x03\x01\x00\x05hello", "\x16" + "\xff".repeat(5000)]) {
    const odd = await rig.connect();
    await odd.send(text);
    // At most an alert of TLS: no word of HTTP.
    assert.doesNotMatch(await odd.rest().catch(() => ""), /HTTP/);
  }
  const next = await greet((await rig.connect()).socket);
  assert.equal((await next.ask(GET)).body, "/x");
  next.leave();
});

Deno.test("who does not shake hands in time is cut, at whichever octet it stopped", async () => {
  for (const text of ["", "\x16", "\x16\x03\x01\x02\x00\x01"]) {
    const { rig, clock } = timed({ identity: () => api });
    await using _ = rig;
    const slow = await rig.connect();
    await slow.send(text);
    await until(() => rig.listener.connections === 1);
    await pass(clock, 9_000);
    assert.equal(rig.listener.connections, 1);
    await pass(clock, 2_000);
    await slow.rest().catch(() => {});
    await until(() => rig.listener.connections === 0);
  }
});

Deno.test("connections count from the first octet on, and whoever is one too many is told within TLS", async () => {
  const { rig } = timed({ identity: () => api, limits: { connections: 1 } });
  await using _ = rig;
  const silent = await rig.connect();
  await until(() => rig.listener.connections === 1);
  const second = await greet((await rig.connect()).socket);
  const { status, body } = await second.ask(GET);
  assert.deepEqual([status, JSON.parse(body).code], [503, "hub_busy"]);
  second.leave();
  silent.leave();
  await until(() => rig.listener.connections === 0);
});

Deno.test("another certificate is shown to whoever comes next, and nobody who is there notices", async () => {
  let now: ServerIdentity = api;
  const { rig, next } = timed({ identity: () => now });
  await using _ = rig;
  const first = await greet((await rig.connect()).socket);
  await first.send(GET);
  const asked = await next();
  now = hub;
  const second = await greet((await rig.connect()).socket, "links.hub.test", HUB_CA);
  await second.send(GET);
  answer(await next(), "second");
  answer(asked, "first");
  assert.equal((await second.answer()).body, "second");
  assert.equal((await first.answer()).body, "first");
  await first.send(GET);
  answer(await next(), "again");
  assert.equal((await first.answer()).body, "again");
  first.leave();
  second.leave();
});

Deno.test("an identity tells what it is for, and until when", () => {
  assert.match(hub.names, /DNS:hub\.test, DNS:\*\.hub\.test/);
  assert.deepEqual([new Date(api.from).getUTCFullYear(), new Date(api.until).getUTCFullYear()], [2020, 2119]);
});

const text = (path: string, text: string) => ({ path, text });
const REFUSED: readonly (readonly [what: string, cert: typeof API, key: typeof API, why: RegExp])[] = [
  [
    "a key of another certificate",
    API,
    HUB_KEY,
    /^tls\/?.*hub_key\.pem is not the key of tls\/server\.pem$|hub_key/,
  ],
  ["an empty certificate file", text("c.pem", ""), API_KEY, /^c\.pem holds no certificate/],
  ["a key where the certificate should be", API_KEY, API_KEY, /server_key\.pem holds no certificate/],
  ["a certificate where the key should be", API, API, /server\.pem holds no private key/],
  ["half a certificate", text("c.pem", API.text.slice(0, 300)), API_KEY, /c\.pem holds no certificate/],
  [
    "a certificate that is none",
    text("c.pem", API.text.replace(/M[^]{60}/, "AAAA")),
    API_KEY,
    /c\.pem: its certificate 1 can not be read/,
  ],
  [
    "a chain with a broken one",
    text("c.pem", API.text + API.text.replace(/M[^]{60}/, "AAAA")),
    API_KEY,
    /certificate 2/,
  ],
  [
    "a key that is none",
    API,
    text("k.pem", API_KEY.text.replace(/M[^]{40}/, "AAAA")),
    /k\.pem: its private key can not be read/,
  ],
  [
    "an encrypted key",
    API,
    text("k.pem", API_KEY.text.replaceAll("PRIVATE", "ENCRYPTED PRIVATE")),
    /k\.pem is encrypted/,
  ],
];

for (const [what, cert, key, why] of REFUSED) {
  Deno.test(`TLS is refused with ${what}, and the file is named`, async () => {
    await assert.rejects(
      serverIdentity(cert, key),
      (error) => error instanceof Failure && why.test(error.message),
    );
  });
}

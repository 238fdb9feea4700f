/** Fronts of other kinds: haproxy that passes octets on and says whose they are, and the nginx.conf that an operator copies. */
import assert from "node:assert/strict";
import { serverIdentity } from "../../src/net/server_identity.ts";
import {
  behind,
  DOMAIN,
  echoed,
  eventsOneByOne,
  leavingIsHeard,
  OWN,
  PUBLIC_HOST,
  Target,
} from "./front_rig.ts";
import { accepting, curl, eventually, freePort, packaged, Rig } from "./rig.ts";
import { HubRig } from "../hub/rig.ts";

const CERT = new URL("../cli/tls/hub.pem", import.meta.url).pathname;
const KEY = new URL("../cli/tls/hub_key.pem", import.meta.url).pathname;
const README = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
const NGINX = Deno.readTextFileSync(new URL("../../config/nginx.conf", import.meta.url));

const link = `demo.${DOMAIN}`;

/** Asks the link at `port` by https, from 127.0.0.9. */
const at = (port: number, path = "/", ...options: string[]) =>
  curl(
    ...[`https://${link}:${port}${path}`, "--cacert", CERT, "--resolve", `${link}:${port}:127.0.0.1`],
    ...["--interface", "127.0.0.9", ...options],
  );

Deno.test("behind the nginx.conf a visitor is who it is, large bodies, events and WebSockets go through as they come, and who leaves is missed", async () => {
  const program = packaged("nginx", "nginx-light");
  if (program === null) return;
  await using rig = new Rig();
  const target = new Target();
  const { port } = await behind(rig, await target.listen());
  rig.atEnd(() => target.close());
  const front = freePort(), plain = freePort();
  const text = NGINX.replace("127.0.0.1:8080", `127.0.0.1:${port}`).replace("443", `127.0.0.1:${front}`)
    .replace("listen 80", `listen 127.0.0.1:${plain}`)
    .replaceAll("connect.example.net *.hub.example.com", `${PUBLIC_HOST} *.${DOMAIN} ${OWN}`)
    .replace("/etc/ssl/hub.pem", CERT).replace("/etc/ssl/hub.key", KEY);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) =>
    `${kind}_temp_path ${rig.folder}/${kind};`
  ).join(" ");
  const config = rig.file(
    "nginx.conf",
    `daemon off; master_process off; pid ${rig.folder}/pid;\nevents {}\nhttp { access_log off; ${temporary}\n${text}}\n`,
  );
  rig.spawn(program, ["-c", config, "-p", rig.folder, "-e", `${rig.folder}/error.log`]);
  await accepting(front);
  for (const version of ["2", "1.1"]) {
    const { head, body } = await at(front, "/", `--http${version}`, "-H", "X-Forwarded-For: 192.0.2.1");
    assert.match(head, new RegExp(`^HTTP/${version} 200`));
    const { address, proto } = JSON.parse(body);
    assert.deepEqual([address, proto], ["127.0.0.9", "https"]);
  }
  Deno.writeFileSync(`${rig.folder}/body`, new Uint8Array(100 * 1024 * 1024));
  assert.equal(JSON.parse((await at(front, "/", "-T", `${rig.folder}/body`)).body).octets, 100 * 1024 * 1024);
  const words = ["--cacert", CERT, "--resolve", `${link}:${front}:127.0.0.1`];
  for (const version of ["2", "1.1"]) {
    const visitor = { origin: `https://${link}:${front}`, words: [...words, `--http${version}`] };
    await eventsOneByOne(rig, target, visitor);
    await leavingIsHeard(rig, target, visitor);
  }
  const text101 = await echoed(front, link, Deno.readTextFileSync(CERT));
  assert.match(text101, /^HTTP\/1\.1 101 [^]*\r\n\r\nhello$/);
  const inTheClear = (path: string) =>
    curl(`http://${OWN}:${plain}${path}`, "--resolve", `${OWN}:${plain}:127.0.0.1`);
  const away = await inTheClear("/a?b");
  assert.equal(away.status, 308);
  assert.match(away.head, /location: https:\/\/api\.example\.com\/a\?b/i);
  const { stdout } = await rig.run(["list", "--state", `${rig.folder}/daemon`, "--json"]);
  const token = /connectd-challenge\/([a-z2-7]+)/.exec(stdout)![1];
  const shown = await inTheClear(`/.well-known/connectd-challenge/${token}`);
  assert.deepEqual([shown.status, shown.body], [200, token]);
});

Deno.test("behind the README's haproxy a visitor is who it is, whatever it says of itself, and comes by https", async () => {
  const program = packaged("haproxy", "haproxy");
  if (program === null) return;
  await using rig = new Rig();
  const target = new Target();
  const { port } = await behind(rig, await target.listen());
  rig.atEnd(() => target.close());
  const front = freePort(),
    pem = rig.file("both.pem", Deno.readTextFileSync(CERT) + Deno.readTextFileSync(KEY));
  const backend = /```\n(defaults\n[^`]*)```/.exec(README)![1].replace("127.0.0.1:8080", `127.0.0.1:${port}`);
  const config = rig.file(
    "haproxy.cfg",
    `${backend}\nfrontend f\n  bind 127.0.0.1:${front} ssl crt ${pem} alpn h2,http/1.1\n  default_backend hub\n`,
  );
  rig.spawn(program, ["-db", "-f", config]);
  await accepting(front);
  const said = ["-H", "X-Forwarded-For: 192.0.2.1", "-H", "X-Forwarded-Proto: http"];
  const { address, proto } = await eventually(
    () => at(front, "/", ...said).then(({ status, body }) => status === 200 ? JSON.parse(body) : {}),
    (seen) => seen.address !== undefined,
  );
  assert.deepEqual([address, proto], ["127.0.0.9", "https"]);
});

Deno.test("behind haproxy's send-proxy-v2 the hub ends TLS, and knows visitors by what haproxy says", async () => {
  const program = packaged("haproxy", "haproxy");
  if (program === null) return;
  await using rig = new Rig();
  const read = (path: string) => ({ path, text: Deno.readTextFileSync(path) });
  const identity = await serverIdentity(read(CERT), read(KEY));
  const target = new Target(), port = await target.listen();
  rig.atEnd(() => target.close());
  const hub = await HubRig.start({
    domain: DOMAIN,
    publicUrl: `https://${PUBLIC_HOST}`,
    trustedProxies: ["127.0.0.1/32"],
    proxyProtocol: true,
    certificate: { identity, use: () => Promise.resolve(), close() {} },
  });
  rig.atEnd(() => hub[Symbol.asyncDispose]());
  const front = freePort(), summed = freePort();
  const listen = (at: number, how: string) =>
    `listen f${at}\n  bind 127.0.0.1:${at}\n  server s 127.0.0.1:${hub.hub.address.port} ${how}\n`;
  const config = rig.file(
    "haproxy.cfg",
    "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n" +
      listen(front, "send-proxy-v2") + listen(summed, "send-proxy-v2 proxy-v2-options crc32c,unique-id"),
  );
  rig.spawn(program, ["-db", "-f", config]);
  await Promise.all([accepting(front), accepting(summed)]);
  rig.file("token", await hub.token("daemon"));
  const links = rig.file(
    "links.yaml",
    `version: 1\nhub: https://localhost:${front}\nhub_ca_file: ${CERT}\ntoken_file: ./token\nlinks:\n` +
      `  demo: { target: "http://127.0.0.1:${port}", ttl: never, subdomain: demo }\n`,
  );
  const args = ["--config", links, "--state", `${rig.folder}/daemon`, "--control", "127.0.0.1:0", "--json"];
  await rig.connectd(["run", ...args]).ready();
  for (const way of [front, summed]) {
    const { status, body } = await at(way, "/", "-H", "X-Forwarded-For: 192.0.2.1");
    assert.equal(status, 200);
    const { address, proto } = JSON.parse(body);
    assert.deepEqual([address, proto], ["127.0.0.9", "https"]);
  }
  // Past the proxy nobody gets in, and the log says why.
  await assert.rejects(at(hub.hub.address.port), /curl/);
  assert.match(hub.lines.join("\n"), /a connection was cut: it is none of trusted_proxies.*127\.0\.0\.9/);
});

/** Fronts of other kinds: haproxy that passes octets on and says whose they are, and the nginx.conf that an operator copies. */
import assert from "node:assert/strict";
import { serverIdentity } from "../../src/net/server_identity.ts";
import { behind, DOMAIN, PUBLIC_HOST, Target } from "./front_rig.ts";
import { accepting, curl, freePort, packaged, Rig } from "./rig.ts";
import { HubRig } from "../hub/rig.ts";

const CERT = new URL("../cli/tls/hub.pem", import.meta.url).pathname;
const KEY = new URL("../cli/tls/hub_key.pem", import.meta.url).pathname;
const NGINX = Deno.readTextFileSync(new URL("../../config/nginx.conf", import.meta.url));

const link = `demo.${DOMAIN}`;

/** Asks the link at `port` by https, from 127.0.0.9. */
const at = (port: number, path = "/", ...options: string[]) =>
  curl(
    ...[`https://${link}:${port}${path}`, "--cacert", CERT, "--resolve", `${link}:${port}:127.0.0.1`],
    ...["--interface", "127.0.0.9", ...options],
  );

Deno.test("behind the nginx.conf a visitor is who it is, large bodies and events go through as they come", async () => {
  const program = packaged("nginx", "nginx-light");
  if (program === null) return;
  await using rig = new Rig();
  const target = new Target();
  const { port } = await behind(rig, await target.listen());
  rig.atEnd(() => target.close());
  const front = freePort();
  const text = NGINX.replace("127.0.0.1:8080", `127.0.0.1:${port}`).replace("443", `127.0.0.1:${front}`)
    .replace("*.hub.example.com", `*.${DOMAIN}`).replace("connect.example.net", PUBLIC_HOST)
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
  const events = rig.spawn("curl", [
    ...[
      "-sSN",
      "--cacert",
      CERT,
      "--resolve",
      `${link}:${front}:127.0.0.1`,
      `https://${link}:${front}/events`,
    ],
  ]);
  for (let i = 1; i <= 3; i++) {
    await events.until(() => events.stdout.includes(`data: ${i}\n`));
    assert.ok(!events.stdout.includes(`data: ${i + 1}`));
    target.next();
  }
  assert.equal((await events.ended()).code, 0);
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

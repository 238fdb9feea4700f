/** A hub that ends TLS itself, as its operator starts it. */
import assert from "node:assert/strict";
import { connect, type PeerCertificate } from "node:tls";
import { curl, eventually, Rig } from "./rig.ts";

const pem = (path: string) => Deno.readTextFileSync(new URL(path, import.meta.url));
const HUB = pem("../cli/tls/hub.pem"), HUB_KEY = pem("../cli/tls/hub_key.pem");
const API = pem("../net/tls/server.pem"), API_KEY = pem("../net/tls/server_key.pem");

/** Renames, as whoever renews certificates does. */
function put(rig: Rig, name: string, text: string): void {
  Deno.renameSync(rig.file(`${name}.new`, text), `${rig.folder}/${name}`);
}

/** The certificate that is shown at `port`. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      const { subject } = socket.getPeerCertificate() as PeerCertificate;
      socket.destroy();
      resolve(String(subject.CN));
    });
    socket.once("error", reject);
  });
}

Deno.test("a hub with a certificate of its own serves https, daemons and visitors alike, and takes a new one as it comes", async () => {
  await using rig = new Rig();
  rig.file("cert.pem", HUB);
  Deno.chmodSync(rig.file("key.pem", HUB_KEY), 0o644);
  const config = rig.file(
    "hub.yaml",
    "version: 1\nlisten: 127.0.0.1:0\ndomain: hub.test\ntls: { cert: ./cert.pem, key: ./key.pem }\n",
  );
  const state = `${rig.folder}/hub`;
  const hub = rig.connectd(["hub", "--config", config, "--state", state, "--json"]);
  const { hub: url } = await hub.ready<{ hub: string }>();
  const port = Number(new URL(url).port);
  assert.equal(url, `https://hub.test:${port}`);
  assert.match(hub.stderr, /key\.pem can be read by everybody on this machine: chmod 600/);
  rig.file("token", (await rig.run(["token", "create", "--scope", "daemon", "--state", state])).stdout);
  const links = rig.file(
    "links.yaml",
    `version: 1\nhub: https://localhost:${port}\nhub_ca_file: ./cert.pem\ntoken_file: ./token\nlinks:\n` +
      "  echo: { target: echo, ttl: never, subdomain: demo }\n",
  );
  const daemon = rig.connectd([
    "run",
    "--config",
    links,
    "--state",
    `${rig.folder}/d`,
    "--control",
    "127.0.0.1:0",
    "--json",
  ]);
  await daemon.ready();
  const visit = () =>
    curl(
      `https://demo.hub.test:${port}/a`,
      "--cacert",
      `${rig.folder}/ca.pem`,
      "--resolve",
      `demo.hub.test:${port}:127.0.0.1`,
    );
  rig.file("ca.pem", HUB);
  const { status, body } = await visit();
  assert.equal(status, 200);
  const headers = new Map(
    JSON.parse(body).headers.map(([name, value]: string[]) => [name.toLowerCase(), value]),
  );
  assert.equal(headers.get("x-forwarded-proto"), "https");

  put(rig, "key.pem", API_KEY);
  await hub.until(() =>
    /the certificate stays the one before: .*key\.pem is not the key of .*cert\.pem/.test(hub.stderr)
  );
  assert.equal((await visit()).status, 200);
  put(rig, "cert.pem", API);
  await eventually(() => shown(port), (name) => name === "api.internal");
  const lost = await rig.run(["status", "--state", `${rig.folder}/d`, "--json"]);
  // The daemon's connection was made under the old one, and goes on.
  assert.equal(JSON.parse(lost.stdout).hubs[0].state, "connected");
  assert.equal((await hub.kill()).code, 0);
});

Deno.test("a hub whose certificate can't be served with does not start: exit 2, with the file, the line and the reason", async () => {
  await using rig = new Rig();
  rig.file("cert.pem", HUB);
  rig.file("key.pem", API_KEY);
  const rows: [key: string, why: RegExp][] = [
    ["./key.pem", /key\.pem is not the key of .*cert\.pem/],
    ["./absent.pem", /there is no file .*absent\.pem/],
    ["./cert.pem", /cert\.pem holds no private key/],
  ];
  for (const [key, why] of rows) {
    const config = rig.file(
      "hub.yaml",
      `version: 1\nlisten: 127.0.0.1:0\ntls: { cert: ./cert.pem, key: ${key} }\n`,
    );
    for (
      const verb of [["hub", "--config", config, "--state", `${rig.folder}/hub`], ["hub", "check", config]]
    ) {
      const { code, stderr } = await rig.run(verb);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /hub\.yaml:3:6: /);
      assert.match(stderr, why);
    }
  }
});

/** The Caddyfile that an operator copies, run by the packaged caddy with an authority of its own. */
import assert from "node:assert/strict";
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

const CADDYFILE = new URL("../../config/Caddyfile", import.meta.url).pathname;

Deno.test("behind the Caddyfile a link is what it is without, and own domains have certificates once they are proven", async (t) => {
  const program = packaged("caddy", "caddy");
  if (program === null) return;
  await using rig = new Rig();
  const target = new Target();
  const { net, port } = await behind(rig, await target.listen());
  rig.atEnd(() => target.close());
  const https = freePort(), http = freePort();
  const internal = "issuer internal";
  rig.spawn(program, ["run", "--config", CADDYFILE, "--adapter", "caddyfile"], {
    ...{
      HUB: `127.0.0.1:${port}`,
      DOMAIN,
      PUBLIC_HOST,
      HTTPS_PORT: `${https}`,
      HTTP_PORT: `${http}`,
      ADMIN: "off",
    },
    ...{ TLS_PUBLIC: internal, TLS_LINKS: internal, TLS_DOMAINS: internal },
    ...{ HOME: rig.folder, XDG_DATA_HOME: `${rig.folder}/data`, XDG_CONFIG_HOME: `${rig.folder}/config` },
  });
  await Promise.all([accepting(https), accepting(http)]);
  const CA = `${rig.folder}/data/caddy/pki/authorities/local/root.crt`;
  await eventually(() => Promise.resolve(exists(CA)), (there) => there);
  const at = (host: string, path = "/", ...options: string[]) =>
    curl(
      `https://${host}:${https}${path}`,
      "--cacert",
      CA,
      "--resolve",
      `${host}:${https}:127.0.0.1`,
      ...options,
    );
  const link = `demo.${DOMAIN}`;

  for (const version of ["2", "1.1"]) {
    await t.step(
      `a visitor by HTTP/${version} is who it is, whatever it says of itself`,
      async () => {
        const answer = await at(
          link,
          "/",
          `--http${version}`,
          "--interface",
          "127.0.0.9",
          "-H",
          "X-Forwarded-For: 192.0.2.1",
        );
        assert.match(answer.head, new RegExp(`^HTTP/${version} 200`));
        const { address, proto } = JSON.parse(answer.body);
        assert.deepEqual([address, proto], ["127.0.0.9", "https"]);
      },
    );
  }
  await t.step("100 MiB go through", async () => {
    Deno.writeFileSync(`${rig.folder}/body`, new Uint8Array(100 * 1024 * 1024));
    const { body } = await at(link, "/", "-T", `${rig.folder}/body`, "-H", "Expect:");
    assert.equal(JSON.parse(body).octets, 100 * 1024 * 1024);
  });
  const words = ["--cacert", CA, "--resolve", `${link}:${https}:127.0.0.1`];
  for (const version of ["2", "1.1"]) {
    const front = { origin: `https://${link}:${https}`, words: [...words, `--http${version}`] };
    await t.step(`each event comes by HTTP/${version} as it is sent, and who leaves is missed`, async () => {
      await eventsOneByOne(rig, target, front);
      await leavingIsHeard(rig, target, front);
    });
  }
  await t.step("a WebSocket goes through both ways", async () => {
    assert.match(await echoed(https, link, Deno.readTextFileSync(CA)), /^HTTP\/1\.1 101 [^]*\r\n\r\nhello$/);
  });
  await t.step("the API answers at its own host, and tells no front's secrets to visitors", async () => {
    assert.equal((await at(PUBLIC_HOST, "/healthz")).status, 200);
    assert.equal((await at(PUBLIC_HOST, "/v1/links")).status, 401);
  });
  await t.step(
    "a domain that nobody has proven gets no certificate, and one that a link has proven does",
    async () => {
      await assert.rejects(at(OWN), /curl/);
      await assert.rejects(at("other.example.com"), /curl/);
      const list = async () =>
        JSON.parse((await rig.run(["list", "--state", `${rig.folder}/daemon`, "--json"])).stdout);
      const [{ domain, lastError }] = (await list()).items;
      assert.equal(domain.message, lastError);
      net.records.set(OWN, [/TXT "([a-z2-7]+)"/.exec(lastError)![1]]);
      // Caddy remembers for a moment that it was refused.
      const { status, body } = await eventually(
        () => at(OWN, "/", "--http2").catch(() => ({ status: 0, body: "", head: "" })),
        ({ status }) => status !== 0,
      );
      assert.equal(status, 200);
      assert.equal(JSON.parse(body).address, "127.0.0.1");
      await assert.rejects(at("other.example.com"), /curl/);
    },
  );
  await t.step("plain HTTP leads to https, but for what proves a domain", async () => {
    const plain = (path: string) =>
      curl(`http://${OWN}:${http}${path}`, "--resolve", `${OWN}:${http}:127.0.0.1`);
    const { status, head } = await plain("/a?b");
    assert.equal(status, 308);
    assert.match(head, /location: https:\/\/api\.example\.com\/a\?b/i);
    const [token] = net.records.get(OWN)!;
    const shown = await plain(`/.well-known/connectd-challenge/${token}`);
    assert.deepEqual([shown.status, shown.body], [200, token]);
  });
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

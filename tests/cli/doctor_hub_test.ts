/** The doctor at a real hub: what each kind of trouble is called, and what to do about it. */
import assert from "node:assert/strict";
import type { Running } from "../../src/cli/doctor/daemon.ts";
import type { Finding } from "../../src/cli/doctor/finding.ts";
import { hubCheck } from "../../src/cli/doctor/hub.ts";
import type { Surroundings } from "../../src/cli/doctor/names.ts";
import { HubRig } from "../hub/rig.ts";

const CERTIFICATE = new URL("./tls/hub.pem", import.meta.url).pathname;
const KEY = new URL("./tls/hub_key.pem", import.meta.url).pathname;

/** A front that ends TLS before the hub at `port`. */
class Front implements Disposable {
  readonly #listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: Deno.readTextFileSync(CERTIFICATE),
    key: Deno.readTextFileSync(KEY),
  });
  readonly port = this.#listener.addr.port;
  readonly #open = new Set<Deno.Conn>();

  constructor(port: number) {
    void this.#serve(port);
  }

  async #serve(port: number): Promise<void> {
    for await (const visitor of this.#listener) {
      const hub = await Deno.connect({ hostname: "127.0.0.1", port });
      for (const conn of [visitor, hub]) this.#open.add(conn);
      void visitor.readable.pipeTo(hub.writable).catch(() => {});
      void hub.readable.pipeTo(visitor.writable).catch(() => {});
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#open) {
      try {
        conn.close();
      } catch {
        // It has ended.
      }
    }
  }
}

interface Case {
  readonly url?: string;
  /** Null: no such file. */
  readonly token?: string | null;
  readonly caFile?: string;
  readonly link?: string;
  readonly surroundings?: Partial<Surroundings>;
}

const NOBODY: Surroundings = { resolve: () => Promise.resolve([]), now: Date.now };

async function look(rig: HubRig, { url, token = null, caFile, link, surroundings }: Case) {
  const hub = { url: url ?? rig.hub.url, tokenFile: null, caFile: caFile ?? null, plain: false };
  const tokenFile = `${rig.folder}/the-token`;
  if (token === null) await Deno.remove(tokenFile).catch(() => {});
  else await Deno.writeTextFile(tokenFile, token);
  const running = link === undefined
    ? null
    : { links: [{ urls: [{ hub: hub.url, url: link, state: "active" }] }] } as unknown as Running;
  return await hubCheck({
    hub,
    tokenFile,
    running: Promise.resolve(running),
    surroundings: { ...NOBODY, ...surroundings },
  }).run(AbortSignal.timeout(20_000));
}

/** `check result seen`, a finding a line. */
function lines(found: readonly Finding[]): string {
  for (const { result, hint } of found) assert.equal(hint === null, result === "ok");
  return found.map(({ check, result, seen }) => `${check} ${result} ${seen}`).join("\n");
}

Deno.test("a token is judged as a daemon's is, and no session comes of it", async () => {
  await using rig = await HubRig.start();
  const cases: [token: string | null, RegExp][] = [
    [await rig.token("daemon"), /^token ok taken$/m],
    [await rig.token("admin"), /^token ok taken$/m],
    [await rig.token("viewer"), /^token fail .*not as a daemon's \(403\)$/m],
    [await rig.token("daemon", "default", 1), /^token fail .*expired .*\(401\)$/m],
    ["connectd_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", /^token fail .*\(401\)$/m],
    ["two words", /^token fail .*holds no token$/m],
    [null, /^token fail .*can not be read/m],
  ];
  for (const [token, expected] of cases) {
    const text = lines(await look(rig, { token }));
    assert.match(text, /^hub ok reachable, answered in /);
    assert.match(text, expected);
  }
  const headers = { Authorization: `Bearer ${await rig.token("viewer")}` };
  const sessions = await (await fetch(`${rig.hub.url}/v1/sessions`, { headers })).json();
  assert.deepEqual(sessions.items, []);
});

Deno.test("clocks that differ are told by how much, and whose is ahead", async () => {
  await using rig = await HubRig.start();
  const cases: [offset: number, RegExp][] = [
    [0, /^clock ok/m],
    [30_000, /^clock warn this machine is (29s|30s|31s) ahead of the hub$/m],
    [-3_600_000, /^clock fail this machine is (59m 59s|1h|1h 1s) behind the hub$/m],
  ];
  for (const [offset, expected] of cases) {
    assert.match(lines(await look(rig, { surroundings: { now: () => Date.now() + offset } })), expected);
  }
});

Deno.test("a hub that is not there, and something else in its place, are told apart", async () => {
  await using rig = await HubRig.start();
  assert.match(lines(await look(rig, { url: "http://127.0.0.1:1" })), /^hub fail nothing listens there$/);
  await using other = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response("hello", { status: 404 }),
  );
  const url = `http://127.0.0.1:${other.addr.port}`;
  assert.match(lines(await look(rig, { url })), /^hub fail it answered 404 at \/healthz$/);
});

Deno.test("links' names have to lead where the hub is, by a record that covers all of them", async () => {
  await using rig = await HubRig.start();
  const token = await rig.token("daemon");
  const names: Record<string, string[]> = { "hub.test": ["192.0.2.1"] };
  const resolve = (wild: string[]) => (name: string) =>
    Promise.resolve(names[name] ?? (/^doctor-[0-9a-f]{10}\.hub\.test$/.test(name) ? wild : []));
  const cases: [wild: string[], RegExp][] = [
    [["192.0.2.1"], /^dns ok resolves to 192\.0\.2\.1$/m],
    [["198.51.100.7"], /^dns warn resolves to 198\.51\.100\.7, and hub\.test to 192\.0\.2\.1$/m],
    [[], /^dns fail names under it do not resolve$/m],
  ];
  for (const [wild, expected] of cases) {
    const found = await look(rig, {
      token,
      link: "http://demo.hub.test",
      surroundings: { resolve: resolve(wild) },
    });
    assert.match(lines(found), expected);
    assert.deepEqual(found.filter(({ check }) => check === "dns").map(({ about }) => about), ["*.hub.test"]);
  }
});

Deno.test("a certificate is judged for the hub and for its links' names: trust, end, names", async () => {
  await using rig = await HubRig.start();
  using front = new Front(Number(new URL(rig.hub.url).port));
  const url = `https://localhost:${front.port}`, token = await rig.token("daemon");
  const at = (text: string) => () => Date.parse(text);
  const resolve = () => Promise.resolve(["127.0.0.1"]);
  const good = { url, token, caFile: CERTIFICATE };
  const cases: [Case, RegExp][] = [
    [{ ...good, link: `https://demo.hub.test:${front.port}` }, /^tls ok valid for \d+ days\ntls ok valid/m],
    [{ ...good, link: `https://demo.other.test:${front.port}` }, /^tls ok .*\ntls fail .* for other names$/m],
    [
      { ...good, surroundings: { now: at("2118-12-25T00:00:00Z") } },
      /^tls warn the certificate ends in 7d$/m,
    ],
    [
      { ...good, surroundings: { now: at("2119-02-01T00:00:00Z") } },
      /^tls fail the certificate ended .* ago$/m,
    ],
    [{ url, token }, /^hub fail .*\ntls fail the certificate is not trusted \(\w+\)$/],
  ];
  for (const [each, expected] of cases) {
    assert.match(
      lines(await look(rig, { ...each, surroundings: { resolve, ...each.surroundings } })),
      expected,
    );
  }
});

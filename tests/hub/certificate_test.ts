/** A hub's certificate over time: two files that are renewed one after the other, and what is said of their dates. */
import assert from "node:assert/strict";
import { TestClock, type Timer } from "../../src/clock.ts";
import { Certificate } from "../../src/hub/certificate.ts";
import { createLog } from "../../src/log.ts";
import { Folder } from "../config/read.ts";
import { eventually } from "./rig.ts";

const pem = (path: string) => Deno.readTextFileSync(new URL(path, import.meta.url));
const HUB = pem("../cli/tls/hub.pem"), HUB_KEY = pem("../cli/tls/hub_key.pem");
const API = pem("../net/tls/server.pem"), API_KEY = pem("../net/tls/server_key.pem");

/** Counts timers: whoever waits has one. */
class CountingClock extends TestClock {
  timers = 0;

  override timer(fire: () => void): Timer {
    this.timers++;
    return super.timer(fire);
  }
}

/** A certificate in files of its own, at a time of its own. */
async function opened(at = Date.UTC(2026, 0, 1)) {
  const folder = new Folder(), clock = new CountingClock(at), lines: string[] = [];
  const files = { cert: folder.file("cert.pem", HUB), key: folder.file("key.pem", HUB_KEY) };
  Deno.chmodSync(files.key, 0o600);
  const log = createLog({ level: "info", write: (line) => lines.push(line) });
  const certificate = await Certificate.open(files, clock, log);
  return {
    ...{ clock, lines, certificate },
    /** Puts a file in the place of one, and waits until the pair was read and does not fit. */
    async putOne(name: string, text: string) {
      const before = clock.timers;
      Deno.renameSync(folder.file("new", text), `${folder.path}/${name}`);
      clock.advance(3_000);
      await eventually(() => clock.timers, (n) => n > before);
    },
    /** The other one. */
    put: (name: string, text: string) => Deno.renameSync(folder.file("new", text), `${folder.path}/${name}`),
    /** Moves the clock on until `seen` is logged. */
    until: (seen: RegExp) =>
      eventually(() => {
        clock.advance(100);
        return lines.join("\n");
      }, (text) => seen.test(text)),
    [Symbol.dispose]() {
      certificate.close();
      folder[Symbol.dispose]();
    },
  };
}

for (
  const [first, text, second, other] of [
    ["key.pem", API_KEY, "cert.pem", API],
    ["cert.pem", API, "key.pem", API_KEY],
  ]
) {
  Deno.test(`${first} may be renewed before ${second}: nothing is said of the moment in between, nor shown`, async () => {
    using it = await opened();
    const before = it.certificate.identity;
    await it.putOne(first, text);
    assert.equal(it.certificate.identity, before);
    it.put(second, other);
    await it.until(/certificate read.*api\.internal/);
    assert.match(it.certificate.identity.names, /api\.internal/);
    assert.doesNotMatch(it.lines.join("\n"), /error/);
  });
}

Deno.test("a pair that does not fit is named after a while, and the one before is shown on and on", async () => {
  using it = await opened();
  const before = it.certificate.identity;
  await it.putOne("key.pem", API_KEY);
  await it.until(/the certificate stays the one before: .*key\.pem is not the key of .*cert\.pem/);
  assert.equal(it.certificate.identity, before);
});

Deno.test("a certificate that is over, or not begun, is served and warned of", async () => {
  const { from, until } = await (async () => {
    using it = await opened();
    assert.doesNotMatch(it.lines.join("\n"), /warn/);
    return it.certificate.identity;
  })();
  const rows: [at: number, said: RegExp | null][] = [
    [from - 1, /warn .*cert\.pem is not valid before \d{4}-/],
    [from, null],
    [until - 1, null],
    [until, /warn .*cert\.pem expired at \d{4}-/],
  ];
  for (const [at, said] of rows) {
    using it = await opened(at);
    if (said === null) assert.doesNotMatch(it.lines.join("\n"), /warn/);
    else assert.match(it.lines.join("\n"), said);
  }
});

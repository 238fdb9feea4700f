/** `connectd doctor` as somebody runs it: beside a daemon, before there is one, where things are wrong. */
import assert from "node:assert/strict";
import type { Finding } from "../../src/cli/doctor/finding.ts";
import { packaged, Rig, type Run } from "../e2e/rig.ts";
import { Terminal } from "./terminal.ts";

/** A target that answers HTTP. */
function website(rig: Rig): number {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response(null, { status: 404 }),
  );
  rig.atEnd(() => server.shutdown());
  return server.addr.port;
}

/** A target that accepts connections and never says a word of HTTP. */
function mute(rig: Rig): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  rig.atEnd(() => listener.close());
  void (async () => {
    for await (const conn of listener) {
      await conn.write(new TextEncoder().encode("SSH-2.0-nobody\r\n")).catch(() => {});
      conn.close();
    }
  })();
  return listener.addr.port;
}

/** `check about` of what is not well, with its result. */
function unwell({ stdout }: Run): Record<string, string> {
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Finding[] };
  assert.equal(ok, checks.every(({ result }) => result !== "fail"));
  for (const { result, hint } of checks) assert.equal(hint === null, result === "ok");
  return Object.fromEntries(
    checks.filter(({ result }) => result !== "ok").map(({ check, about, result }) => [
      `${check} ${about}`,
      result,
    ]),
  );
}

Deno.test("beside a daemon that is well the doctor finds nothing, and exits 0", async () => {
  await using rig = new Rig();
  const yaml = `version: 1\nlinks:\n  one: { target: "localhost:${
    website(rig)
  }" }\n  two: { target: echo }\n`;
  const { state, file } = await rig.daemon(yaml);
  const run = await rig.run(["doctor", "--config", file, "--state", state]);
  assert.deepEqual([run.code, run.stderr], [0, ""], run.stdout);
  assert.match(run.stdout, /^ok {4}daemon .*: runs \(.*\), 2 links$/m);
  assert.match(run.stdout, /^ok {4}target .*: answers HTTP$/m);
  assert.match(run.stdout, /^ok {4}descriptors: /m);
  assert.match(run.stdout, /\nall is well\n$/);
  assert.deepEqual(unwell(await rig.run(["doctor", "-c", file, "--state", state, "--json"])), {});
});

Deno.test("what the doctor and the running daemon both find in the file is said once", async () => {
  await using rig = new Rig();
  const { state, file } = await rig.daemon(
    "version: 1\nlinks: { one: { target: echo, paths: [/, /api] } }\n",
  );
  const run = await rig.run(["doctor", "--config", file, "--state", state]);
  assert.equal(run.stdout.match(/"\/" covers "\/api"/g)?.length, 1, run.stdout);
  assert.match(run.stdout, /\n0 wrong, 1 to look at, \d+ fine\n$/);
});

Deno.test("where nothing is yet the doctor says how to begin, and nothing is wrong", async () => {
  await using rig = new Rig();
  const run = await rig.run(["doctor"]);
  assert.equal(run.code, 0, run.stdout);
  assert.match(
    run.stdout,
    /^warn {2}config: there is no links\.yaml here\n {6}make one with `connectd init`/m,
  );
  assert.match(run.stdout, /^ok {4}daemon .*: none runs here$/m);
});

Deno.test("each thing that is wrong has a line of its own, with what to do, and the exit is 1", async () => {
  await using rig = new Rig();
  const [http, ssh] = [website(rig), mute(rig)];
  rig.file("partner.tokens", "long-enough-to-be-a-token\n");
  Deno.chmodSync(`${rig.folder}/partner.tokens`, 0o644);
  const state = `${rig.folder}/state`;
  Deno.mkdirSync(state, { mode: 0o755 });
  const file = rig.file(
    "links.yaml",
    `version: 1
hub: http://localhost:1
services:
  spare: localhost:1
links:
  up: { target: "localhost:${http}", auth: { bearer: { token_file: ./partner.tokens } } }
  wrong: { target: "localhost:${ssh}" }
  down: { target: "unix:./none.sock" }
  locked: { target: echo, auth: { basic: { file: ./none.htpasswd } } }
`,
  );
  const run = await rig.run(["doctor", "--config", file, "--state", state, "--json"]);
  assert.equal(run.code, 1);
  assert.deepEqual(unwell(run), {
    [`state ${state}`]: "warn",
    [`files ${rig.folder}/none.htpasswd:1`]: "fail",
    [`secret ${rig.folder}/partner.tokens`]: "warn",
    "hub http://localhost:1": "fail",
    [`target http://localhost:${ssh}`]: "fail",
    [`target unix:${rig.folder}/none.sock`]: "fail",
    "target http://localhost:1": "warn",
  });
  const text = await rig.run(["doctor", "--config", file, "--state", state]);
  assert.equal(text.code, 1);
  assert.match(text.stdout, /^warn {2}secret .*partner\.tokens: mode 0644: everybody .*\n {6}chmod 600 /m);
  assert.match(text.stdout, /\n4 wrong, 3 to look at, \d+ fine\n$/);
});

Deno.test("a file with a mistake is a finding at its place, and the rest is looked at all the same", async () => {
  await using rig = new Rig();
  const { state, file, process } = await rig.daemon("version: 1\nlinks:\n  one:\n    target: echo\n");
  Deno.writeTextFileSync(file, "version: 1\nlinks:\n  one:\n    target: echo\n    method: [GET]\n");
  await process.until(() => /links\.yaml:5:5/.test(process.stderr));
  const run = await rig.run(["doctor", "--config", file, "--state", state]);
  assert.equal(run.code, 1);
  assert.match(
    run.stdout,
    /^fail {2}config .*links\.yaml: 5:5: "method" is no key here\n {6}did you mean "methods"\?$/m,
  );
  assert.match(run.stdout, /^fail {2}config .*: 5:5: .*; the daemon runs on with what it read before$/m);
  assert.match(run.stdout, /^ok {4}daemon /m);
});

Deno.test("the daemon's own view counts: a hub that does not take it, a link in error", async () => {
  await using rig = new Rig();
  const file = rig.file(
    "links.yaml",
    "version: 1\nhub: http://localhost:1\ntoken_file: ./token\nlinks:\n  locked: { target: echo, auth: { basic: { file: ./none } } }\n",
  );
  rig.file("token", "connectd_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
  const state = `${rig.folder}/daemon`;
  await rig.connectd([
    ...["run", "--config", file, "--state", state, "--control", "127.0.0.1:0", "--json"],
  ]).ready();
  const run = await rig.run(["doctor", "--config", file, "--state", state]);
  assert.equal(run.code, 1);
  assert.match(run.stdout, /^fail {2}session http:\/\/localhost:1: connecting/m);
  assert.match(run.stdout, /^fail {2}link locked: .*none/m);
});

Deno.test("a process that may open few files is told so", async () => {
  await using rig = new Rig();
  const run = await rig.connectdWithin(300, ["doctor", "--state", `${rig.folder}/none`]).ended();
  assert.match(run.stdout, /^warn {2}descriptors: only \d{3} more files can be open at once/m);
});

Deno.test("on a terminal the words have colours, and what is waited for leaves no trace", async () => {
  if (packaged("script", "bsdutils") === null) return;
  await using rig = new Rig();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  rig.atEnd(() => silent.close());
  rig.file("links.yaml", `version: 1\nlinks:\n  one: { target: "localhost:${silent.addr.port}" }\n`);
  await using terminal = Terminal.connectd(["doctor", "--state", `${rig.folder}/none`], { cwd: rig.folder });
  await terminal.until(new RegExp(`waiting for target http://localhost:${silent.addr.port}`));
  (await silent.accept()).close();
  assert.equal(await terminal.ended(), 1);
  assert.ok(terminal.seen.includes("\x1b[32mok  \x1b[0m  deno"));
  assert.ok(terminal.seen.includes("\x1b[31mfail\x1b[0m  target"));
  const last = terminal.seen.split("\r\x1b[K").at(-1)!;
  assert.ok(!last.includes("waiting"), last);
});

/** `connectd login`: what is shown, what is kept, and what a hub can do to it. */
import assert from "node:assert/strict";
import { Rig } from "../e2e/rig.ts";

const TOKEN = `connectd_aaaaaaaa_${"b".repeat(32)}`;

const CODES = {
  deviceCode: "secret-device-code",
  userCode: "BCDF-GHJK",
  verificationUri: "http://localhost/device",
  verificationUriComplete: "http://localhost/device?code=BCDF-GHJK",
  expiresIn: 600,
  interval: 0.01,
};

const GRANTED = {
  ...{ id: "aaaaaaaa", name: "laptop", scope: "member", workspace: "acme", token: TOKEN },
  ...{ createdAt: "2026-01-01T00:00:00.000Z", expiresAt: null, revokedAt: null },
  ...{ rotatedAt: null, previousEndsAt: null, lastUsedAt: null },
};

type Answered = readonly [status: number, body: unknown];

const problem = (status: number, code: string): Answered => [status, { status, code, detail: `${code}.` }];
const PENDING = problem(400, "authorization_pending");

/** A hub that gives `codes`, and then one answer of `answers` after the other to who asks for the token. */
class FakeHub implements AsyncDisposable {
  readonly asked: { path: string; body: unknown }[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answers: readonly Answered[], codes: unknown = CODES) {
    const left = [...answers];
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const { pathname: path } = new URL(request.url);
      this.asked.push({ path, body: await request.json() });
      const [status, body] = path === "/v1/device" ? [200, codes] : left.shift() ?? PENDING;
      return Response.json(body, { status });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

Deno.test("login shows code and URL, waits, keeps the token for its owner alone, and prints it nowhere", async () => {
  await using rig = new Rig();
  await using hub = new FakeHub([PENDING, [503, {}], PENDING, [200, GRANTED]]);
  const { code, stdout, stderr } = await rig.run(["login", hub.url, "--scope", "member"]);
  assert.equal(code, 0, stderr);
  const file = `${rig.folder}/state-home/connectd/token`;
  assert.equal(Deno.readTextFileSync(file), `${TOKEN}\n`);
  assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
  assert.equal(Deno.statSync(`${rig.folder}/state-home/connectd`).mode! & 0o777, 0o700);
  assert.match(stderr, /BCDF-GHJK/);
  assert.match(stderr, /http:\/\/localhost\/device\?code=BCDF-GHJK/);
  assert.match(stdout, /workspace acme, as laptop \(scope member, expires never\)/);
  for (const secret of [TOKEN, CODES.deviceCode]) assert.ok(!(stdout + stderr).includes(secret));
  assert.deepEqual(hub.asked[0], { path: "/v1/device", body: { scope: "member" } });
  assert.deepEqual([...Deno.readDirSync(`${rig.folder}/state-home/connectd`)].map(({ name }) => name), [
    "token",
  ]);
});

Deno.test("login --json prints one object without the secret; --token-file says where the token goes", async () => {
  await using rig = new Rig();
  await using hub = new FakeHub([[200, GRANTED]]);
  const file = rig.file("second", "the token of before");
  const { stdout } = await rig.run(["login", hub.url, "--json", "--token-file", file]);
  const { token: _secret, ...facts } = GRANTED;
  assert.deepEqual(JSON.parse(stdout), { hub: hub.url, ...facts, file });
  assert.equal(Deno.readTextFileSync(file), `${TOKEN}\n`);
  assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
});

Deno.test("login that gets no token keeps the file as it was, and says what to do", async () => {
  await using rig = new Rig();
  const file = rig.file("token", "the token of before");
  const rows: [answers: Answered[], codes: unknown, code: number, says: RegExp][] = [
    [[PENDING, problem(400, "access_denied")], CODES, 1, /it was denied/],
    [[problem(400, "expired_token")], CODES, 1, /nothing of this login any more\n {2}run it again/],
    [[], { ...CODES, expiresIn: 0.05 }, 1, /nobody approved it in time/],
    [[[200, { ...GRANTED, token: "two\nlines" }]], CODES, 1, /is this the address of a hub/],
    [[], { hello: "world" }, 1, /is this the address of a hub/],
    [[], { ...CODES, interval: "soon" }, 1, /is this the address of a hub/],
  ];
  await Promise.all(rows.map(async ([answers, codes, due, says]) => {
    await using hub = new FakeHub(answers, codes);
    const { code, stderr } = await rig.run(["login", hub.url, "--token-file", file]);
    assert.equal(code, due, stderr);
    assert.match(stderr, says);
  }));
  assert.equal(Deno.readTextFileSync(file), "the token of before");
});

Deno.test("login sends nothing where it would go in the clear, nor for a file that can't be written", async () => {
  await using rig = new Rig();
  await using hub = new FakeHub([]);
  const clear = await rig.run(["login", "http://hub.example.com"]);
  assert.deepEqual([clear.code, /in the clear: use https/.test(clear.stderr)], [2, true]);
  const nowhere = await rig.run(["login", hub.url, "--token-file", `${rig.folder}/no/token`]);
  assert.deepEqual([nowhere.code, /no token can be written/.test(nowhere.stderr)], [1, true]);
  assert.deepEqual(hub.asked, []);
});

Deno.test("Ctrl-C while login waits leaves nothing behind", async () => {
  await using rig = new Rig();
  await using hub = new FakeHub([]);
  const waits = rig.connectd(["login", hub.url]);
  await waits.until(() => hub.asked.length > 1);
  await waits.kill("SIGINT");
  assert.deepEqual([...Deno.readDirSync(`${rig.folder}/state-home/connectd`)], []);
});

Deno.test("what a hub says can not move the cursor of who logs in", async () => {
  await using rig = new Rig();
  const evil = "\x1b[2J\x1b[1;1H";
  await using hub = new FakeHub([[200, { ...GRANTED, workspace: evil }]], { ...CODES, userCode: evil });
  const { stdout, stderr } = await rig.run(["login", hub.url]);
  assert.ok(!(stdout + stderr).includes("\x1b"));
});

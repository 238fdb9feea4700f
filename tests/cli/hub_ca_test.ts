/** A hub whose certificate nobody's machine knows: every verb that asks it takes the authority from links.yaml or a flag. */
import assert from "node:assert/strict";
import { Rig } from "../e2e/rig.ts";

const CERTIFICATE = new URL("./tls/hub.pem", import.meta.url).pathname;
const KEY = new URL("./tls/hub_key.pem", import.meta.url).pathname;

/** A hub that ends TLS itself; returns its URL. An admin's token lies in `token`. */
async function hub(rig: Rig): Promise<string> {
  const state = `${rig.folder}/hub`;
  const file = rig.file(
    "hub.yaml.tls",
    `version: 1\nlisten: 127.0.0.1:0\ntls: { cert: ${CERTIFICATE}, key: ${KEY} }\n`,
  );
  const { hub } = await rig.connectd(["hub", "--config", file, "--state", state, "--json"])
    .ready<{ hub: string }>();
  const made = await rig.run(["token", "create", "--scope", "admin", "--state", state]);
  rig.file("token", made.stdout);
  return hub;
}

/** What each verb says of a hub that has nothing. */
const VERBS: readonly (readonly [args: readonly string[], said: RegExp])[] = [
  [["list"], /no links/],
  [["status"], /no daemon is connected/],
  [["audit"], /token\.created/],
  [["token", "list"], /admin/],
  [["share", "--list"], /no shares/],
];

Deno.test("a hub's own authority is that of --ca-file, else of links.yaml, for every verb that asks the hub", async () => {
  await using rig = new Rig();
  const url = await hub(rig);
  const ask = (args: readonly string[], more: readonly string[] = []) =>
    rig.run([...args, "--hub", url, "--token-file", `${rig.folder}/token`, ...more]);
  const untrusted = await ask(["list"]);
  assert.equal(untrusted.code, 1);
  assert.match(
    untrusted.stderr,
    /^connectd: the certificate of https:\S+ is not trusted: it is its own authority, and none that is known here\n {2}.*--ca-file/,
  );
  const none = await ask(["list"], ["--ca-file", "./nothing.pem"]);
  assert.deepEqual([none.code, /no file \.\/nothing\.pem/.test(none.stderr)], [2, true], none.stderr);
  const wrong = await ask(["list"], ["--ca-file", `${rig.folder}/token`]);
  assert.equal(wrong.code, 1, wrong.stderr);
  assert.doesNotMatch(wrong.stderr, /connectd_/, "what is no certificate is not shown");
  const flagged = await ask(["list"], ["--ca-file", CERTIFICATE]);
  assert.equal(flagged.code, 0, flagged.stderr);

  rig.file("links.yaml", `version: 1\nhub: https://elsewhere.example\nhub_ca_file: ${CERTIFICATE}\n`);
  const login = rig.connectd(["login", url, "--token-file", `${rig.folder}/mine`]);
  const code = await login.until(() => /[A-Z]{4}-[A-Z]{4}/.exec(login.stderr)?.[0]);
  await rig.run(["token", "approve", code, "--state", `${rig.folder}/hub`]);

  rig.file("links.yaml", `version: 1\nhub: [{ url: "${url}", ca_file: ${CERTIFICATE} }]\n`);
  for (const [verb, said] of VERBS) {
    const { code, stdout, stderr } = await ask(verb);
    assert.equal(code, 0, `${verb.join(" ")}: ${stderr}`);
    assert.match(stdout, said);
  }
  const signedIn = await login.ended();
  assert.match(signedIn.stdout, /^signed in to https:/, signedIn.stderr);
});

Deno.test("a token goes to whom it is for: no proxy of the environment gets to see it", async () => {
  await using rig = new Rig();
  const seen: string[] = [];
  const proxy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push(request.headers.get("authorization") ?? "");
    return new Response("", { status: 502 });
  });
  rig.atEnd(() => proxy.shutdown());
  const { ready, state } = await rig.daemon("version: 1\nlinks: { a: { target: echo } }\n");
  const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.addr.port}` };
  const { code, stdout, stderr } = await rig.run(
    ["status", "--control", ready.control, "--state", state],
    { ...env, http_proxy: env.HTTP_PROXY },
  );
  assert.deepEqual(seen, []);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /links/);
});

Deno.test("what a hub says against a call is told with what to do: another scheme, a token that is no good", async () => {
  await using rig = new Rig();
  const url = await hub(rig), plain = url.replace("https:", "http:");
  const list = (at: string, token: string) =>
    rig.run(["list", "--hub", at, "--ca-file", CERTIFICATE, "--token-file", token]);
  const unencrypted = await list(plain, `${rig.folder}/token`);
  assert.equal(unencrypted.code, 1);
  assert.match(unencrypted.stderr, /^connectd: the answer was 400: This port speaks https: .*https:\/\//);
  const refused = await list(url, rig.file("wrong", "connectd_wrong\n"));
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /^connectd: the token is wrong, expired or revoked\n {2}name a file with a valid one: --token-file FILE; `connectd login URL` gets one\n$/,
  );
});

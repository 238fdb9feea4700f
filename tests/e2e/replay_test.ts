/** Captured requests as people use them: listed, shown, sent again, edited, by the programs that they have. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhooks } from "@octokit/webhooks";
import Stripe from "stripe";
import { Terminal } from "../cli/terminal.ts";
import { curl, packaged, type Process, Rig, type Run } from "./rig.ts";

const root = new URL("../../", import.meta.url).pathname;
const SECRET = "whsec_of_this_test_and_of_no_other";
const BODY = `{ "id":"evt_2",\r\n  "object": "event",\t"type":"x",  "name": "Zoë 日本 \\u00e9" }\n\n`;

/** A receiver of webhooks that answers what `verify` thinks of a request. */
async function receiver(
  rig: Rig,
  verify: (request: IncomingMessage, body: Buffer) => Promise<boolean>,
): Promise<number> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", async () => {
      const good = await verify(request, Buffer.concat(parts));
      response.writeHead(good ? 200 : 400).end(good ? "verified\n" : "forged\n");
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  rig.atEnd(() => void server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}

interface World {
  readonly url: string;
  readonly state: string;
  /** An answer of the control API. */
  // deno-lint-ignore no-explicit-any
  call(method: string, path: string, body?: unknown): Promise<any>;
  verb(args: string[], env?: Record<string, string>): Promise<Run>;
  start(args: string[]): Process;
}

/** A daemon whose only link leads to `port`, and the verbs that look at it. */
async function world(rig: Rig, port: number, keys = "inspect: bodies"): Promise<World> {
  const { ready, state } = await rig.daemon(
    `version: 1\nlinks:\n  hook: { target: "localhost:${port}", ${keys} }\n`,
  );
  const words = (args: string[]) => [...args, "--state", state];
  return {
    url: ready.links[0].url,
    state,
    async call(method, path, body) {
      const token = Deno.readTextFileSync(`${state}/control.token`).trim();
      const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      return await (await fetch(`http://${ready.control}${path}`, init)).json();
    },
    verb: (args, env) => rig.run(words(args), env),
    start: (args) => rig.connectd(words(args)),
  };
}

Deno.test("what Stripe and GitHub signed, their libraries still verify when it is sent again, both ways", async () => {
  await using rig = new Rig();
  const stripe = new Stripe("sk_test_unused"), github = new Webhooks({ secret: SECRET });
  const port = await receiver(
    rig,
    ({ headers, url }, body) =>
      url === "/stripe"
        ? stripe.webhooks.constructEventAsync(body, headers["stripe-signature"]!, SECRET).then(
          () => true,
          () => false,
        )
        : github.verify(body.toString("utf8"), headers["x-hub-signature-256"] as string),
  );
  const { url, call } = await world(rig, port);
  const file = rig.file("body", BODY);
  for (
    const [path, field] of [
      [
        "/stripe",
        `Stripe-Signature: ${await stripe.webhooks.generateTestHeaderStringAsync({
          payload: BODY,
          secret: SECRET,
        })}`,
      ],
      ["/github", `X-Hub-Signature-256: ${await github.sign(BODY)}`],
    ]
  ) {
    const sent = await curl(url + path, "--data-binary", `@${file}`, "-H", field);
    assert.equal(sent.body, "verified\n");
    const { items: [{ id }] } = await call("GET", "/v1/requests");
    for (const via of ["policy", "target"]) {
      const again = await call("POST", `/v1/requests/${id}/replay`, { via });
      assert.deepEqual([again.status, again.replayOf, again.response.body.text], [200, id, "verified\n"]);
    }
    // They looked at it: with a changed octet it is forged.
    const forged = await call("POST", `/v1/requests/${id}/replay`, {
      edit: { body: BODY.replace("evt_2", "evt_3") },
    });
    assert.equal(forged.status, 400);
  }
});

/** `replay --edit` as its task runs it: it may start an editor. */
function edited(rig: Rig, id: string, editor: string): Promise<Run> {
  const grants = [
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-run",
  ];
  const args = ["run", ...grants, `${root}mod.ts`, "replay", id, "--edit", "--state", `${rig.folder}/daemon`];
  return rig.spawn(Deno.execPath(), args, { EDITOR: editor, VISUAL: "", TMPDIR: rig.folder }).ended();
}

Deno.test("requests are listed, filtered, followed, shown whole, and printed as a line that curl sends", async () => {
  await using rig = new Rig();
  const heard: string[] = [];
  const port = await receiver(rig, (request, body) => {
    heard.push(
      `${request.method} ${request.url} ${request.headers["x-key"]} ${request.headers.authorization} ${body}`,
    );
    return Promise.resolve(request.url === "/good?x=1");
  });
  const { url, verb, start } = await world(
    rig,
    port,
    "inspect: bodies, inspect_redact: [X-Key], methods: [POST, GET]",
  );
  await curl(`${url}/good?x=1`, "-d", "it's", "-H", "X-Key: c4n4ry", "-H", "Authorization: Bearer c4n4ry");
  await curl(`${url}/bad`);
  const list = await verb(["requests", "--status", "4xx"]);
  assert.equal(list.code, 0, list.stderr);
  const [head, row, ...rest] = list.stdout.trimEnd().split("\n");
  assert.match(head, /^TIME +ID +LINK +STATUS +MS +IN +OUT +METHOD +PATH$/);
  assert.match(row, / hook +400 .* GET +\/bad$/);
  assert.deepEqual(rest, []);
  const { items } = JSON.parse((await verb(["requests", "--path", "good", "--json"])).stdout);
  const [{ id }] = items;
  const whole = await verb(["requests", id]);
  assert.match(whole.stdout, /^> POST \/good\?x=1 HTTP\/1\.1$/m);
  assert.match(whole.stdout, /^> X-Key: \*\*\*\n> Authorization: \*\*\*$/m);
  assert.match(whole.stdout, /^it's\n< HTTP\/1\.1 200 OK$/m);
  const line = await verb(["requests", id, "--curl"]);
  assert.match(line.stderr, /hidden/);
  assert.ok(!(whole.stdout + line.stdout + JSON.stringify(items)).includes("c4n4ry"));
  // Filled in by hand, as it says; through bash, as a person would.
  if (packaged("curl", "curl") !== null) {
    const filled = line.stdout.replaceAll("***", "c4n4ry").replace(
      "Authorization: ",
      "Authorization: Bearer ",
    );
    const { success } = await new Deno.Command("bash", {
      args: ["-c", `${filled.trim()} -sS`],
      stdin: "null",
    }).output();
    assert.ok(success);
    assert.equal(heard.at(-1), heard[0]);
  }
  const following = start(["requests", "-f", "--method", "GET", "--limit", "1"]);
  await following.until(() => following.stdout.includes("/bad"));
  for (let n = 0; !following.stdout.includes("/coming"); n++) {
    assert.ok(n < 100, following.stderr);
    await curl(`${url}/coming`);
    await curl(`${url}/good?x=1`, "-d", "x");
  }
  assert.ok(!following.stdout.includes("/good"));
  await following.kill();
});

Deno.test("an edit is a file of its owner's alone, which is gone afterwards, however it ends", async () => {
  await using rig = new Rig();
  const heard: string[] = [];
  const port = await receiver(rig, (request, body) => {
    heard.push(`${request.method} ${request.url} ${request.headers.cookie} ${body}`);
    return Promise.resolve(true);
  });
  const { url, call, state } = await world(rig, port);
  await curl(`${url}/x`, "-d", "body", "-H", "Cookie: s3cret");
  const { items: [{ id }] } = await call("GET", "/v1/requests");
  const left = () => [...Deno.readDirSync(rig.folder)].filter(({ name }) => name.endsWith(".http"));
  const script = rig.file(
    "editor",
    `stat -c 'mode %a' "$1"; cat "$1"; echo; sed -i '1s:/x:/edited:; $s/body/other/' "$1"`,
  );
  const done = await edited(rig, id, `sh ${script}`);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^mode 600$/m);
  assert.match(done.stdout, /^Cookie: \*\*\*$/m);
  assert.match(done.stdout, /^sends POST \/edited to link hook, by the policy$/m);
  // The hidden value is the one that it was.
  assert.deepEqual(heard, ["POST /x s3cret body", "POST /edited s3cret other"]);
  const failed = await edited(rig, id, "false");
  assert.deepEqual([failed.code, /the editor ended with 1: nothing was sent/.test(failed.stderr)], [1, true]);
  assert.deepEqual([left(), heard.length], [[], 2]);

  if (packaged("script", "bsdutils") === null) return;
  // Nothing may be started: the person is told where the file is.
  await using terminal = Terminal.connectd(["replay", id, "--edit", "--state", state], {
    cwd: rig.folder,
    env: { TMPDIR: rig.folder },
  });
  const [, file] = await terminal.until(/edit (\S+\.http), then press Enter/);
  assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
  Deno.writeTextFileSync(file, Deno.readTextFileSync(file).replace("/x", "/by-hand"));
  await terminal.type("\r");
  await terminal.until(/fields/);
  assert.equal(heard.at(-1), "POST /by-hand s3cret body");
  await using other = Terminal.connectd(["replay", id, "--edit", "--state", state], {
    cwd: rig.folder,
    env: { TMPDIR: rig.folder },
  });
  await other.until(/then press Enter/);
  assert.equal(left().length, 1);
  await other.type("\x03");
  while (left().length > 0) await new Promise((turn) => setTimeout(turn, 10));
  assert.equal(heard.length, 3);
});

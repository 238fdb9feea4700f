/** Secrets are planted wherever they may come in, and looked for wherever something goes out or stays. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hashSync } from "bcryptjs";
import { type Answer, ask } from "../hub/rig.ts";
import { type Process, Rig } from "./rig.ts";

/** What nobody may find, by what it is. */
class Canaries {
  readonly #texts = new Map<string, string>();

  plant(name: string, text = `canary-${crypto.randomUUID()}`): string {
    this.#texts.set(name, text);
    return text;
  }

  /** Which of them `octets` hold, as they are or in base64. */
  in(octets: string | Uint8Array): string[] {
    const text = typeof octets === "string" ? octets : Buffer.from(octets).toString("latin1");
    return [...this.#texts].flatMap(([name, secret]) =>
      text.includes(secret) || text.includes(btoa(secret)) ? [name] : []
    );
  }
}

/** What was seen, by where: all that is looked through in the end. */
type Seen = Map<string, string | Uint8Array>;

/** A target that answers with a cookie, or with something that is no answer. */
function startTarget(rig: Rig, cookie: string): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async (conn: Deno.Conn) => {
    const buffer = new Uint8Array(65536);
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      const asked = Buffer.from(buffer.subarray(0, n)).toString("latin1");
      const answer = / \/junk/.test(asked)
        ? `Junk: ${cookie}\r\n\r\n`
        : `HTTP/1.1 200 OK\r\nSet-Cookie: session=${cookie}\r\nContent-Length: 2\r\n\r\nok`;
      await conn.write(Buffer.from(answer, "latin1"));
    }
    conn.close();
  };
  void (async () => {
    for await (const conn of listener) serve(conn).catch(() => {});
  })();
  rig.atEnd(() => listener.close());
  return (listener.addr as Deno.NetAddr).port;
}

/** Bytes of every file below `folder`, but those that are there to hold a secret. */
function* filesBelow(folder: string, but: readonly string[]): Generator<[path: string, octets: Uint8Array]> {
  for (const { name, isFile, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesBelow(path, but);
    else if (isFile && !but.includes(name)) yield [path, Deno.readFileSync(path)];
  }
}

/** What others on the machine may see of a process. */
async function outside({ pid }: Process): Promise<string> {
  const files = [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`];
  const { stdout, success } = await new Deno.Command("cat", { args: files }).output();
  assert.ok(success);
  return Buffer.from(stdout).toString("latin1");
}

Deno.test("no secret is in an output, an answer of an API, a page, a log, a store or the list of processes", async () => {
  await using rig = new Rig();
  const canaries = new Canaries(), seen: Seen = new Map(), processes: [string, Process][] = [];
  const debug = ["--log-level", "debug", "--log-format", "json"];
  const start = (name: string, args: readonly string[], env: Record<string, string> = {}) => {
    const process = rig.connectd(args, env);
    processes.push([name, process]);
    return process;
  };
  const cli = async (args: readonly string[], more: { shows?: true; env?: Record<string, string> } = {}) => {
    const process = start(args.join(" "), args, more.env);
    const looked = outside(process).then((text) => seen.set(`processes: ${args.join(" ")}`, text), () => {});
    const run = await process.ended();
    await looked;
    // What is there to show a secret is not looked through.
    if (more.shows) processes.pop();
    return run;
  };

  // Files with secrets: tokens, passwords, values of fields.
  const cookie = canaries.plant("a target's Set-Cookie");
  const port = startTarget(rig, cookie);
  const password = canaries.plant("a password");
  canaries.plant("a credential in base64", btoa(`alice:${password}`));
  rig.file("users", `alice:${hashSync(password, 5)}\n`);
  const bearer = canaries.plant("a visitor's token");
  rig.file("partner.tokens", `${bearer}\n`);
  const value = canaries.plant("a value that is set");
  const hubState = `${rig.folder}/hub`, state = `${rig.folder}/daemon`, file = `${rig.folder}/links.yaml`;

  const hub = start("hub", ["hub", "--listen", "127.0.0.1:0", "--state", hubState, "--json", ...debug]);
  const { hub: hubUrl } = await hub.ready<{ hub: string }>();
  const made = await cli(["token", "create", "--scope", "daemon", "--state", hubState], { shows: true });
  const token = made.stdout.trim();
  canaries.plant("a hub's token", token.split("_").at(-1));
  const tokenFile = rig.file("hub.token", token);
  const admin =
    (await cli(["token", "create", "--scope", "admin", "--state", hubState], { shows: true })).stdout;
  canaries.plant("an admin's token", admin.trim().split("_").at(-1));
  const adminFile = rig.file("admin.token", admin);

  const link = (name: string, rest: string) => `  ${name}: { subdomain: ${name}, ${rest} }\n`;
  const target = `target: 'localhost:${port}'`;
  const yaml = `version: 1\nhub: ${hubUrl}\ndefaults: { inspect_redact: [key, X-Api-Key] }\nlinks:\n` +
    link("open", `${target}, paths: [/in, /junk], rate: 1000/s`) +
    link("basic", `${target}, auth: { basic: { file: ./users } }`) +
    link("bearer", `${target}, auth: { bearer: { token_file: ./partner.tokens } }`) +
    link("set", `${target}, headers: { request: { set: { Authorization: 'Bearer ${value}' } } }`) +
    link("down", `target: 'localhost:1', auth: { basic: { file: ./users } }`);
  rig.file("links.yaml", yaml);
  const daemon = start("daemon", [
    ...["run", "--config", file, "--state", state, "--control", "127.0.0.1:0", "--json", ...debug],
  ], { CONNECTD_TOKEN_FILE: tokenFile });
  const { control } = await daemon.ready<{ control: string }>();
  const controlToken = canaries.plant(
    "the control token",
    Deno.readTextFileSync(`${state}/control.token`).trim(),
  );
  canaries.plant("the token for figures", Deno.readTextFileSync(`${state}/metrics.token`).trim());

  const api = async (
    line: string,
    body?: unknown,
    more: { fields?: readonly string[]; origin?: string; token?: string } = {},
  ): Promise<Answer> => {
    const { origin = `http://${control}`, token = controlToken, fields = [] } = more;
    const { host, port } = new URL(origin);
    const json = body === undefined ? "" : JSON.stringify(body);
    const lines = [`${line} HTTP/1.1`, `Authorization: Bearer ${token}`, ...fields];
    if (body !== undefined) lines.push("Content-Type: application/json", `Content-Length: ${json.length}`);
    const answer = await ask(Number(port), host, lines.join("\r\n"), json);
    seen.set(`API: ${line} ${seen.size}`, answer.head + answer.body);
    return answer;
  };

  // Whoever listens.
  const listening = new AbortController();
  const events = await fetch(`http://${control}/v1/events?requests=true`, {
    headers: { Authorization: `Bearer ${controlToken}` },
    signal: listening.signal,
  });
  let told = "";
  const heard = (async () => {
    for await (const piece of events.body!.pipeThrough(new TextDecoderStream())) told += piece;
  })().catch(() => {});
  const follower = start("logs -f", ["logs", "-f", "--state", state]);
  await follower.until(() => follower.stdout.includes("TIME"));

  // Visitors.
  const [query, jar, proxy, key, wrong, body] = [
    ...["a query", "a Cookie", "a Proxy-Authorization", "a listed field", "a wrong password", "a body"],
  ].map((name) => canaries.plant(name));
  canaries.plant("a wrong credential in base64", btoa(`mallory:${wrong}`));
  const hubPort = Number(new URL(hubUrl).port);
  const visit = async (name: string, path: string, credential: string, due: number, method = "POST") => {
    const lines = [
      `${method} ${path}?key=${query} HTTP/1.1`,
      `Cookie: session=${jar}`,
      `Proxy-Authorization: Basic ${proxy}`,
      `X-Api-Key: ${key}`,
      `Accept: text/html`,
      `Authorization: ${credential}`,
      ...(method === "POST" ? [`Content-Length: ${body.length}`] : []),
    ];
    const answer = await ask(hubPort, `${name}.localhost`, lines.join("\r\n"), method === "POST" ? body : "");
    assert.equal(answer.status, due, `${name} ${path}: ${answer.head}`);
    // The target's own answer is for the visitor.
    if (due !== 200) seen.set(`page: ${name} ${path} ${due}`, answer.head + answer.body);
  };
  const right = `Basic ${btoa(`alice:${password}`)}`;
  await visit("open", "/in", `Bearer ${bearer}`, 200);
  await visit("open", "/in", `Bearer ${bearer}`, 200, "GET");
  await visit("open", "/out", `Bearer ${bearer}`, 403);
  await visit("open", "/junk", `Bearer ${bearer}`, 502);
  await visit("basic", "/", right, 200);
  await visit("basic", "/", `Basic ${btoa(`mallory:${wrong}`)}`, 401);
  await visit("bearer", "/", `Bearer ${bearer}`, 200);
  await visit("bearer", "/", `Bearer ${wrong}`, 401);
  await visit("set", "/", `Bearer ${bearer}`, 200);
  await visit("down", "/", right, 502);
  await visit("nobody", "/", right, 404);

  // Callers of both APIs, right ones and wrong ones.
  await api("POST /v1/links", { name: "once", target: `localhost:${port}`, ttl: "1h", maxUses: 5 });
  const { json: { items: requests } } = await api("GET /v1/requests");
  assert.ok(requests.length >= 6);
  for (const { id } of requests) {
    await api(`GET /v1/requests/${id}`);
    await api(`POST /v1/requests/${id}/replay`, { via: "target" });
  }
  await api("POST /v1/explain", {
    ...{ method: "GET", path: `/in?key=${query}`, link: "basic" },
    headers: { Authorization: right, Cookie: jar },
  });
  for (
    const path of [
      ...["status", "links", "links/set", "links/basic", "plan", "audit", "audit/head", "logs"],
      `nowhere?key=${query}`,
    ]
  ) await api(`GET /v1/${path}`);
  await api("GET /metrics");
  await api("GET /openapi.json");
  assert.equal((await api("GET /v1/status", undefined, { token: wrong })).status, 401);
  const origin = hubUrl;
  for (const path of ["links", "sessions", "tokens", "audit", "audit/head", "openapi.json"]) {
    await api(`GET /v1/${path}`, undefined, { origin, token: admin.trim() });
  }
  for (const path of ["links", "tunnel"]) {
    assert.equal(
      (await api(`GET /v1/${path}?key=${query}`, undefined, { origin, token: wrong })).status,
      401,
    );
  }
  await api("GET /metrics", undefined, { origin, token: admin.trim() });
  await api("GET /healthz", undefined, { origin });

  // A file with a mistake, in the place of a secret.
  rig.file("links.yaml", yaml.replace(`'Bearer ${value}'`, `['Bearer ${value}']`));
  assert.equal((await api("POST /v1/reload", {})).status, 422);
  await api("GET /v1/status");
  assert.equal((await cli(["check", file])).code, 2);
  rig.file("links.yaml", yaml.replace("rate: 1000/s", "rate: 999/s"));
  await api("GET /v1/plan");
  assert.equal((await api("POST /v1/reload", {})).status, 200);

  // The page. Its URL is good for once; what it was, and what it gave, is a secret like the others.
  const invited = await ask(
    Number(new URL(`http://${control}`).port),
    control,
    `POST /v1/sign-in HTTP/1.1\r\nAuthorization: Bearer ${controlToken}\r\nContent-Length: 0`,
  );
  const url = new URL(invited.json.url);
  canaries.plant("a one-time URL", /[\w-]{20,}/.exec(url.pathname + url.search)![0]);
  const entered = await ask(
    Number(url.port),
    url.host,
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nAccept: text/html`,
  );
  const session = /^set-cookie: ([^=]+=([^;]+))/mi.exec(entered.head)!;
  canaries.plant("a session's cookie", session[2]);
  for (
    const path of [
      "/",
      "/links/set",
      "/links/basic",
      "/requests",
      `/requests/${requests[0].id}`,
      "/audit",
      "/plan",
    ]
  ) {
    const page = await ask(
      Number(url.port),
      url.host,
      `GET ${path} HTTP/1.1\r\nAccept: text/html\r\nCookie: ${session[1]}`,
    );
    seen.set(`page: ${path}`, page.head + page.body);
  }

  // The command line.
  const at = ["--state", state];
  const { id } = requests.find(({ method }: { method: string }) => method === "GET");
  for (
    const args of [
      ...[["list", ...at], ["status", ...at], ["plan", ...at], ["reload", ...at, "--json"], ["check", file]],
      ...[["requests", ...at], ["requests", id, ...at], ["requests", id, "--curl", ...at], [
        "replay",
        id,
        ...at,
      ]],
      ...[["logs", ...at], ["logs", "--json", ...at], ["audit", ...at], ["audit", "--verify", ...at]],
      ["explain", "POST", "/in", "--link", "basic", ...at],
      ["link", `localhost:${port}`, "--detach", "-n", "made", ...at],
      ...[["revoke", "made", ...at], ["renew", "made", "1h", ...at], ["list", "--json", ...at]],
      ["list", "--control", control, "--token-file", `${state}/control.token`],
      ["list", "--hub", hubUrl, "--token-file", adminFile],
      ["token", "list", "--hub", hubUrl, "--token-file", adminFile],
      ["doctor", "-c", file, ...at],
      ["permissions", "-c", file, ...at],
    ]
  ) {
    const { code, stderr } = await cli(args, { env: { CONNECTD_TOKEN_FILE: tokenFile } });
    assert.ok(code === 0 || args[0] === "doctor", `${args.join(" ")}: ${stderr}`);
  }
  const ui = await cli(["ui", ...at], { shows: true });
  canaries.plant(
    "another one-time URL",
    /[\w-]{20,}/.exec(new URL(ui.stdout.trim().split(/\s/).at(-1)!).href)![0],
  );
  // A daemon that its hub does not let in.
  rig.file("strange.yaml", yaml);
  const strange = start("strange", [
    ...["run", "--config", `${rig.folder}/strange.yaml`, "--state", `${rig.folder}/strange`],
    ...["--control", "127.0.0.1:0", "--json", ...debug],
  ], {
    CONNECTD_TOKEN_FILE: rig.file("strange.token", token.replace(/_[^_]+$/, `_${wrong.replaceAll("-", "")}`)),
  });
  canaries.plant("a strange token", wrong.replaceAll("-", ""));
  await strange.ready();
  await strange.until(() => /refused|unauthorized/.test(strange.stderr));

  for (const [name, process] of [["hub", hub], ["daemon", daemon], ["strange", strange]] as const) {
    seen.set(`processes: ${name}`, await outside(process));
  }
  for (const process of [follower, strange, daemon, hub]) await process.kill();
  listening.abort();
  await heard;
  seen.set("events", told);
  for (const [name, { stdout, stderr }] of processes) seen.set(`output: ${name}`, stdout + stderr);
  for (const folder of [hubState, state, `${rig.folder}/strange`]) {
    for (const [path, octets] of filesBelow(folder, ["control.token", "metrics.token"])) {
      seen.set(path, octets);
    }
  }

  // It was looked where something is to be seen.
  for (
    const [place, text] of [
      [`${state}/access.log`, "target_bad_response"],
      [`${hubState}/hub-access.log`, "path_denied"],
      [`${state}/state.db`, "SQLite"],
      [`${hubState}/hub.db`, "SQLite"],
      ["output: daemon", "target_bad_response"],
      ["output: hub", "refused"],
      ["output: logs -f", "/junk"],
      ["events", "event: request"],
      ["page: basic / 401", "auth_required"],
      ["page: /links/set", "Authorization"],
    ]
  ) assert.ok(Buffer.from(seen.get(place) ?? "").toString("latin1").includes(text), `${place}: no ${text}`);
  assert.ok(
    canaries.in(`x${btoa(password)}`).length === 1 && canaries.in(Deno.readFileSync(file)).length === 1,
  );
  const found = [...seen].flatMap(([place, octets]) =>
    canaries.in(octets).map((name) => `${name} in ${place}`)
  );
  assert.deepEqual(found, []);
});

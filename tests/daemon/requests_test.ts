import assert from "node:assert/strict";
import { latin1 } from "../../src/core/latin1.ts";
import type { FullRequestJson, RequestJson } from "../../src/daemon/witnesses/capture_json.ts";
import { DaemonRig } from "./daemon_rig.ts";
import { type Connection, TestTarget } from "./serve_rig.ts";

/** A daemon, its links, and a target that tells every message just as it came. */
class World implements AsyncDisposable {
  /** Head and body of each request that reached the target, in one text. */
  readonly came: string[] = [];
  /** What the target answers. */
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Answer: 1\r\n\r\nok";
  rig!: DaemonRig;
  #visits = 0;
  readonly #target = new TestTarget((connection) => this.#serve(connection));

  /** `links`: each the keys of a link besides its target. */
  static async start(links: Record<string, string>, files: Record<string, string> = {}): Promise<World> {
    const world = new World();
    world.rig = await DaemonRig.start(world.yaml({}));
    for (const [name, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${world.rig.folder}/${name}`, text);
    }
    await world.links(links);
    return world;
  }

  yaml(links: Record<string, string>): string {
    const { port } = this.#target.target as { port: number };
    return "links: {" +
      Object.entries(links).map(([name, keys]) => `${name}: { target: "localhost:${port}", ${keys} }`).join(
        ", ",
      ) +
      "}";
  }

  async links(links: Record<string, string>): Promise<void> {
    const { status, json } = await this.rig.reload(this.yaml(links), { allowEmpty: true });
    assert.equal(status, 200, JSON.stringify(json));
    await this.rig.hub.until(() => Object.keys(links).every((name) => this.rig.hub.id(name) !== undefined));
  }

  async #serve(connection: Connection): Promise<void> {
    for (let head; (head = await connection.readHead()) !== null;) {
      const length = /^content-length: ?(\d+)\r$/im.exec(head)?.[1];
      const body = /^transfer-encoding:/im.test(head)
        ? await chunks(connection)
        : await connection.read(Number(length ?? 0));
      this.came.push(head + body);
      await connection.write(this.answer);
    }
  }

  /** A visitor's request, answered; returns its id. */
  async visit(link: string, line: string, fields: string[] = [], body = "", trailers: string | null = null) {
    const requestId = `v${++this.#visits}`;
    const last = body === "" && trailers === null;
    const asked = this.rig.hub.ask(this.rig.hub.id(link), line, { fields, last, requestId });
    if (body !== "") await asked.send(body);
    if (!last) asked.stream.end(trailers ?? "");
    await asked.over;
    return requestId;
  }

  async list(query = ""): Promise<RequestJson[]> {
    const { status, json } = await this.rig.api("GET", `/v1/requests${query}`);
    assert.equal(status, 200, JSON.stringify(json));
    return json.items;
  }

  async full(id: string): Promise<FullRequestJson> {
    const { status, json } = await this.rig.api("GET", `/v1/requests/${id}`);
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  }

  /** The new request, or the problem that there is. */
  // deno-lint-ignore no-explicit-any
  async replay(id: string, wish?: unknown): Promise<any> {
    // ASCII, as the rig counts it.
    const body = JSON.stringify(wish)?.replace(
      /[^ -~]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    return (await this.rig.api("POST", `/v1/requests/${id}/replay`, body)).json;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig.daemon.close();
    this.#target.close();
    await this.rig[Symbol.asyncDispose]();
    // Outstanding operations on sockets that were closed settle in the next turns.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A chunked body as it stands on the wire, trailers too. */
async function chunks(connection: Connection): Promise<string> {
  let text = await connection.readTo("0\r\n") ?? "", line;
  do text += line = await connection.readTo("\r\n") ?? ""; while (line.length > 2);
  return text;
}

const VIAS = ["policy", "target"] as const;

Deno.test("requests are listed by what was asked for, the newest first, page by page", async () => {
  await using world = await World.start({
    a: "methods: [GET, POST]",
    b: "paths: [/only], shadow: true",
    c: "inspect: off",
  });
  await world.visit("a", "GET /one?secret=1");
  await world.visit("a", "DELETE /two");
  await world.visit("b", "GET /elsewhere");
  await world.visit("c", "GET /unseen");
  world.answer = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
  await world.visit("b", "POST /only/x", ["Content-Length: 3"], "abc");
  const FILTERS: [query: string, ids: string[]][] = [
    ["", ["v5", "v3", "v2", "v1"]],
    ["?link=a", ["v2", "v1"]],
    ["?link=none", []],
    ["?code=method_denied", ["v2"]],
    ["?code=path_denied", ["v3"]],
    ["?status=503", ["v5"]],
    ["?status=4xx", ["v2"]],
    ["?status=2xx&link=b", ["v3"]],
    ["?method=POST", ["v5"]],
    ["?path=only", ["v5"]],
    ["?path=secret", []],
  ];
  for (const [query, ids] of FILTERS) {
    assert.deepEqual((await world.list(query)).map(({ id }) => id), ids, query);
  }
  const first = (await world.rig.api("GET", "/v1/requests?limit=2")).json;
  assert.deepEqual(first.items.map(({ id }: RequestJson) => id), ["v5", "v3"]);
  // What comes meanwhile does not move the pages.
  await world.visit("a", "GET /meanwhile");
  const rest = (await world.rig.api("GET", `/v1/requests?limit=2&cursor=${first.nextCursor}`)).json;
  assert.deepEqual([rest.items.map(({ id }: RequestJson) => id), rest.nextCursor], [["v2", "v1"], null]);
  for (const status of ["5", "x", "5xxx", "-1"]) {
    assert.equal((await world.rig.api("GET", `/v1/requests?status=${status}`)).status, 422, status);
  }
});

Deno.test("a request is shown with both heads, where its time went and what was said of it; a refused one too", async () => {
  await using world = await World.start({ a: "methods: [GET]" });
  await world.visit("a", "GET /x?y=1", ["X-Odd:  a", "Cookie: c"]);
  await world.visit("a", "PUT /x");
  const { times, at, ms, address, ...rest } = await world.full("v1");
  assert.ok(times.over >= times.answered! && times.answered! >= times.judged && ms === times.over);
  assert.ok(times.connected !== null && address === "192.0.2.7" && !Number.isNaN(Date.parse(at as string)));
  assert.deepEqual(rest, {
    id: "v1",
    link: "a",
    method: "GET",
    path: "/x",
    target: "/x?y=1",
    status: 200,
    code: null,
    verdict: null,
    bytesIn: 0,
    bytesOut: 2,
    captured: "heads",
    replayOf: null,
    request: {
      head: "GET /x?y=1 HTTP/1.1\r\nHost: demo.hub.test\r\nX-Odd:  a\r\nCookie: ***\r\n\r\n",
      body: null,
    },
    response: { head: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Answer: 1\r\n\r\n", body: null },
  });
  const refused = await world.full("v2");
  assert.deepEqual([refused.status, refused.code, refused.verdict, refused.response], [
    405,
    "method_denied",
    "method_denied",
    null,
  ]);
  assert.equal((await world.rig.api("GET", "/v1/requests/none")).status, 404);
});

/** Requests that somebody on the way could be tempted to tidy up. */
const EXACT: [what: string, line: string, fields: string[], body: string, trailers?: string][] = [
  ["without a body", "GET /a//b/../c?x=%zz&y", ["X-A:  1", "x-a:\t2", "Accept: */*", "TE: trailers"], ""],
  ["a body of a length", "POST /hook", ["content-length:5", "Content-Type: text/plain"], "\0\xff\r\n "],
  ["a body of no octet", "POST /hook", ["Content-Length: 0"], ""],
  ["chunks and trailers", "PUT /c", ["Transfer-Encoding: chunked", "Trailer: X-T"], "abc", "X-T: 1\r\n"],
  ["one that waits for a 100", "POST /e", ["Expect: 100-continue", "Content-Length: 2"], "ab"],
  ["64 KiB", "POST /l", ["Content-Length: 65536"], "\x01\x80".repeat(32 * 1024)],
  ["cookies and the app's own credential", "GET /", ["Cookie: a=b", "Authorization: AWS4 x"], ""],
  ["names of other ways", "GET /", ["X-Forwarded-For: 6.6.6.6", "Connection: X-Hop", "X-Hop: 1"], ""],
];

for (const [what, line, fields, body, trailers] of EXACT) {
  Deno.test(`sent again it reaches the target octet for octet, by its policy and straight: ${what}`, async () => {
    await using world = await World.start({ a: "inspect: bodies" });
    const id = await world.visit("a", line, fields, body, trailers);
    for (const via of VIAS) {
      const again = await world.replay(id, { via });
      assert.deepEqual(
        [again.status, again.replayOf, again.response.body.text],
        [200, id, "ok"],
        JSON.stringify(again),
      );
      assert.notEqual(again.id, id);
    }
    assert.equal(world.came.length, 3);
    assert.deepEqual(world.came[1], world.came[0]);
    assert.deepEqual(world.came[2], world.came[0]);
    assert.deepEqual((await world.list()).map(({ replayOf }) => replayOf), [id, id, null]);
  });
}

Deno.test("a replay is judged as its visitor would be now, and straight to the target it is not", async () => {
  await using world = await World.start(
    { a: "rate: 2/h, auth: { bearer: { token_file: ./tokens } }" },
    { tokens: "0123456789abcdef-one\n" },
  );
  const id = await world.visit("a", "GET /", ["Authorization: Bearer 0123456789abcdef-one"]);
  assert.equal((await world.full(id)).status, 200);
  const first = await world.replay(id);
  assert.deepEqual([first.status, first.code], [200, null]);
  const second = await world.replay(id);
  assert.deepEqual([second.status, second.code, second.verdict, second.response], [
    429,
    "rate_limited",
    "rate_limited",
    null,
  ]);
  assert.equal((await world.replay(id, { via: "target" })).status, 200);
  // The credential was for the link, whichever way: no target has seen it.
  assert.equal(world.came.length, 3);
  for (const head of world.came) assert.equal(head, world.came[0]);
  assert.doesNotMatch(world.came[0], /authorization/i);
  assert.deepEqual(world.rig.link("a").counters.denied, { rate_limited: 1 });
});

Deno.test("a refused request goes straight to the target when its owner says so, whatever its link has become", async () => {
  await using world = await World.start({ a: "methods: [GET]" });
  const id = await world.visit("a", "DELETE /x");
  assert.equal((await world.replay(id)).code, "method_denied");
  assert.equal((await world.replay(id, { via: "target" })).status, 200);
  await world.rig.api("DELETE", "/v1/links/a");
  assert.equal((await world.replay(id)).code, "link_revoked");
  assert.equal((await world.replay(id, { via: "target" })).status, 200);
  assert.deepEqual(world.came.map((text) => text.split(" ")[0]), ["DELETE", "DELETE"]);
});

Deno.test("what is gone can't be sent again: its link, or what was captured of it", async () => {
  await using world = await World.start({ a: "", b: "" });
  const [a, b] = [await world.visit("a", "GET /"), await world.visit("b", "GET /")];
  await world.links({ b: "methods: [GET]" });
  assert.equal((await world.replay(a)).status, 404);
  assert.equal((await world.replay(b)).status, 200);
  await world.links({ b: "inspect: off" });
  assert.equal((await world.replay(b)).status, 404);
  assert.deepEqual(await world.list(), []);
});

const LACKING: [what: string, keys: string, length: number, says: RegExp][] = [
  ["bodies are not kept", "", 5, /set `inspect: bodies`/],
  ["it is too long", "inspect: bodies", 65_537, /only the beginning/i],
  ["it was refused before it came", "inspect: bodies, methods: [GET]", 5, /had not come/],
];

for (const [what, keys, length, says] of LACKING) {
  Deno.test(`without the whole of its body a request is not sent again, but with another one: ${what}`, async () => {
    await using world = await World.start({ a: keys });
    const id = await world.visit("a", "POST /x", [`Content-Length: ${length}`], "x".repeat(length));
    const before = world.came.length;
    const refused = await world.replay(id);
    assert.deepEqual([refused.status, refused.code], [422, "body_missing"]);
    assert.match(refused.detail, says);
    assert.equal((await world.replay(id, { edit: { method: "PUT" } })).code, "body_missing");
    assert.equal(world.came.length, before);
    const edited = await world.replay(id, { via: "target", edit: { body: "new" } });
    assert.equal(edited.status, 200);
    assert.match(world.came[before], /^POST \/x HTTP\/1\.1\r\n[^]*^Content-Length: 3\r\n[^]*\r\n\r\nnew$/m);
  });
}

Deno.test("of an edited request everything is as it says, and what frames it is made anew", async () => {
  await using world = await World.start({ a: "inspect: bodies, inspect_redact: [token]" });
  const id = await world.visit(
    "a",
    "POST /x?token=t0&a=1&token=t1",
    ["Content-Length: 3", "Cookie: one", "X-Old: 1", "Cookie: two"],
    "abc",
  );
  const sent = async (edit: unknown) => {
    const again = await world.replay(id, { edit });
    assert.equal(again.status, 200, JSON.stringify(again));
    return world.came.at(-1)!.replace(/^(X-Forwarded|Forwarded|CDN-Loop|Host).*\r\n/gm, "");
  };
  assert.equal(
    await sent({ method: "PATCH" }),
    "PATCH /x?token=t0&a=1&token=t1 HTTP/1.1\r\nContent-Length: 3\r\nCookie: one\r\nX-Old: 1\r\nCookie: two\r\n\r\nabc",
  );
  const headers = [["host", "demo.hub.test"], ["Cookie", "***"], ["X-New", "***"], ["cookie", "***"]];
  assert.equal(
    await sent({ target: "/y?token=***&token=***&b=***", headers, body: "Zoë" }),
    "POST /y?token=t0&token=t1&b=*** HTTP/1.1\r\nCookie: one\r\nX-New: ***\r\ncookie: two\r\nContent-Length: 4\r\n\r\n" +
      latin1(new TextEncoder().encode("Zoë")),
  );
  assert.equal(
    await sent({
      headers: [...headers.slice(0, 1), ["Transfer-Encoding", "chunked"], ["Content-Length", "99"]],
    }),
    "POST /x?token=t0&a=1&token=t1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
  );
  assert.match(
    await sent({ body: "AP8=", bodyEncoding: "base64" }),
    /^Content-Length: 2\r\n[^]*\r\n\r\n\0\xff$/m,
  );
  assert.match(await sent({ body: "" }), /^Content-Length: 0\r\n[^]*\r\n\r\n$/m);
  const chunked = await world.visit("a", "POST /c", ["Transfer-Encoding: chunked"], "abc", "X-T: 1\r\n");
  await world.replay(chunked, { edit: { target: "/d" } });
  assert.match(
    world.came.at(-1)!,
    /^POST \/d [^]*Transfer-Encoding: chunked[^]*\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n$/,
  );
  await world.replay(chunked, { edit: { body: "d" } });
  assert.match(world.came.at(-1)!, /^POST \/c [^]*Content-Length: 1\r\n[^]*\r\n\r\nd$/);
});

const BAD: [what: string, wish: unknown, pointer: string][] = [
  ["another way", { via: "hub" }, "/via"],
  ["a member that is not known", { edits: {} }, "/edits"],
  ["an edit that is a list", { edit: [] }, "/edit"],
  ["a member of it that is not known", { edit: { path: "/" } }, "/edit/path"],
  ["a method of another type", { edit: { method: 1 } }, "/edit/method"],
  ["fields that are no pairs", { edit: { headers: [["a"]] } }, "/edit/headers"],
  ["a body that is no base64", { edit: { body: "?", bodyEncoding: "base64" } }, "/edit/body"],
  ["a method that no link takes", { edit: { method: "CONNECT" } }, "/edit"],
  ["a method that ends its word", { edit: { method: "GET /x HTTP/1.1\r\nX:" } }, "/edit"],
  ["a target that ends its line", { edit: { target: "/ HTTP/1.1\r\nX-Smuggled: 1" } }, "/edit"],
  ["a target without a slash", { edit: { target: "http://other/" } }, "/edit"],
  ["a character that no octet is", { edit: { target: "/\u0100" } }, "/edit"],
  ["no Host", { edit: { headers: [] } }, "/edit"],
  ["two Hosts", { edit: { headers: [["Host", "a"], ["Host", "b"]] } }, "/edit"],
  ["a value of two lines", { edit: { headers: [["Host", "a"], ["X", "1\r\nY: 2"]] } }, "/edit/headers/1"],
  ["a name that is no token", { edit: { headers: [["Host", "a"], ["X: 1\r\nY", "2"]] } }, "/edit/headers/1"],
  ["a name with a colon", { edit: { headers: [["Host: a", "b"]] } }, "/edit/headers/0"],
  [
    "a hidden field that was not there",
    { edit: { headers: [["Host", "a"], ["Cookie", "***"]] } },
    "/edit/headers/1",
  ],
];

Deno.test("an edit that is no request is pointed at, and nothing is sent", async () => {
  await using world = await World.start({ a: "" });
  const id = await world.visit("a", "GET /");
  for (const [what, wish, pointer] of BAD) {
    const refused = await world.replay(id, wish);
    assert.deepEqual([refused.status, refused.code], [422, "invalid"], `${what} ${JSON.stringify(refused)}`);
    assert.deepEqual(refused.errors.map(({ pointer }: { pointer: string }) => pointer), [pointer], what);
  }
  assert.deepEqual([world.came.length, (await world.list()).length], [1, 1]);
});

Deno.test("an answer without an end is cut after half a minute, and one that is upgraded at once", async () => {
  await using world = await World.start({ a: "inspect: bodies" });
  const id = await world.visit("a", "GET /events");
  world.answer = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
  const replay = world.replay(id);
  let over = false;
  void replay.then(() => over = true);
  while (!over) await world.rig.pass(1_000);
  const again = await replay;
  assert.deepEqual([again.status, again.code, again.response.body.text], [200, "replay_over", "data: 1\n\n"]);
  assert.ok(again.ms >= 30_000 && again.ms < 40_000, again.ms);

  world.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const handshake = await world.visit("a", "GET /ws", ["Connection: Upgrade", "Upgrade: websocket"]);
  world.answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
  const upgraded = await world.replay(handshake);
  assert.deepEqual([upgraded.status, upgraded.captured, upgraded.code], [101, "heads", "replay_over"]);
  assert.match(world.came.at(-1)!, /^Upgrade: websocket\r$/m);
  assert.equal(world.rig.link("a").counters.open, 0);
});

Deno.test("a target that is away is what the replay tells, and the log", async () => {
  await using world = await World.start({ a: "" });
  const id = await world.visit("a", "GET /");
  world.answer = "no HTTP\r\n\r\n";
  const again = await world.replay(id);
  assert.deepEqual([again.status, again.code, again.response], [502, "target_bad_response", null]);
  assert.ok(world.rig.lines.some((line) => /a target failed.*target_bad_response/.test(line)));
});

Deno.test("no credential of a captured request is in any answer, log or file", async () => {
  await using world = await World.start({ a: "inspect: bodies, inspect_redact: [X-Key]" });
  const canary = "c4n4ry-of-this-test";
  const id = await world.visit("a", `GET /x?X-Key=${canary}`, [
    `Authorization: ${canary}`,
    `X-Key: ${canary}`,
  ]);
  world.answer = `HTTP/1.1 200 OK\r\nSet-Cookie: ${canary}\r\nContent-Length: 0\r\n\r\n`;
  const again = await world.replay(id);
  const bad = await world.replay(id, { edit: { target: "x" } });
  const seen = JSON.stringify([
    again,
    bad,
    await world.list(),
    await world.full(id),
    world.rig.lines,
  ]);
  assert.ok(!seen.includes(canary), seen);
  assert.ok(world.came[1].includes(canary));
  await world.rig.daemon.close();
  for (const { name, isFile } of Deno.readDirSync(world.rig.state)) {
    if (isFile) assert.ok(!Deno.readTextFileSync(`${world.rig.state}/${name}`).includes(canary), name);
  }
});

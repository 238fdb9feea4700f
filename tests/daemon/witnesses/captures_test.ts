import assert from "node:assert/strict";
import { RequestReader, ResponseReader } from "../../../src/core/http1/head.ts";
import type { RequestHead, ResponseHead } from "../../../src/core/http1/types.ts";
import { toBytes } from "../../../src/core/latin1.ts";
import { Events } from "../../../src/daemon/events.ts";
import type { Followed } from "../../../src/daemon/follow.ts";
import type { ServedLink } from "../../../src/daemon/served.ts";
import { Captures } from "../../../src/daemon/witnesses/captures.ts";
import type { Capture } from "../../../src/daemon/witnesses/capture.ts";
import { fullRequestJson, requestJson } from "../../../src/daemon/witnesses/capture_json.ts";
import { BODY_MAX } from "../../../src/daemon/witnesses/kept_body.ts";
import type { Seen } from "../../../src/daemon/witnesses/recorder.ts";
import { liveOctets } from "../../heap.ts";

const KIB = 1024, MIB = 1024 * KIB;

interface Inspect {
  inspect: "off" | "heads" | "bodies";
  inspectLast: number;
  inspectRedact: readonly string[];
}

/** A link as far as captures look at one. */
class FakeLink {
  entry: Inspect = { inspect: "heads", inspectLast: 100, inspectRedact: [] };
  constructor(readonly name: string) {}
}

/** Captures with links that a test opens, closes and retunes. */
class World {
  readonly events = new Events();
  readonly captures: Captures;
  #sent = 0;

  constructor(max?: number) {
    this.captures = new Captures(this.events, max);
  }

  open(name: string, inspect: Partial<Inspect> = {}): FakeLink {
    const link = new FakeLink(name);
    Object.assign(link.entry, inspect);
    this.events.emit("link.opened", { name });
    return link;
  }

  retune(link: FakeLink, inspect: Partial<Inspect>): void {
    Object.assign(link.entry, inspect);
    this.events.emit("link.retuned", { name: link.name });
  }

  close({ name }: FakeLink): void {
    this.events.emit("link.closed", { name });
  }

  begin(link: FakeLink, text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", id = `r${++this.#sent}`): Capture | null {
    return this.captures.follow({
      link: link as unknown as ServedLink,
      requestId: id,
      address: "192.0.2.7",
      head: requestHead(text),
      verdict: null,
    } as unknown as Followed);
  }

  /** A whole exchange. */
  go(link: FakeLink, { text, body, answer, id }: {
    text?: string;
    body?: Uint8Array;
    answer?: Uint8Array;
    id?: string;
  } = {}): Capture | null {
    const capture = this.begin(link, text, id);
    if (capture === null) return null;
    if (body !== undefined) capture.requestBody(body);
    capture.requestEnd("");
    capture.response(responseHead("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    if (answer !== undefined) capture.responseBody(answer);
    end(capture, body?.length, answer?.length);
    return capture;
  }

  ids(): string[] {
    return this.captures.newest().map(({ request }) => request.requestId);
  }
}

function end(capture: Capture, bytesIn = 0, bytesOut = 0): void {
  const outcome = { status: 200, code: null, bytesIn, bytesOut };
  const times = { judged: 0, connected: null, answered: 1, over: 2 };
  capture.over({ request: capture.request, at: 0, times, outcome } as Seen);
}

function requestHead(text: string): RequestHead {
  const reader = new RequestReader(), bytes = toBytes(text);
  reader.read(bytes, 0, bytes.length);
  return reader.head!;
}

function responseHead(text: string): ResponseHead {
  const reader = new ResponseReader(), bytes = toBytes(text);
  reader.expect({ method: "GET", upgrade: "websocket" });
  reader.read(bytes, 0, bytes.length);
  return reader.head!;
}

Deno.test("of every link the last ones are kept, the newest first", () => {
  const world = new World();
  const a = world.open("a", { inspectLast: 2 }), b = world.open("b");
  for (let i = 0; i < 3; i++) {
    world.go(a);
    world.go(b);
  }
  assert.deepEqual(world.ids(), ["r6", "r5", "r4", "r3", "r2"]);
  assert.equal(world.captures.get("r1"), undefined);
  assert.equal(world.captures.get("r3")!.request.link.name, "a");
});

Deno.test("what is not over is not shown, and what a hub names twice is shown as it was last", () => {
  const world = new World(), link = world.open("a");
  world.begin(link);
  assert.deepEqual(world.ids(), []);
  world.go(link, { id: "same", body: toBytes("1") });
  const second = world.go(link, { id: "same", body: toBytes("2") });
  assert.equal(world.captures.get("same"), second);
});

Deno.test("captures outlive a retune, and go with `inspect: off`, with a smaller number, and with their link", () => {
  const world = new World(), link = world.open("a"), other = world.open("b");
  for (let i = 0; i < 5; i++) world.go(link);
  world.go(other);
  world.retune(link, { inspect: "bodies", inspectRedact: ["x"] });
  assert.equal(world.ids().length, 6);
  world.retune(link, { inspectLast: 2 });
  assert.deepEqual(world.ids(), ["r6", "r5", "r4"]);
  const late = world.begin(link)!;
  late.requestBody(new Uint8Array(BODY_MAX));
  world.retune(link, { inspect: "off" });
  assert.deepEqual(world.ids(), ["r6"]);
  assert.equal(world.go(link), null);
  end(late);
  assert.deepEqual(world.ids(), ["r6"]);
  const leaving = world.begin(other)!;
  leaving.requestBody(new Uint8Array(10));
  world.close(other);
  end(leaving);
  assert.deepEqual([world.ids(), world.captures.octets], [[], 0]);
  assert.equal(world.go(other), null);
});

Deno.test("of a body that is longer than 64 KiB the beginning is kept, and said to be that", () => {
  const world = new World(), link = world.open("a", { inspect: "bodies" });
  const capture = world.begin(link)!;
  const piece = toBytes("0123456789".repeat(1_000));
  for (let i = 0; i < 10; i++) {
    capture.requestBody(piece);
    piece[0] ^= 1;
  }
  end(capture, 100_000);
  const { request, captured } = fullRequestJson(world.captures.get("r1")!);
  assert.deepEqual([captured, request.body!.length, request.body!.kept, request.body!.text.length], [
    "bodies",
    100_000,
    BODY_MAX,
    BODY_MAX,
  ]);
  // A copy: what the pieces were overwritten with afterwards is not in it.
  assert.deepEqual([request.body!.text[0], request.body!.text[10_000], request.body!.text[20_000]], [
    "0",
    "1",
    "0",
  ]);
});

Deno.test("text is shown as text, up to its last whole character, and anything else as base64", () => {
  const world = new World(), link = world.open("a", { inspect: "bodies" });
  const shown = (body: Uint8Array) => {
    world.go(link, { body, id: "x" });
    return fullRequestJson(world.captures.get("x")!).request.body!;
  };
  assert.deepEqual(shown(new Uint8Array()), { length: 0, kept: 0, encoding: "utf8", text: "" });
  const text = "\ufeffZoë\0\r\n";
  const utf8 = new TextEncoder().encode(text);
  assert.deepEqual(shown(utf8), { length: utf8.length, kept: utf8.length, encoding: "utf8", text });
  assert.deepEqual(shown(new Uint8Array([0xff])), { length: 1, kept: 1, encoding: "base64", text: "/w==" });
  // Whole, and yet half a character.
  assert.equal(shown(new Uint8Array([0x61, 0xc3])).encoding, "base64");
  const long = new TextEncoder().encode("a" + "ë".repeat(BODY_MAX));
  const cut = shown(long);
  assert.deepEqual([cut.encoding, cut.kept, cut.length], ["utf8", BODY_MAX - 1, long.length]);
});

Deno.test("of an upgrade the heads are kept alone", () => {
  const world = new World(), link = world.open("a", { inspect: "bodies" });
  const capture = world.begin(link)!;
  capture.response(
    responseHead("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
  );
  for (let i = 0; i < 100; i++) {
    capture.requestBody(new Uint8Array(KIB));
    capture.responseBody(new Uint8Array(KIB));
  }
  end(capture, 102_400, 102_400);
  const { captured, request, response, bytesIn } = fullRequestJson(world.captures.get("r1")!);
  assert.deepEqual([captured, request.body, response!.body, bytesIn], ["heads", null, null, 102_400]);
  assert.match(response!.head, /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: upgrade\r\n/);
  assert.ok(world.captures.octets < 4 * KIB);
});

Deno.test("beyond the bound the link that holds most gives its oldest, and small ones lose nothing", () => {
  const world = new World(MIB);
  const large = world.open("large", { inspect: "bodies" }), small = world.open("small");
  for (let i = 0; i < 20; i++) world.go(small);
  for (let i = 0; i < 50; i++) {
    world.go(large, { body: new Uint8Array(50 * KIB) });
    assert.ok(world.captures.octets <= MIB);
  }
  const kept = world.captures.newest();
  assert.equal(kept.filter(({ request }) => request.link.name === "small").length, 20);
  const ids = kept.filter(({ request }) => request.link.name === "large").map(({ request }) =>
    request.requestId
  );
  assert.ok(ids.length >= 17);
  assert.deepEqual(ids, Array.from(ids, (_, i) => `r${70 - i}`));
});

Deno.test("requests in flight are within the bound too: what has no room is cut short, and the room comes back", () => {
  const world = new World(MIB), link = world.open("a", { inspect: "bodies" });
  for (let i = 0; i < 5; i++) world.go(link, { body: new Uint8Array(50 * KIB) });
  const flying = Array.from({ length: 40 }, () => world.begin(link)!);
  for (const capture of flying) capture.responseBody(new Uint8Array(BODY_MAX));
  assert.ok(world.captures.octets <= MIB);
  assert.deepEqual(world.ids(), []);
  assert.ok(flying.some(({ answered }) => !answered!.whole));
  for (const capture of flying) end(capture, 0, BODY_MAX);
  assert.ok(world.captures.octets <= MIB);
  world.close(link);
  assert.equal(world.captures.octets, 0);
});

Deno.test("10,000 captures need no more memory than they are counted with", () => {
  const world = new World();
  const links = Array.from({ length: 100 }, (_, i) => world.open(`l${i}`, { inspectLast: 1_000 }));
  const before = liveOctets();
  for (let i = 0; i < 10_000; i++) {
    const pad = `X-Padding: ${String(i).padStart(300, "x")}\r\n`;
    world.go(links[i % 100], { text: `GET /${i} HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n${pad}\r\n` });
  }
  const grown = liveOctets() - before;
  assert.equal(world.captures.newest().length, 10_000);
  assert.ok(grown < 1.2 * world.captures.octets, `${grown} octets for ${world.captures.octets} counted`);
  const bodies = world.open("bodies", { inspect: "bodies", inspectLast: 1_000 });
  for (let i = 0; i < 2_000; i++) world.go(bodies, { body: new Uint8Array(BODY_MAX) });
  assert.ok(liveOctets() - before < 80 * MIB, `${liveOctets() - before} octets`);
});

const CANARY = "c4n4ry-of-this-test";

const SECRETS: [what: string, fields: string, redact: string[]][] = [
  ["Authorization", `Authorization: Bearer ${CANARY}`, []],
  ["Authorization in any case", `aUTHORIZATION:Basic ${CANARY}`, []],
  ["Proxy-Authorization", `Proxy-Authorization: ${CANARY}`, []],
  ["Cookie, twice", `Cookie: a=${CANARY}\r\nCookie: b=${CANARY}`, []],
  ["Set-Cookie", `Set-Cookie: a=${CANARY}; Secure`, []],
  ["a listed field", `X-Api-Key: ${CANARY}`, ["x-api-key"]],
  ["a listed field in another spelling", `x_api_key: ${CANARY}`, ["X-Api-Key"]],
  ["a listed parameter in a Referer", `Referer: https://a.example/?x=1&token=${CANARY}#x`, ["Token"]],
  ["an empty listed field", `X-Api-Key:\r\nX: 1`, ["x-api-key"]],
];

for (const [what, fields, inspectRedact] of SECRETS) {
  Deno.test(`it is shown as ***: ${what}`, () => {
    const world = new World(), link = world.open("a", { inspectRedact });
    const capture = world.begin(link, `GET /a HTTP/1.1\r\nHost: a\r\n${fields}\r\nX-Last: 1\r\n\r\n`)!;
    capture.response(responseHead(`HTTP/1.1 200 OK\r\n${fields}\r\nContent-Length: 0\r\n\r\n`));
    end(capture);
    const json = JSON.stringify([
      fullRequestJson(world.captures.get("r1")!),
      world.captures.newest().map(requestJson),
    ]);
    assert.ok(!json.includes(CANARY), json);
    assert.match(json, /\*\*\*/);
    assert.match(json, /X-Last: 1\\r\\n\\r\\n/);
    // What is sent again is exact.
    assert.ok(capture.request.head.raw.includes(fields));
  });
}

Deno.test("a query stands on the whole request alone, with the values of listed parameters hidden", () => {
  const world = new World(), link = world.open("a", { inspectRedact: ["sig", "api_key"] });
  const target = "/p;sig=0?a=1&sig=SECRET&API-KEY=SECRET&s%69g=SECRET;sig=SECRET&b=sig=2&sig";
  world.go(link, { text: `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n` });
  const capture = world.captures.get("r1")!, full = fullRequestJson(capture);
  const shown = "/p;sig=0?a=1&sig=***&API-KEY=***&s%69g=***;sig=***&b=sig=2&sig";
  assert.equal(full.target, shown);
  assert.equal(full.request.head, `GET ${shown} HTTP/1.1\r\nHost: a\r\n\r\n`);
  assert.equal(requestJson(capture).path, "/p;sig=0");
  assert.ok(!JSON.stringify(requestJson(capture)).includes("?"));
});

Deno.test("heads are shown as they were on the wire, white space and spelling too", () => {
  const world = new World(), link = world.open("a");
  const text = "GET /a?b HTTP/1.0\r\nhOsT:a\r\nX-A:  1 \t\r\nX-a:\r\nX-\x61: \xe9\xff\r\nAccept: ***\r\n\r\n";
  world.go(link, { text });
  assert.equal(fullRequestJson(world.captures.get("r1")!).request.head, text);
});

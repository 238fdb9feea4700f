/** What a hostile hub does with a connection that asks for a tunnel, before or as it welcomes the daemon. */
import { type Ground, welcome } from "./daemon_world.ts";
import { gone } from "./rows.ts";
import { control, octets, readHead, switching, Tunnel, ws } from "./tunnel.ts";

/** Serves the daemon's first connection; rejects where the daemon does not do what it should. */
export interface Dial {
  readonly name: string;
  readonly serve: (conn: Deno.TcpConn) => Promise<void>;
}

/** A dial gives up after 5 s, and so does whoever waits for a welcome; on a machine that is busy. */
const LATE_MS = 15_000;

async function write(conn: Deno.Conn, text: string): Promise<boolean> {
  try {
    const bytes = octets(text);
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    return true;
  } catch {
    return false;
  }
}

/** Answers with a text made of the request, and must be left for it. */
function answers(name: string, answer: (request: string) => string): Dial {
  return {
    name,
    async serve(conn) {
      await write(conn, answer(await readHead(conn)));
      await gone(conn, LATE_MS);
    },
  };
}

/** Goes on for as long as the daemon takes it. */
function forever(name: string, first: string, then: string, pauseMs = 2): Dial {
  return {
    name,
    async serve(conn) {
      await readHead(conn);
      const until = Date.now() + LATE_MS;
      for (let more = await write(conn, first); more; more = await write(conn, then)) {
        if (Date.now() > until) throw new Error("the daemon still takes it");
        // Also between floods: the honest hub lives in this process.
        await new Promise((again) => setTimeout(again, pauseMs));
      }
    },
  };
}

function handshakes({ trap }: Ground): Dial[] {
  const there = `http://127.0.0.1:${trap}/v1/tunnel`;
  return [
    answers("a proof for another key", (text) => switching(text, { accept: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" })),
    answers("no proof", (text) => switching(text).replace(/Sec-WebSocket-Accept.*\r\n/, "")),
    answers("two proofs", (text) => switching(text, { extra: "Sec-WebSocket-Accept: x\r\n" })),
    answers("another protocol", (text) => switching(text).replace("connectd.1", "connectd.2")),
    answers("no protocol", (text) => switching(text).replace(/Sec-WebSocket-Protocol.*\r\n/, "")),
    answers(
      "compression that nobody asked for",
      (text) => switching(text, { extra: "Sec-WebSocket-Extensions: permessage-deflate\r\n" }),
    ),
    answers("another upgrade", (text) => switching(text).replace("Upgrade: websocket", "Upgrade: h2c")),
    answers("a folded field", (text) => switching(text, { extra: "A: b\r\n c\r\n" })),
    answers("LF line ends", (text) => switching(text).replaceAll("\r\n", "\n")),
    answers("a body in the 101", (text) => switching(text, { extra: "Content-Length: 5\r\n" })),
    ...[301, 302, 303, 307, 308].map((status) =>
      answers(
        `a redirect by ${status}`,
        () => `HTTP/1.1 ${status} Go\r\nLocation: ${there}\r\nContent-Length: 0\r\n\r\n`,
      )
    ),
    answers(
      "an address elsewhere by Alt-Svc",
      () => `HTTP/1.1 421 Go\r\nAlt-Svc: h2="127.0.0.1:${trap}"\r\nContent-Length: 0\r\n\r\n`,
    ),
    answers(
      "an upgrade required to a proxy",
      () => `HTTP/1.1 305 Use\r\nLocation: ${there}\r\nContent-Length: 0\r\n\r\n`,
    ),
    answers(
      "a challenge for a password",
      () => 'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
    ),
    answers("another service's greeting", () => "SSH-2.0-OpenSSH_9.9\r\n"),
    answers("an alert of TLS", () => "\x15\x03\x01\x00\x02\x02\x28"),
    answers("settings of HTTP/2", () => "\0\0\0\x04\0\0\0\0\0"),
    answers("NULs", () => "\0".repeat(1000)),
    answers("nothing at all", () => ""),
    answers("a 200 whose body never comes", () => "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"),
    answers("half a head", () => "HTTP/1.1 101 Switching"),
    answers("silence behind the 101", (text) => switching(text)),
    forever("a line without an end", "HTTP/1.1 200 ", "a".repeat(65_536)),
    forever("fields without an end", "HTTP/1.1 101 Switching Protocols\r\n", "A: b\r\n".repeat(10_000)),
    forever("interim answers without an end", "", "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n".repeat(1000)),
    forever("a head an octet at a time", "HTTP/1.1 101 Switching Protocols\r\n", "a", 100),
    forever("interim answers one at a time", "", "HTTP/1.1 100 Continue\r\n\r\n", 100),
  ];
}

/** Welcomes with what `make` makes of a good welcome, and must be left for it. */
// deno-lint-ignore no-explicit-any
function welcomes(name: string, make: (good: Record<string, any>) => unknown): Dial {
  return {
    name: `a welcome with ${name}`,
    async serve(conn) {
      await write(conn, switching(await readHead(conn)));
      const tunnel = new Tunnel(conn, "server");
      await tunnel.say(control(make(welcome(await tunnel.message("hello")))));
      const closed = await tunnel.end(LATE_MS);
      if (closed?.code !== 1002) throw new Error(`closed with ${JSON.stringify(closed)}`);
    },
  };
}

function greetings(): Dial[] {
  const limits = (text: string) => (good: object) =>
    JSON.stringify({ ...good, limits: { streams: "?" } }).replace('"?"', text);
  const link = (change: object) => (good: { links?: object[] }) => ({
    ...good,
    links: [{ ...good.links![0], ...change }],
  });
  const member = (name: string, value: unknown) => (good: object) => ({ ...good, [name]: value });
  return [
    ...["-1", "1.5", "1e400", "null", '"many"', "[1]", "{}", "9007199254740992", "true"].map((text) =>
      welcomes(`${text} streams`, limits(text))
    ),
    welcomes("no limits", ({ limits: _, ...rest }) => rest),
    welcomes("a version that is text", member("version", "1")),
    welcomes("links that are no list", member("links", { length: 5 })),
    welcomes("a link that is null", member("links", [null])),
    welcomes("an id that is a path", link({ id: "../../x" })),
    welcomes("an id of several labels", link({ id: "a.b" })),
    welcomes("an id of nothing", link({ id: "" })),
    welcomes("an id in capitals", link({ id: "A" })),
    welcomes("an id of 64 octets", link({ id: "a".repeat(64) })),
    welcomes("an id that is a list", link({ id: ["a"] })),
    welcomes("a URL that is a script", link({ url: "javascript:alert(1)" })),
    welcomes("a URL that breaks a line", link({ url: "http://a\r\nb" })),
    welcomes("a URL that moves a terminal", link({ url: "http://a\x1b[2J" })),
    welcomes("a URL of 3 KiB", link({ url: "http://" + "a".repeat(3000) })),
    welcomes("a name that is __proto__", link({ name: "__proto__" })),
    welcomes("a refusal of markup", link({ refused: { code: "<b>", message: "" } })),
    welcomes("a refusal of 1 MiB", link({ refused: { code: "a", message: "x".repeat(1_000_000) } })),
    welcomes("a revocation at no time", member("revoked", [{ name: "open", id: "h-open", at: null }])),
    welcomes("a revocation in the year 10000", member("revoked", [{ name: "open", id: "a", at: 9e15 }])),
    welcomes("a hub that is no URL", member("hubs", ["evil.example.com"])),
    welcomes("a hub that is a file", member("hubs", ["file:///etc/passwd"])),
    welcomes("a hub that breaks a line", member("hubs", ["http://a/\r\nb"])),
    welcomes("hubs that are no list", member("hubs", "http://a")),
    welcomes("an own name that is markup", member("hub", "<script>")),
    welcomes("a revision below nothing", member("revision", -1)),
    welcomes("half of it", (good) => JSON.stringify(good).slice(0, -1)),
  ];
}

/** A message that is no control message at all where a welcome is due. */
const instead: Dial = {
  name: "a text in the welcome's place",
  async serve(conn) {
    await write(conn, switching(await readHead(conn)));
    const tunnel = new Tunnel(conn, "server");
    await tunnel.message("hello");
    await tunnel.raw(ws("welcome", { opcode: 1 }));
    await tunnel.end(LATE_MS);
  },
};

export function dials(ground: Ground): Dial[] {
  return [...handshakes(ground), ...greetings(), instead];
}

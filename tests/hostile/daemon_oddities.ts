/** What a hostile hub does that breaks no rule: the session goes on, or ends alone, and nothing else comes of it. */
import assert from "node:assert/strict";
import type { World } from "./daemon_world.ts";
import {
  control,
  DRAIN,
  frame,
  LAST,
  octets,
  open,
  PING,
  PONG,
  request,
  RESET,
  type Tunnel,
  ws,
} from "./tunnel.ts";

export interface Oddity {
  readonly name: string;
  /** What its welcome has in place of a good one's. */
  readonly welcome?: (world: World) => object;
  /** What it does then; absent: nothing. Streams of its own are 3 and on. */
  readonly act?: (tunnel: Tunnel, world: World) => Promise<void>;
  /** The session is over then. */
  readonly ends?: true;
}

/** Messages, one after the other. */
function says(name: string, ...messages: readonly unknown[]): Oddity {
  return {
    name,
    async act(tunnel) {
      for (const message of messages) await tunnel.say(control(message));
    },
  };
}

function raw(name: string, ...bytes: readonly Uint8Array[]): Oddity {
  return { name, act: async (tunnel) => void await tunnel.raw(octets(...bytes)) };
}

function bye(reason: string): Oddity {
  const message = "<b>\x1b[2J";
  return {
    name: `a bye: ${reason}`,
    async act(tunnel) {
      await tunnel.say(control({ type: "bye", reason, message }));
      tunnel.leave();
    },
    ends: true,
  };
}

const grant = (name: string, id: string) => ({ name, id, url: `http://${id}.hostile.test` });
const granted = (...links: object[]) => ({ type: "granted", revision: 1_000_000, links });
const revoke = (name: string, id: string) => ({ type: "revoke", name, id, at: 1 });
const refuse = (name: string) => ({ name, refused: { code: "limit", message: "<b>\x1b[2J\r\nno" } });
const none = new Uint8Array(0);
const pong = frame(PONG, 0, "\0\0\0\0\xff\xff\xff\xff");

export const ODDITIES: readonly Oddity[] = [
  { name: "a welcome to no streams", welcome: () => ({ limits: { streams: 0 } }) },
  { name: "a welcome to all streams", welcome: () => ({ limits: { streams: Number.MAX_SAFE_INTEGER } }) },
  { name: "a welcome of a version to come", welcome: () => ({ version: 99, more: { of: "it" } }) },
  { name: "a welcome without links", welcome: () => ({ links: [] }) },
  { name: "a welcome of another revision", welcome: () => ({ revision: Number.MAX_SAFE_INTEGER }) },
  {
    name: "a welcome that names hubs elsewhere",
    welcome: ({ ground: { trap } }) => ({
      hubs: [
        `http://127.0.0.1:${trap}`,
        `https://127.0.0.1:${trap}`,
        `http://localhost:${trap}`,
        `https://[::1]:${trap}`,
        "http://169.254.169.254",
        "https://evil.example.com",
        "https://127.0.0.1.evil.example.com",
        "https://user:pass@127.0.0.1",
        "https://127.0.0.1/path",
      ],
    }),
    async act(_, world) {
      const { hubs } = await world.api("status");
      // deno-lint-ignore no-explicit-any
      const ignored = hubs.filter(({ url, state }: any) =>
        state === "ignored" && !/^http:\/\/h\d+\./.test(url)
      );
      assert.equal(ignored.length, 9, JSON.stringify(ignored));
    },
  },
  {
    name: "a welcome that names ten thousand hubs",
    welcome: () => ({ hubs: Array.from({ length: 10_000 }, (_, i) => `http://h${i}.example.com`) }),
  },
  {
    name: "a welcome that revokes what is not there",
    welcome: () => ({ revoked: [{ name: "open", id: "x", at: 1 }] }),
  },
  says("a second welcome", {
    type: "welcome",
    version: 1,
    hub: "x",
    limits: { streams: 1 },
    links: [],
    revoked: [],
    hubs: ["http://169.254.169.254"],
    revision: 1,
  }),
  says("messages of types that there are not", { type: "__proto__" }, {
    type: "from_the_future",
    links: [1],
  }),
  says("a daemon's own messages", { type: "links", revision: 1, set: [], remove: [], more: false }),
  says("grants of links that there are not", granted(grant("nobody", "x"), grant("inner", "y"))),
  says("a revocation by another id", revoke("open", "open"), revoke("open", "h-strict")),
  says("a revocation of no link", revoke("nobody", "h-open")),
  says("counts of no link and no code", {
    type: "refused",
    counts: [{ id: "nope", code: "ip_denied", n: 1 }, {
      id: "h-open",
      code: "constructor",
      n: Number.MAX_SAFE_INTEGER,
    }],
  }),
  says("a refusal that moves a terminal", granted(refuse("open"))),
  {
    name: "one id for two links",
    async act(tunnel) {
      await tunnel.say(control(granted(grant("open", "both"), grant("strict", "both"))));
      const got = await tunnel.ask({ link: "both" }, request("GET /evil"), LAST);
      assert.equal(got.status, 403);
    },
  },
  {
    name: "the ids of the links of another hub",
    async act(tunnel) {
      await tunnel.say(control(granted(grant("strict", "open"))));
      assert.equal((await tunnel.ask({ link: "open" }, request("GET /evil"), LAST)).status, 403);
    },
  },
  {
    name: "many requests of one id",
    async act(tunnel) {
      for (let i = 0; i < 50; i++) assert.equal((await tunnel.ask({ id: "req-1" })).status, 200);
    },
  },
  {
    name: "a link that has expired and one that is revoked, again and again",
    async act(tunnel, { ground }) {
      const before = ground.seen.length;
      for (let i = 0; i < 50; i++) {
        assert.equal((await tunnel.ask({ link: "h-brief" })).status, 410);
        assert.equal((await tunnel.ask({ link: "h-gone" })).status, 410);
      }
      assert.equal(ground.seen.length, before);
    },
  },
  raw("a PONG that nobody asked for", ws(pong), ws(pong)),
  raw("DRAIN again and again", ...Array(50).fill(ws(frame(DRAIN, 0)))),
  raw("a RESET for a stream that is gone", ws(octets(open(1), frame(RESET, 1, "a"), frame(RESET, 1, "a")))),
  raw("pings of the socket", ...Array(1000).fill(ws("x".repeat(125), { opcode: 9 }))),
  raw("messages of nothing", ...Array(10_000).fill(ws(none))),
  raw(
    "a message in ten thousand pieces",
    ws(none, { fin: false }),
    ...Array(10_000).fill(ws(none, { opcode: 0, fin: false })),
    ws(none, { opcode: 0 }),
  ),
  raw(
    "a frame in a piece for each octet",
    ...[...frame(PING, 0, "12345678")].map((octet, i) =>
      ws([octet], { opcode: i === 0 ? 2 : 0, fin: i === 15 })
    ),
  ),
  bye("replaced"),
  bye("draining"),
  bye("revoked_token"),
  {
    name: "a close without a word",
    act: async (tunnel) => void await tunnel.raw(ws(none, { opcode: 8 })),
    ends: true,
  },
  {
    name: "a close in another's words",
    act: async (tunnel) => void await tunnel.raw(ws(octets([3, 232], "<script> \x1b[2J"), { opcode: 8 })),
    ends: true,
  },
  {
    name: "an end in the middle of a frame",
    act: async (tunnel) => {
      await tunnel.raw(ws(pong).subarray(0, 9));
      tunnel.leave();
    },
    ends: true,
  },
];

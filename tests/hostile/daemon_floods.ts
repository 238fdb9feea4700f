/** What a hostile hub sends too much of. */
import assert from "node:assert/strict";
import type { World } from "./daemon_world.ts";
import {
  control,
  CREDIT,
  DATA,
  END,
  frame,
  head,
  LAST,
  octets,
  open,
  PING,
  request,
  RESET,
  type Tunnel,
  u32,
  ws,
} from "./tunnel.ts";

export interface Flood {
  readonly name: string;
  readonly act: (tunnel: Tunnel, world: World) => Promise<void>;
}

/** What a stream may send before it has credit. */
const WINDOW = 256 * 1024;

/** Says what `make` makes for each of the next `count` streams, a hundred in a message; returns their ids. */
async function say(tunnel: Tunnel, count: number, make: (id: number) => Uint8Array[]): Promise<number[]> {
  const ids = Array.from({ length: count }, (_, i) => tunnel.next + 2 * i);
  tunnel.next += 2 * count;
  for (let i = 0; i < count; i += 100) await tunnel.say(...ids.slice(i, i + 100).flatMap(make));
  return ids;
}

const asking = (line: string, link = "h-open") => (id: number) => [
  open(id, { link }),
  head(id, request(line), LAST),
];
const granted = (...links: object[]) => control({ type: "granted", revision: 1_000_000, links });

export const FLOODS: readonly Flood[] = [
  {
    name: "ten thousand streams that say nothing",
    act: async (tunnel) => {
      await say(tunnel, 10_000, (id) => [open(id)]);
      await tunnel.alive();
    },
  },
  {
    name: "ten thousand requests for no link",
    async act(tunnel) {
      const ids = await say(tunnel, 10_000, asking("GET /", "nope"));
      await tunnel.until(() => ids.every((id) => tunnel.at(id).over), "ten thousand answers");
      // Streams that this hub opens with more credit than it was told of are too many.
      const got = ids.map((id) => tunnel.at(id).status || tunnel.at(id).reset);
      assert.ok(got.every((each) => each === 404 || each === "hub_busy"));
      assert.ok(got.includes(404));
    },
  },
  {
    name: "streams that are opened and cut",
    async act(tunnel) {
      await say(tunnel, 1_000, (id) => [...asking("GET /hold")(id), frame(RESET, id, "bye")]);
      await tunnel.alive();
    },
  },
  {
    name: "a thousand requests that the target does not answer, cut in the end",
    async act(tunnel) {
      const ids = await say(tunnel, 1000, asking("GET /hold"));
      await tunnel.alive();
      await tunnel.say(...ids.map((id) => frame(RESET, id, "bye")));
      await tunnel.alive();
    },
  },
  {
    name: "no credit",
    async act(tunnel) {
      const [id] = await say(tunnel, 1, asking("GET /large"));
      await tunnel.until(() => tunnel.at(id).body.length >= WINDOW, "a window's worth");
      await tunnel.alive();
      assert.equal(tunnel.at(id).body.length, WINDOW);
    },
  },
  {
    name: "credit an octet at a time",
    async act(tunnel) {
      const [id] = await say(tunnel, 1, asking("GET /large"));
      const body = () => tunnel.at(id).body.length;
      await tunnel.until(() => body() >= WINDOW, "a window's worth");
      for (let i = 0; i < 2000; i++) await tunnel.say(frame(CREDIT, id, u32(1)));
      await tunnel.until(() => body() >= WINDOW + 2000, "an octet for each");
      await tunnel.alive();
      assert.equal(body(), WINDOW + 2000);
    },
  },
  {
    name: "bodies an octet at a time",
    async act(tunnel) {
      const fields = ["Transfer-Encoding: chunked"];
      const [id] = await say(tunnel, 1, (id) => [open(id), head(id, request("POST /a", fields))]);
      const piece = octets(...Array(10_000).fill(frame(DATA, id, "x")));
      for (let i = 0; i < 10; i++) await tunnel.say(piece);
      await tunnel.say(frame(END, id));
      assert.equal((await tunnel.answer(id)).status, 200);
    },
  },
  {
    name: "pings, of which no answer is read",
    async act(tunnel) {
      tunnel.freeze();
      // Answers of 20 MiB: more than may wait for a peer that takes nothing.
      const pings = ws(octets(...Array(10_000).fill(frame(PING, 0, "12345678"))));
      for (let i = 0; i < 130; i++) if (!await tunnel.raw(pings)) break;
      tunnel.thaw();
    },
  },
  {
    name: "messages of a mebibyte of which none is known",
    async act(tunnel) {
      const message = control({ type: "x", x: "x".repeat(1_000_000) });
      for (let i = 0; i < 30; i++) await tunnel.say(message);
      await tunnel.alive();
    },
  },
  {
    name: "another id for a link, again and again",
    async act(tunnel) {
      const id = (i: number) => granted({ name: "strict", id: `x${i}`, url: "http://x.hostile.test" });
      for (let i = 0; i < 20_000; i += 1000) {
        await tunnel.say(...Array.from({ length: 1000 }, (_, k) => id(i + k)));
      }
      await tunnel.alive();
      assert.equal((await tunnel.ask({ link: "x19999" }, request("GET /evil"))).status, 403);
    },
  },
  {
    name: "refusals of a link, each for another reason",
    async act(tunnel) {
      const refuse = (i: number) =>
        granted({ name: "strict", refused: { code: "limit", message: `${i} ${"x".repeat(900)}` } });
      for (let i = 0; i < 5000; i += 1000) {
        await tunnel.say(...Array.from({ length: 1000 }, (_, k) => refuse(i + k)));
      }
      await tunnel.alive();
    },
  },
];

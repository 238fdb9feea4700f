/** WebSockets through a link: each end sees what it would see if there were nothing between them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
// @ts-types="@types/ws"
import type { WebSocket } from "ws";
import { Rig } from "../e2e/rig.ts";
import { dial, type Seen, serveSockets, watch } from "./sockets.ts";
import { Tap } from "./tap.ts";
import { onBoth, openWays, type Way } from "./ways.ts";

const MIB = 1024 * 1024;

/** More than any window, so that both directions have to wait for their readers. */
const LARGE = randomBytes(16 * MIB);

/** A text that compresses, in pieces that cut its characters. */
const TEXT = Buffer.from("Zoë 日本 ".repeat(700));

/** Sends everything that a WebSocket can carry, `last` at the end. */
async function sayAll(socket: WebSocket, last: Buffer): Promise<void> {
  const sent = (
    data: string | Buffer,
    options: { fin?: boolean; binary?: boolean; compress?: boolean } = {},
  ) =>
    new Promise<void>((done, failed) =>
      socket.send(data, options, (error) => error ? failed(error) : done())
    );
  socket.ping("are you there");
  await sent("a text");
  await sent("");
  await sent(Buffer.alloc(0));
  for (let at = 0; at < TEXT.length; at += 1000) {
    await sent(TEXT.subarray(at, at + 1000), { binary: false, fin: at + 1000 >= TEXT.length });
    // Between the fragments of a message: a control frame may stand there (RFC 6455 §5.4).
    socket.ping(String(at));
  }
  await sent(Buffer.from("an empty last fragment"), { fin: false });
  await sent(Buffer.alloc(0), { fin: true });
  // Each length that is written another way: 7 bits, 16 bits, 64 bits.
  for (const length of [125, 126, 65_535, 65_536]) await sent(LARGE.subarray(0, length));
  await sent(LARGE.subarray(0, 1000), { compress: false });
  await sent(last, { compress: false });
}

/** Extensions that are negotiated, by the link that leads to a server that offers them. */
const EXTENSIONS = {
  none: false,
  deflated: { threshold: 0 },
  deflatedanew: { threshold: 0, clientNoContextTakeover: true, serverNoContextTakeover: true },
} as const;

/** Without an extension all of it; what compression changes shows in less. */
function lastOf(perMessageDeflate: unknown): Buffer {
  return perMessageDeflate === false ? LARGE : LARGE.subarray(0, MIB);
}

Deno.test("every octet behind a 101 arrives as it was sent: fragments, pings, compressed and 16 MiB messages", async (t) => {
  await using rig = new Rig();
  const servers: Record<string, number> = {}, taps: Record<string, Tap> = {};
  let behind!: { over: Promise<Seen> };
  for (const [name, perMessageDeflate] of Object.entries(EXTENSIONS)) {
    const last = lastOf(perMessageDeflate);
    const port = await serveSockets(rig, { perMessageDeflate }, (socket) => {
      behind = watch(socket);
      void sayAll(socket, last);
    });
    taps[name] = await Tap.before(rig, port);
    servers[name] = taps[name].port;
  }
  const ways = await openWays(rig, servers);
  for (const [name, perMessageDeflate] of Object.entries(EXTENSIONS)) {
    await t.step(name, async () => {
      const visit = async (way: Way) => {
        const last = lastOf(perMessageDeflate);
        const front = await Tap.before(rig, way.port);
        const socket = dial({ ...way, port: front.port }, "/", [], perMessageDeflate);
        const { over } = watch(socket);
        const heard = new Promise<void>((all) =>
          socket.on("message", (data: Buffer) => data.length === last.length && all())
        );
        await new Promise((open) => socket.once("open", open));
        await Promise.all([sayAll(socket, last), heard]);
        // Behind the server's last message and our own: nobody is cut short.
        socket.close(3001, "all said");
        const seen = { client: await over, server: await behind.over };
        const [outer, inner] = [await front.last(), await taps[name].last()];
        assert.ok(outer.up.equals(inner.up), `${way.name}: what the client sent`);
        assert.ok(outer.down.equals(inner.down), `${way.name}: what the server sent`);
        assert.ok(outer.up.length > last.length && outer.down.length > last.length);
        return seen;
      };
      const { straight, through } = await onBoth(ways(name), visit);
      assert.deepEqual(ends(through), ends(straight));
      assert.equal(through.client[0].includes("permessage-deflate"), perMessageDeflate !== false);
    });
  }
});

/** Pongs answer the last ping that was read when they are sent: how many that are, only time tells. */
function ends({ client, server }: { client: Seen; server: Seen }): { client: Seen; server: Seen } {
  const without = (seen: Seen) => seen.filter((line) => !line.startsWith("pong"));
  return { client: without(client), server: without(server) };
}

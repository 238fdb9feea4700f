/** What stays open: WebSockets and event streams through a link, by clients and servers of other people. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="@types/ws"
import { WebSocket, WebSocketServer } from "ws";
import { curl, Rig } from "./rig.ts";

interface Opened {
  readonly port: number;
  readonly sockets: WebSocketServer;
}

/** A server that echoes WebSocket messages, with compression where the client offers it, and serves `requests`. */
async function server(
  rig: Rig,
  requests: (request: IncomingMessage, response: ServerResponse) => void = () => {},
): Promise<Opened> {
  const http = createServer(requests);
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: { threshold: 0 } });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  rig.atEnd(() => {
    for (const socket of sockets.clients) socket.terminate();
    http.close().closeAllConnections();
  });
  return { port: (http.address() as AddressInfo).port, sockets };
}

async function linkTo(
  rig: Rig,
  target: string,
  more = "",
): Promise<{ url: string; state: string; file: string }> {
  const { ready, state, file } = await rig.daemon(
    `version: 1\nlinks:\n  live:\n    target: ${target}\n${more}`,
  );
  return { url: ready.links[0].url, state, file };
}

/** `*.localhost` is this machine, whatever the resolver thinks. */
function dial(url: string, options: Record<string, unknown> = {}): WebSocket {
  const { host, port } = new URL(url);
  return new WebSocket(`ws://127.0.0.1:${port}/chat?room=1`, { headers: { Host: host }, ...options });
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((open, failed) => socket.once("open", open).once("error", failed));
}

function message(socket: WebSocket): Promise<Buffer> {
  return new Promise((got, failed) => socket.once("message", got).once("error", failed));
}

function closed(socket: WebSocket): Promise<number> {
  return new Promise((code) => socket.once("close", code));
}

for (const perMessageDeflate of [true, false]) {
  Deno.test(`a WebSocket passes whole, ${perMessageDeflate ? "compressed" : "plain"}, with its pings and its close code`, async () => {
    await using rig = new Rig();
    const { port, sockets } = await server(rig);
    const { url } = await linkTo(rig, `localhost:${port}`);
    const socket = dial(url, { perMessageDeflate });
    await opened(socket);
    assert.equal(socket.extensions.includes("permessage-deflate"), perMessageDeflate);
    for (const sent of [Buffer.from("hello ☃"), Buffer.alloc(0), Buffer.alloc(3_000_000, "abc")]) {
      socket.send(sent);
      assert.ok(sent.equals(await message(socket)));
    }
    const pong = new Promise<Buffer>((got) => socket.once("pong", got));
    socket.ping("are you there");
    assert.equal((await pong).toString(), "are you there");
    const [behind] = sockets.clients;
    const [ours, theirs] = [closed(socket), closed(behind)];
    socket.close(4001, "done");
    assert.deepEqual([await ours, await theirs], [4001, 4001]);
  });
}

Deno.test("the built-in target echoes WebSocket messages", async () => {
  await using rig = new Rig();
  const { url } = await linkTo(rig, "echo");
  const socket = dial(url);
  await opened(socket);
  socket.send("are you echo");
  assert.equal((await message(socket)).toString(), "are you echo");
  const gone = closed(socket);
  socket.close(1000);
  assert.equal(await gone, 1000);
});

Deno.test("a link that says `upgrade: false` admits no WebSocket, and other requests as before", async () => {
  await using rig = new Rig();
  const { url } = await linkTo(rig, "echo", "    upgrade: false\n");
  const refused = await new Promise<number | undefined>((got) =>
    dial(url).once("unexpected-response", (_, { statusCode }) => got(statusCode)).on("error", () => {})
  );
  assert.equal(refused, 403);
  assert.equal((await curl(url)).status, 200);
});

Deno.test("a revoke cuts an open WebSocket once its drain is over", async () => {
  await using rig = new Rig();
  const { port } = await server(rig);
  const { url, state } = await linkTo(rig, `localhost:${port}`, "    drain: 300ms\n");
  const socket = dial(url);
  await opened(socket);
  const gone = closed(socket);
  assert.equal((await rig.run(["revoke", "live", "--state", state])).code, 0);
  await gone;
});

Deno.test("each event of a stream arrives before the next one is sent", async () => {
  await using rig = new Rig();
  let stream!: ServerResponse;
  const begun = Promise.withResolvers<void>();
  const { port } = await server(rig, (_, response) => {
    stream = response.writeHead(200, { "Content-Type": "text/event-stream" });
    stream.flushHeaders();
    begun.resolve();
  });
  const { url } = await linkTo(rig, `localhost:${port}`);
  const { host, port: at } = new URL(url);
  const visitor = await Deno.connect({ hostname: "127.0.0.1", port: Number(at) });
  await visitor.write(new TextEncoder().encode(`GET /events HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
  await begun.promise;
  const buffer = new Uint8Array(4096);
  let seen = "";
  const until = async (text: string) => {
    while (!seen.includes(text)) {
      const n = await visitor.read(buffer);
      assert.notEqual(n, null);
      seen += new TextDecoder().decode(buffer.subarray(0, n!));
    }
  };
  await until("\r\n\r\n");
  // In lockstep: an event that somebody held back for the next one would never be followed by it.
  for (let i = 0; i < 20; i++) {
    stream.write(`data: event ${i}\n\n`);
    await until(`data: event ${i}\n\n`);
  }
  const left = new Promise<void>((gone) => stream.once("close", gone));
  visitor.close();
  await left;
});

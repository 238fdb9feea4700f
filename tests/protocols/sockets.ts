/** WebSockets by other people's client and server, and what each of their ends comes to see. */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="@types/ws"
import { type ServerOptions, WebSocket, WebSocketServer } from "ws";
import type { Rig } from "../e2e/rig.ts";
import type { Way } from "./ways.ts";

/** What happened at one end, in order: a line each. */
export type Seen = string[];

/** Listens for WebSockets until the rig ends; `serve` gets each, with the request it came by. */
export async function serveSockets(
  rig: Rig,
  options: ServerOptions,
  serve: (socket: WebSocket, request: IncomingMessage) => void,
): Promise<number> {
  const http = createServer((_, response) => void response.end("no socket\n"));
  const sockets = new WebSocketServer({ server: http, maxPayload: 64 * 1024 * 1024, ...options });
  sockets.on("connection", serve);
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  rig.atEnd(() => {
    for (const socket of sockets.clients) socket.terminate();
    http.close().closeAllConnections();
  });
  return (http.address() as AddressInfo).port;
}

/** Dials `path`. */
export function dial(
  { port, host }: Way,
  path: string,
  protocols: readonly string[] = [],
  perMessageDeflate: WebSocket.ClientOptions["perMessageDeflate"] = false,
): WebSocket {
  const options = { headers: { Host: host }, perMessageDeflate, maxPayload: 64 * 1024 * 1024 };
  return new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], options);
}

/** Keeps what happens at this end; `over` settles with all of it when the connection has ended. */
export function watch(socket: WebSocket): { seen: Seen; over: Promise<Seen> } {
  const seen: Seen = [];
  const digest = (data: Buffer) =>
    data.length < 200
      ? JSON.stringify(data.toString("latin1"))
      : `${data.length} octets ${createHash("sha256").update(data).digest("hex")}`;
  socket.on("open", () => seen.push(`open ${socket.protocol || "-"} ${socket.extensions || "-"}`));
  socket.on(
    "message",
    (data: Buffer, binary) => void seen.push(`${binary ? "binary" : "text"} ${digest(data)}`),
  );
  socket.on("ping", (data) => void seen.push(`ping ${digest(data)}`));
  socket.on("pong", (data) => void seen.push(`pong ${digest(data)}`));
  socket.on("error", ({ message }) => void seen.push(`error ${message}`));
  const over = new Promise<Seen>((ended) => {
    socket.on("close", (code, reason) => {
      seen.push(`close ${code} ${JSON.stringify(reason.toString())}`);
      ended(seen);
    });
  });
  return { seen, over };
}

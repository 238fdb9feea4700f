/** The benchmarks' target: 12 octets at `/`, 100 MiB at `/big`, events at `/events`, and for a body the count of its octets. */
import { Buffer } from "node:buffer";

/** From one event to the next. */
const EVENT_MS = 5;

const BIG = 100 * 1024 * 1024;
const BLOCK = new Uint8Array(256 * 1024);
const HELLO = answer("hello world\n");

function answer(text: string): Uint8Array<ArrayBuffer> {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n`;
  return new TextEncoder().encode(head + text);
}

async function send(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length;) from += await connection.write(bytes.subarray(from));
}

/** Until the visitor leaves, one event after the other, each of which says when it was sent (ms since 1970). */
async function events(connection: Deno.TcpConn): Promise<void> {
  const text = (text: string) => send(connection, new TextEncoder().encode(text));
  await text("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
  for (;;) {
    await text(`data: ${performance.timeOrigin + performance.now()}\n\n`);
    await new Promise((due) => setTimeout(due, EVENT_MS));
  }
}

/** Serves one connection. No pipelining: what follows a message in the same read is part of it. */
async function serve(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(256 * 1024);
  let head = "";
  for (;;) {
    const n = await connection.read(buffer);
    if (n === null) return;
    head += Buffer.from(buffer.buffer, 0, n).toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) continue;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (head.startsWith("GET /events")) return await events(connection);
    const big = head.startsWith("GET /big");
    let received = head.length - end - 4;
    head = "";
    while (received < length) {
      const n = await connection.read(buffer);
      if (n === null) return;
      received += n;
    }
    if (length > 0) await send(connection, answer(`${received}\n`));
    else if (!big) await send(connection, HELLO);
    else {
      await send(connection, new TextEncoder().encode(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG}\r\n\r\n`));
      for (let sent = 0; sent < BIG; sent += BLOCK.length) await send(connection, BLOCK);
    }
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(`target ${listener.addr.port}`);
// A visitor that leaves is no failure of the target.
for await (const connection of listener) serve(connection).catch(() => {}).finally(() => connection.close());

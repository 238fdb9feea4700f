/** The target of the benchmarks: 12 octets at `/`, 100 MiB at `/big`, and whatever is sent to it swallowed. */
import { Buffer } from "node:buffer";

const ANSWER = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello world\n",
);
const BIG = 100 * 1024 * 1024;
const BLOCK = new Uint8Array(256 * 1024);

async function serve(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(256 * 1024);
  let head = "";
  let owed = 0;
  for (;;) {
    const n = await connection.read(buffer);
    if (n === null) return;
    if (owed > 0) {
      owed -= n;
      if (owed <= 0) await connection.write(ANSWER);
      continue;
    }
    head += Buffer.from(buffer.buffer, 0, n).toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) continue;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const big = head.startsWith("GET /big");
    owed = length - (head.length - end - 4);
    head = "";
    if (big) {
      await connection.write(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG}\r\n\r\n`));
      for (let sent = 0; sent < BIG; sent += BLOCK.length) {
        for (let from = 0; from < BLOCK.length;) from += await connection.write(BLOCK.subarray(from));
      }
    } else if (owed <= 0) await connection.write(ANSWER);
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(`target ${(listener.addr as Deno.NetAddr).port}`);
for await (const connection of listener) serve(connection).catch(() => {}).finally(() => connection.close());

/** A server that answers as it is told to, as no packaged one would. */
import { toBytes } from "../../src/core/latin1.ts";
import type { Rig } from "../e2e/rig.ts";
import { endsConnection, Octets, readBody } from "./messages.ts";

/** How it answers. Octets are characters. */
export interface Script {
  readonly answer: string;
  /** Ends the connection behind it. */
  readonly close?: boolean;
  /** Answers as soon as the head is there, and reads no more of the request than its connection does. */
  readonly early?: boolean;
  /** Sends this behind the head of the request, before it reads the body. */
  readonly interim?: string;
}

const PLAIN: Script = { answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain" };

/** Starts one whose answers go by the path that is asked; returns its port. */
export function scripted(rig: Rig, scripts: ReadonlyMap<string, Script>): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const running: Promise<void>[] = [], conns = new Set<Deno.TcpConn>();
  const accept = async () => {
    for await (const conn of listener) {
      conn.setNoDelay(true);
      conns.add(conn);
      running.push(serve(conn, scripts));
    }
  };
  running.push(accept());
  rig.atEnd(async () => {
    listener.close();
    for (const conn of conns) close(conn);
    await Promise.all(running);
  });
  return listener.addr.port;
}

async function serve(conn: Deno.TcpConn, scripts: ReadonlyMap<string, Script>): Promise<void> {
  const octets = new Octets(async () => {
    const buffer = new Uint8Array(64 * 1024), n = await conn.read(buffer);
    return n === null ? null : buffer.subarray(0, n);
  });
  const say = async (text: string) => {
    const bytes = toBytes(text);
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  };
  try {
    for (let open = true; open && !await octets.atEnd();) {
      const head = await octets.until("\r\n\r\n");
      const { interim, answer, early, close } = scripts.get(head.split(" ")[1].split("?")[0]) ?? PLAIN;
      if (interim !== undefined) await say(interim);
      if (!early) await readBody(octets, head, false);
      const bodiless = head.startsWith("HEAD ");
      await say(bodiless ? answer.slice(0, answer.indexOf("\r\n\r\n") + 4) : answer);
      open = ![head, answer].some(endsConnection) && !early && (bodiless || !close);
    }
    await conn.closeWrite();
    // Whoever closes on what is still coming has its answer thrown away.
    await octets.rest();
  } catch {
    // Cut by the other side.
  }
  close(conn);
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Closed before.
  }
}

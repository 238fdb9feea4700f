/** A place on a TCP connection that keeps what passes, to compare it with what passes elsewhere. */
import { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import type { Rig } from "../e2e/rig.ts";

/** What passed on one connection, by direction. */
class Taped {
  readonly #up: Buffer[] = [];
  readonly #down: Buffer[] = [];
  readonly over: Promise<unknown>;

  constructor(client: Socket, server: Socket) {
    client.on("data", (bytes: Buffer) => void this.#up.push(bytes));
    server.on("data", (bytes: Buffer) => void this.#down.push(bytes));
    client.pipe(server).pipe(client);
    this.over = Promise.all([client, server].map((one, at, both) =>
      new Promise<void>((closed) => {
        one.on("error", () => {}).on("close", () => {
          both[1 - at].destroySoon();
          closed();
        });
      })
    ));
  }

  /** All that the client sent behind its head. */
  get up(): Buffer {
    return behindHead(this.#up);
  }

  /** All that the server sent behind its head. */
  get down(): Buffer {
    return behindHead(this.#down);
  }
}

function behindHead(parts: readonly Buffer[]): Buffer {
  const all = Buffer.concat(parts);
  return all.subarray(all.indexOf("\r\n\r\n") + 4);
}

/** Listens on `port` in front of another port. */
export class Tap {
  readonly #server: Server;
  readonly #taped: Taped[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Begins to listen; ends with the rig. */
  static async before(rig: Rig, port: number): Promise<Tap> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const upstream = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      sockets.add(client).add(upstream);
      tap.#taped.push(new Taped(client, upstream));
    });
    const tap = new Tap(server);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    rig.atEnd(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return tap;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The last connection, once it is over. */
  async last(): Promise<Taped> {
    const last = this.#taped.at(-1)!;
    await last.over;
    return last;
  }
}

/** The wires there are, each as a pair that is joined, for the suites that run against all of them. */
import { Conn } from "../../src/net/conn.ts";
import { socketPair } from "../../src/net/socket.ts";
import { takeBuffer } from "../../src/wire/buffers.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import { WebSocketWire } from "../../src/wire/websocket.ts";
import { type CloseReason, type Wire, WIRE_HEADROOM, type WireReceiver } from "../../src/wire/wire.ts";

export interface Pair {
  /** The dialling end first. */
  readonly ends: [Wire, Wire];
  /** Breaks the connection without a word; null where nothing can break it. */
  readonly cut: (() => void) | null;
}

export interface WireMaker {
  readonly name: string;
  make(): Promise<Pair>;
}

/** A WebSocket over sockets whose handshake is done. */
function overSockets(client: Conn, server: Conn, masked: boolean): Pair {
  const ends: [Wire, Wire] = [
    new WebSocketWire(client, "client", masked),
    new WebSocketWire(server, "server"),
  ];
  client.start();
  server.start();
  return { ends, cut: () => server.destroy() };
}

export const WIRES: readonly WireMaker[] = [
  { name: "memory", make: () => Promise.resolve({ ends: memoryPair(4096), cut: null }) },
  { name: "memory of 8 octets", make: () => Promise.resolve({ ends: memoryPair(8), cut: null }) },
  {
    name: "websocket, 8 octets at a time",
    make: () => {
      const [client, server] = socketPair(8);
      return Promise.resolve(overSockets(new Conn(client), new Conn(server), true));
    },
  },
  {
    name: "websocket over TCP",
    make: async () => {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const [client, server] = await Promise.all([
        Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port }),
        listener.accept(),
      ]);
      listener.close();
      return overSockets(new Conn(client, { maxRead: 256 * 1024 }), new Conn(server), false);
    },
  },
];

/** Sends a copy of `bytes` as one message. */
export function sendBytes(wire: Wire, bytes: Uint8Array): void {
  const buffer = takeBuffer(WIRE_HEADROOM + bytes.length);
  buffer.set(bytes, WIRE_HEADROOM);
  wire.send(buffer, WIRE_HEADROOM, WIRE_HEADROOM + bytes.length);
}

/** Keeps what comes. */
export class Ear implements WireReceiver {
  readonly messages: Uint8Array[] = [];
  readonly closings: CloseReason[] = [];
  octets = 0;
  #parts: number[][] = [];
  #wake: (() => void)[] = [];

  bytes(bytes: Uint8Array, from: number, to: number): void {
    this.#parts.push([...bytes.subarray(from, to)]);
    this.octets += to - from;
    this.happened();
  }

  boundary(): void {
    this.messages.push(Uint8Array.from(this.#parts.flat()));
    this.#parts = [];
    this.happened();
  }

  closed(reason: CloseReason): void {
    this.closings.push(reason);
    this.happened();
  }

  happened(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }

  /** Waits until `is` holds; looked at whenever something came. */
  async until(is: () => boolean): Promise<void> {
    while (!is()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }
}

/** A wire within the process: hub and daemon in one, and tests. */
import { giveBuffer } from "./buffers.ts";
import { type CloseReason, closeReason, type Wire, type WireReceiver } from "./wire.ts";

/** Two ends joined; an end is busy while `capacity` octets or more that it sent have not been delivered. */
export function memoryPair(capacity = 256 * 1024): [Wire, Wire] {
  const a = new MemoryWire(capacity), b = new MemoryWire(capacity);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

interface Message {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly from: number;
  readonly to: number;
}

class MemoryWire implements Wire {
  peer!: MemoryWire;
  onDrain: (() => void) | null = null;
  /** Sent, not delivered. */
  #queue: Message[] = [];
  #octets = 0;
  #receiver: WireReceiver | null = null;
  /** Set by `close`: it is delivered after what was sent before. */
  #reason: CloseReason | null = null;
  /** This end closed, or was told that the other did. */
  #over = false;
  #scheduled = false;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get busy(): boolean {
    return this.#octets >= this.#capacity;
  }

  get queued(): number {
    return this.#octets;
  }

  send(buffer: Uint8Array<ArrayBuffer>, from: number, to: number): void {
    if (this.#over) return giveBuffer(buffer);
    this.#queue.push({ buffer, from, to });
    this.#octets += to - from;
    this.#schedule();
  }

  start(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.peer.#schedule();
  }

  close(reason: CloseReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#receiver = null;
    this.#reason = reason;
    this.#schedule();
  }

  destroy(): void {
    this.#over = true;
    this.#receiver = null;
    for (const { buffer } of this.#queue) giveBuffer(buffer);
    this.#queue = [];
    this.#octets = 0;
  }

  /** Never delivers within a call: whoever sends is in the middle of something. */
  #schedule(): void {
    if (this.#scheduled || (this.#queue.length === 0 && this.#reason === null)) return;
    this.#scheduled = true;
    queueMicrotask(this.#deliver);
  }

  readonly #deliver = (): void => {
    this.#scheduled = false;
    const { peer } = this;
    if (peer.#receiver === null && !peer.#over) return;
    const wasBusy = this.busy;
    const queue = this.#queue;
    this.#queue = [];
    for (const { buffer, from, to } of queue) {
      // The one before may have made the other end close.
      peer.#receiver?.bytes(buffer, from, to);
      peer.#receiver?.boundary();
      giveBuffer(buffer);
      this.#octets -= to - from;
    }
    if (this.#reason !== null) peer.#closed(this.#reason);
    else if (wasBusy && !this.busy) this.onDrain?.();
  };

  #closed(reason: CloseReason): void {
    if (this.#over) return;
    this.#over = true;
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.closed(closeReason(reason.code, reason.message));
  }
}

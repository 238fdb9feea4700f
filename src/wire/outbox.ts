/** What a session has to send: the frames of one turn of the loop, side by side in one buffer, go out as one message. */
import { FRAME_HEADER, FrameError, writeHeader } from "../core/frame.ts";
import { giveBuffer, takeBuffer } from "./buffers.ts";
import { type Wire, WIRE_HEADROOM } from "./wire.ts";

/** DATA waits while so much does: what stands before a small answer is at most this and what the wire holds. */
const BATCH = 256 * 1024;
/** One stream's part of that while the wire is busy: the rest is room for others to pass it by. */
const SHARE = 128 * 1024;
/** What one stream may send before the next that waited has its turn. */
const TURN = 64 * 1024;
/** A peer that takes nothing while it makes us answer is cut at so much, and a head for each open stream. */
const MOST_QUEUED = 16 * 1024 * 1024, MOST_PER_STREAM = 64 * 1024;

/** A stream that has more to send. */
export interface Sender {
  /** There is room again. */
  writable(): void;
}

export class Outbox {
  /** Where frames are written to; changes with every call of `frame`. */
  buffer: Uint8Array<ArrayBuffer> = NONE;
  /** Counts messages: a stream's part of the batch starts anew with each. */
  round = 0;
  /** The end of the last frame; 0 while there is no buffer. */
  #at = 0;
  /** How large a buffer to begin with: what earlier batches needed, so that none grows in the middle. */
  #size = 0;
  #scheduled = false;
  #closed = false;
  /** Octets that the wire was given, headers of messages aside. */
  #given = 0;
  /** In the order in which they have their turn. */
  readonly #waiting = new Set<Sender>();
  /** What the one whose turn it is may still send; Infinity: nobody's turn, whoever comes. */
  #turn = Infinity;
  readonly #wire: Wire;
  readonly #streams: () => number;
  readonly #failed: (error: unknown) => void;

  /** `streams`: how many are open. `failed`: a sender threw, or far too much waits for a peer that takes nothing. */
  constructor(wire: Wire, streams: () => number, failed: (error: unknown) => void) {
    this.#wire = wire;
    this.#streams = streams;
    this.#failed = failed;
    wire.onDrain = () => this.#drained();
  }

  /** Octets that wait for the wire. */
  get length(): number {
    return this.#at === 0 ? 0 : this.#at - WIRE_HEADROOM;
  }

  /** Octets that wait here or in the wire. */
  get queued(): number {
    return this.length + this.#wire.queued;
  }

  /** Octets that left, since the session began. */
  get sent(): number {
    return this.#given - this.#wire.queued;
  }

  /** Adds a frame, whatever waits. The caller writes its payload to `buffer` from what this returns. */
  frame(type: number, stream: number, length: number): number {
    const end = this.#at + FRAME_HEADER + length;
    if (end > this.buffer.length) return this.#grow(type, stream, length);
    const at = this.#at;
    this.#at = end;
    return writeHeader(this.buffer, at, type, stream, length);
  }

  /** How much DATA a stream may add now that has `taken` of this batch already. */
  room(taken: number): number {
    if (this.length >= BATCH && !this.#wire.busy) this.#flush();
    const room = Math.min(BATCH - this.length, this.#turn);
    return Math.max(0, this.#wire.busy ? Math.min(room, SHARE - taken) : room);
  }

  /** `octets` of DATA were added. */
  used(octets: number): void {
    this.#turn -= octets;
  }

  /** Has `sender` told when there is room again, after those that wait already. */
  wait(sender: Sender): void {
    this.#waiting.add(sender);
    this.#schedule();
  }

  forget(sender: Sender): void {
    this.#waiting.delete(sender);
  }

  /** Sends what there is, busy or not, and nothing ever after. */
  close(): void {
    if (this.#at !== 0) this.#flush();
    this.#closed = true;
    this.#waiting.clear();
  }

  #grow(type: number, stream: number, length: number): number {
    const old = this.buffer, end = Math.max(this.#at, WIRE_HEADROOM);
    const least = end + FRAME_HEADER + length;
    this.buffer = takeBuffer(this.#at === 0 ? Math.max(least, this.#size) : Math.max(least, 2 * old.length));
    if (this.#at !== 0) {
      this.buffer.set(old.subarray(0, end));
      giveBuffer(old);
      if (least > MOST_QUEUED && least > MOST_QUEUED + MOST_PER_STREAM * this.#streams()) {
        // Not at once: whoever sends is in the middle of something.
        queueMicrotask(() =>
          this.#failed(new FrameError("the other side takes nothing of what it asks for"))
        );
      }
    }
    this.#at = least;
    this.#schedule();
    return writeHeader(this.buffer, end, type, stream, length);
  }

  #schedule(): void {
    if (this.#scheduled || this.#wire.busy) return;
    this.#scheduled = true;
    queueMicrotask(this.#turnEnds);
  }

  /** Everything that this turn of the loop had to send is here. */
  readonly #turnEnds = (): void => {
    this.#scheduled = false;
    if (!this.#wire.busy) this.#drained();
  };

  #drained(): void {
    if (this.#at !== 0) this.#flush();
    if (this.#waiting.size === 0) return;
    try {
      this.#serve();
    } catch (error) {
      this.#failed(error);
    }
  }

  #flush(): void {
    const { buffer } = this, end = this.#at;
    this.buffer = NONE;
    this.#at = 0;
    this.#size = Math.max(end, this.#size >>> 1);
    this.round++;
    if (this.#closed) giveBuffer(buffer);
    else {
      this.#given += end - WIRE_HEADROOM;
      this.#wire.send(buffer, WIRE_HEADROOM, end);
    }
  }

  /** Turns for those that wait, as far as there is room; who has still more waits again, behind the others. */
  #serve(): void {
    for (let octets = 0; octets < BATCH; octets += TURN) {
      // Whoever waits again within this pass is not part of it.
      let count = this.#waiting.size;
      for (const sender of this.#waiting) {
        if (count-- === 0) break;
        this.#turn = TURN;
        if (this.room(0) === 0) break;
        this.#waiting.delete(sender);
        sender.writable();
      }
    }
    this.#turn = Infinity;
  }
}

const NONE = new Uint8Array(0);

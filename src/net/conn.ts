/** One connection: bytes in as they come, bytes out in batches. */
import { giveBack, lend, nextSize, SMALLEST } from "./buffers.ts";
import { Lingering } from "./lingering.ts";
import { Outbox } from "./outbox.ts";
import type { Socket } from "./socket.ts";

/** Whoever a connection belongs to just now. */
export interface ConnHandler {
  /**
   * Octets that came, of the read buffer: valid during the call only. Returns how many were consumed; the rest is held
   * and offered again with what comes next, or on `resume()`.
   */
  data(bytes: Uint8Array): number;
  /** End-of-file, after everything that came before it was consumed. Called once. */
  end(): void;
  /**
   * The connection broke and is destroyed; what was not written can still be reclaimed during the call. Called once,
   * never after `destroy()`.
   */
  failed(error: Error): void;
  /** `n` more octets are with the kernel; `conn.queued` are not. */
  flushed(n: number): void;
  /** End-of-file was read, though octets before it may still be held. */
  ended?(): void;
  /** Nothing can be written any more, though what the other side sent may still be read. Without it: `failed`. */
  writeFailed?(error: Error): void;
}

export interface ConnOptions {
  /** The read buffer grows up to so many octets while reads fill it; default 64 KiB, a tunnel takes 256 KiB. */
  readonly maxRead?: number;
}

/** So many reads in a row that would have fitted the smallest buffer bring it back. */
const SMALL_READS = 16;

/**
 * So many octets are read in a row before others have their turn: a read of what is there already is answered at once,
 * and a peer that sends faster than it is read would keep timers and all other connections waiting for seconds.
 */
const TURN_OCTETS = 256 * 1024;

/** What happens once everything is written. */
const GO_ON = 0, HALF_CLOSE = 1, CLOSE = 2;

/** Connections that have something to write when the turn ends. */
let dirty: Conn[] = [];
const turn = Promise.resolve();

function flushDirty(): void {
  const conns = dirty;
  dirty = [];
  for (const conn of conns) conn.flush();
}

export class Conn {
  /** Settable: whoever takes over sets it, then calls `resume()`. */
  handler: ConnHandler = HOLD;
  /** See `ConnOptions`. */
  maxRead: number;
  readonly #socket: Socket;
  readonly #out = new Outbox();
  /** Read into; octets [#from, #to) were not consumed. */
  #in: Uint8Array<ArrayBuffer> | null = null;
  #from = 0;
  #to = 0;
  /** The size of the next read buffer. */
  #wanted = SMALLEST;
  #smallReads = 0;
  #reading = false;
  #offering = false;
  #again = false;
  #eof = false;
  #endTold = false;
  #writing = false;
  #scheduled = false;
  #afterFlush = GO_ON;
  #writable = true;
  #dead = false;

  constructor(socket: Socket, options: ConnOptions = {}) {
    this.#socket = socket;
    this.maxRead = options.maxRead ?? 64 * 1024;
  }

  /** Begins to read. Called once, after `handler` was set. */
  start(): void {
    this.#read();
  }

  /** Offers what is held again, to the handler that is there now. */
  resume(): void {
    if (this.#offering) {
      this.#again = true;
      return;
    }
    this.#offer();
    // A full buffer had ended the reading.
    if (!this.#reading && !this.#eof && !this.#dead) this.#read();
  }

  /** Copies `bytes` to the batch that goes out at the end of this turn. */
  write(bytes: Uint8Array): void {
    if (this.#afterFlush !== GO_ON || !this.#writable || bytes.length === 0) return;
    this.#out.add(bytes);
    this.#schedule();
  }

  /**
   * Writes bytes[from, to) as they lie there. Nobody may touch them until `release` is called, which is not where the
   * connection is destroyed meanwhile: the kernel may still read them.
   */
  give(bytes: Uint8Array<ArrayBuffer>, from: number, to: number, release: () => void): void {
    if (this.#afterFlush !== GO_ON || !this.#writable) return release();
    this.#out.give(bytes, from, to, release);
    this.#schedule();
  }

  /** `write` for Latin-1 text. */
  writeText(text: string): void {
    if (this.#afterFlush !== GO_ON || !this.#writable) return;
    this.#out.addText(text);
    this.#schedule();
  }

  /** Octets written here and not yet with the kernel. */
  get queued(): number {
    return this.#out.queued;
  }

  /** Octets that came and were not consumed. */
  get held(): number {
    return this.#to - this.#from;
  }

  /** True while the kernel is being given octets: how many of them it took is not known yet. */
  get writing(): boolean {
    return this.#writing;
  }

  /** End-of-file was read. */
  get atEnd(): boolean {
    return this.#eof;
  }

  /** This direction has ended, or will once it is flushed. */
  get ending(): boolean {
    return this.#afterFlush !== GO_ON;
  }

  get destroyed(): boolean {
    return this.#dead;
  }

  /** A long pause is likely: the next read gets the smallest buffer. */
  rest(): void {
    this.#wanted = SMALLEST;
  }

  /** Takes back what was written and has not reached the kernel. Only while not `writing`. */
  reclaim(): Uint8Array[] {
    return this.#out.reclaim();
  }

  /** Flushes, then ends this direction. */
  end(): void {
    if (this.#afterFlush === GO_ON) this.#finish(HALF_CLOSE);
  }

  /** Flushes, then closes. */
  close(): void {
    if (this.#afterFlush !== CLOSE) this.#finish(CLOSE);
  }

  /** Closes now. The handler hears nothing more. */
  destroy(): void {
    if (this.#dead) return;
    this.#shut();
    this.#out.drop();
  }

  /**
   * Flushes, ends this direction, and discards what still comes before it closes: closing a socket with unread octets
   * resets it, and a reset takes the answer away from a client that is still sending. Its owner sees to the time.
   */
  linger(): void {
    const lingering = this.handler = new Lingering(this, this.handler);
    this.end();
    if (this.#endTold) lingering.end();
    else this.resume();
  }

  /** Gives the kernel what waits, now instead of at the end of the turn. */
  flush(): void {
    this.#scheduled = false;
    if (!this.#writing && this.#out.queued > 0 && !this.#dead) this.#write();
  }

  #schedule(): void {
    if (this.#writing || this.#dead) return;
    if (this.#out.hasFull) return void this.#write();
    // What a handler writes while it is offered octets goes out when it returns.
    if (this.#scheduled || this.#offering) return;
    this.#scheduled = true;
    if (dirty.push(this) === 1) turn.then(flushDirty);
  }

  #finish(how: number): void {
    this.#afterFlush = how;
    if (this.#out.queued > 0 && this.#writable) return this.#schedule();
    if (!this.#writing) this.#flushed();
  }

  /** Everything is written. */
  #flushed(): void {
    if (this.#dead || this.#afterFlush === GO_ON) return;
    if (this.#afterFlush === CLOSE) return this.destroy();
    if (!this.#writable) return;
    this.#writable = false;
    // Where the other side is gone already, reading will tell.
    this.#socket.closeWrite().catch(() => {});
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      for (let batch = this.#out.next(); batch !== null; batch = this.#out.next()) {
        const n = await this.#socket.write(batch);
        if (this.#dead) return;
        this.#out.took(n);
        this.handler.flushed(n);
        if (this.#dead) return;
      }
      this.#writing = false;
      this.#flushed();
    } catch (error) {
      this.#writing = false;
      this.#writeFailed(error as Error);
    }
  }

  #writeFailed(error: Error): void {
    if (this.#dead) return;
    if (this.handler.writeFailed === undefined || this.#afterFlush === CLOSE) return this.#broke(error);
    this.handler.writeFailed(error);
    this.#writable = false;
    this.#out.drop();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    let inRow = 0;
    try {
      for (let room = this.#room(); room !== null; room = this.#room()) {
        const n = await this.#socket.read(room);
        if (this.#dead) break;
        if (n === null) {
          this.#eof = true;
          this.handler.ended?.();
          break;
        }
        this.#to += n;
        this.#learn(n, room.length);
        this.#offer();
        if (this.#dead) break;
        if ((inRow += n) < TURN_OCTETS) continue;
        inRow = 0;
        await new Promise<void>((turn) => setImmediate(turn));
        if (this.#dead) break;
      }
      this.#reading = false;
      if (this.#dead || (this.#eof && this.#from === this.#to)) this.#giveBack();
      if (this.#eof && !this.#dead) this.#offer();
    } catch (error) {
      this.#reading = false;
      this.#broke(error as Error);
    }
  }

  /** Where to read to; null: what is held fills the buffer. */
  #room(): Uint8Array | null {
    let buffer = this.#in;
    if (this.#from === this.#to) {
      this.#from = this.#to = 0;
      if (buffer !== null && buffer.length === this.#wanted) return buffer;
      this.#giveBack();
      return this.#in = lend(this.#wanted);
    }
    buffer = buffer!;
    if (this.#from > 0 && buffer.length - this.#to < buffer.length / 2) {
      buffer.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    return this.#to === buffer.length ? null : buffer.subarray(this.#to);
  }

  #learn(n: number, room: number): void {
    if (n === room && this.#in!.length === room) {
      this.#wanted = nextSize(room, this.maxRead);
      this.#smallReads = 0;
    } else if (n > SMALLEST) this.#smallReads = 0;
    else if (++this.#smallReads === SMALL_READS) {
      this.#smallReads = 0;
      this.#wanted = SMALLEST;
    }
  }

  #offer(): void {
    this.#offering = true;
    try {
      while (this.#to > this.#from && !this.#dead) {
        this.#again = false;
        const { handler } = this;
        this.#from += handler.data(this.#in!.subarray(this.#from, this.#to));
        if (!this.#again && handler === this.handler) break;
      }
      if (this.#eof && !this.#endTold && this.#from === this.#to && !this.#dead) {
        this.#endTold = true;
        this.handler.end();
      }
    } catch (error) {
      this.#broke(error as Error);
    }
    this.#offering = false;
    if (!this.#writing && this.#out.queued > 0) this.flush();
  }

  #broke(error: Error): void {
    if (this.#dead) return;
    this.#shut();
    this.handler.failed(error);
    this.#out.drop();
  }

  #shut(): void {
    this.#dead = true;
    this.#writable = false;
    try {
      this.#socket.close();
    } catch {
      // It was closed by what broke it.
    }
  }

  #giveBack(): void {
    if (this.#in !== null) giveBack(this.#in);
    this.#in = null;
  }
}

/** Holds everything: between two owners. */
const HOLD: ConnHandler = { data: () => 0, end() {}, failed() {}, flushed() {} };

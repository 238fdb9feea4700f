/** Where bytes come from and go to: what the data plane asks of a connection. */

/** A connected byte stream. `Deno.Conn` is one; so are the ends of `socketPair` and TLS by node:tls. */
export interface Socket {
  /** Reads into `p`: how many octets, or null at end-of-file. One at a time. Rejects when the connection broke. */
  read(p: Uint8Array): Promise<number | null>;
  /** Writes octets from the front of `p`, at least one; `p` belongs to the socket until then. One at a time. */
  write(p: Uint8Array): Promise<number>;
  /** Ends this direction; the other goes on. */
  closeWrite(): Promise<void>;
  /** Closes both; what is outstanding is rejected or reads end-of-file. */
  close(): void;
}

/** Two ends of a connection within the process; each direction holds at most `capacity` octets. */
export function socketPair(capacity = 65_536): [Socket, Socket] {
  const there = new Pipe(capacity), back = new Pipe(capacity);
  return [new PipeSocket(back, there), new PipeSocket(there, back)];
}

class PipeSocket implements Socket {
  readonly #in: Pipe;
  readonly #out: Pipe;

  constructor(from: Pipe, to: Pipe) {
    this.#in = from;
    this.#out = to;
  }

  read(p: Uint8Array): Promise<number | null> {
    return this.#in.read(p);
  }

  write(p: Uint8Array): Promise<number> {
    return this.#out.write(p);
  }

  closeWrite(): Promise<void> {
    this.#out.end();
    return Promise.resolve();
  }

  close(): void {
    this.#out.end();
    this.#in.abandon();
  }
}

/** One direction: a ring of octets between a writer and a reader, either of whom may wait. */
class Pipe {
  readonly #ring: Uint8Array;
  #from = 0;
  #length = 0;
  #ended = false;
  #abandoned = false;
  #reader: { p: Uint8Array; resolve: (n: number | null) => void } | null = null;
  #writer: { p: Uint8Array; resolve: (n: number) => void; reject: (error: Error) => void } | null = null;

  constructor(capacity: number) {
    this.#ring = new Uint8Array(capacity);
  }

  read(p: Uint8Array): Promise<number | null> {
    if (this.#abandoned) return Promise.reject(new Deno.errors.BadResource("the connection is closed"));
    if (this.#length === 0 && this.#ended) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#reader = { p, resolve };
      this.#move();
    });
  }

  write(p: Uint8Array): Promise<number> {
    if (this.#ended || this.#abandoned) {
      return Promise.reject(new Deno.errors.BrokenPipe("the other end is closed"));
    }
    return new Promise((resolve, reject) => {
      this.#writer = { p, resolve, reject };
      this.#move();
    });
  }

  /** The writer has ended. */
  end(): void {
    this.#ended = true;
    this.#move();
  }

  /** The reader has gone. */
  abandon(): void {
    this.#abandoned = true;
    this.#reader?.resolve(null);
    this.#reader = null;
    this.#writer?.reject(new Deno.errors.BrokenPipe("the other end is closed"));
    this.#writer = null;
  }

  #move(): void {
    this.#fill();
    const reader = this.#reader;
    if (reader === null || (this.#length === 0 && !this.#ended)) return;
    this.#reader = null;
    if (this.#length === 0) return reader.resolve(null);
    const n = Math.min(reader.p.length, this.#length, this.#ring.length - this.#from);
    reader.p.set(this.#ring.subarray(this.#from, this.#from + n));
    this.#from = (this.#from + n) % this.#ring.length;
    this.#length -= n;
    reader.resolve(n);
    this.#fill();
  }

  #fill(): void {
    const writer = this.#writer, capacity = this.#ring.length;
    if (writer === null || this.#length === capacity) return;
    this.#writer = null;
    const to = (this.#from + this.#length) % capacity;
    const n = Math.min(writer.p.length, capacity - this.#length, capacity - to);
    this.#ring.set(writer.p.subarray(0, n), to);
    this.#length += n;
    writer.resolve(n);
  }
}

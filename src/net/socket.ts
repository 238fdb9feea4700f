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
export function socketPair(_capacity = 65_536): [Socket, Socket] {
  throw new Error("not yet");
}

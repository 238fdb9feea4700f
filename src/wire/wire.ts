/** What carries a tunnel's frames. There are two: a WebSocket on a socket, and a pair within the process. */

/** Free octets that every buffer given to `send` has before `from`: the longest header of a WebSocket frame. */
export const WIRE_HEADROOM = 14;

/** Why a session or its wire ended. */
export interface CloseReason {
  /** A word for programs: `protocol_error`, `lost`, `dead`, `replaced`, `draining`, `revoked_token`, … */
  readonly code: string;
  /** A sentence for people; may be empty. */
  readonly message: string;
  /** Dialling again can not help. */
  readonly permanent: boolean;
}

/** Codes that dialling again can not mend. */
const PERMANENT: ReadonlySet<string> = new Set(["bad_version", "revoked_token"]);

/** The reason `code`; whether it is permanent stands in the code, so that both ends agree. */
export function closeReason(code: string, message: string): CloseReason {
  return { code, message, permanent: PERMANENT.has(code) };
}

/** Whoever reads a wire. */
export interface WireReceiver {
  /** bytes[from, to) came; valid during the call only. */
  bytes(bytes: Uint8Array, from: number, to: number): void;
  /** What came since the last boundary was one `send` of the other end, or several: frames end here. */
  boundary(): void;
  /** The other end closed the wire, or it was lost. Called once, and not after `close`. */
  closed(reason: CloseReason): void;
}

/** One end of a connection that carries bytes in order. */
export interface Wire {
  /**
   * Sends bytes[from, to) as one message. Takes the buffer, which came from wire/buffers.ts, and gives it back there;
   * there are WIRE_HEADROOM free octets before `from`. After `close` nothing is sent.
   */
  send(buffer: Uint8Array<ArrayBuffer>, from: number, to: number): void;
  /** What was sent before is still on its way: whoever can wait, waits for `onDrain`. */
  readonly busy: boolean;
  /** Octets that were sent and are still on their way here. */
  readonly queued: number;
  /** Called when the wire is busy no more. */
  onDrain: (() => void) | null;
  /** Begins to read. Nothing is lost that came before, nor that the wire was. */
  start(receiver: WireReceiver): void;
  /** Sends what was given to it, tells the other end why, and closes. Again does nothing. */
  close(reason: CloseReason): void;
  /** Forgets what is still on its way, at once: an end that takes nothing would keep it here for ever. */
  destroy(): void;
}

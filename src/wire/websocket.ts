/** A wire on a socket: RFC 6455, binary messages. */
import type { Conn } from "../net/conn.ts";
import type { CloseReason, Wire, WireReceiver } from "./wire.ts";

export class WebSocketWire implements Wire {
  busy = false;
  onDrain: (() => void) | null = null;
  /** `secret` false: nobody between the ends reads along (TLS, loopback), so a client masks with zeros. */
  constructor(_conn: Conn, _role: "client" | "server", _secret?: boolean) {}
  send(_buffer: Uint8Array, _from: number, _to: number): void {}
  start(_receiver: WireReceiver): void {}
  close(_reason: CloseReason): void {}
}

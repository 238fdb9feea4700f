/** Connections to targets and hubs. */
import type { TargetTls } from "../core/entry.ts";
import type { Target } from "../core/target.ts";
import type { Socket } from "./socket.ts";

/** Connects to `target`, both address families, TLS for https. Rejects with the runtime's error; `signal` gives up. */
export function dial(_target: Target, _tls: TargetTls | null, _signal: AbortSignal): Promise<Socket> {
  throw new Error("not yet");
}

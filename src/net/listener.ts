/** Where visitors come in. */
import type { Clock } from "../clock.ts";
import type { Refusal, Rendered } from "../core/errors.ts";
import type { RequestHead } from "../core/http1/types.ts";
import type { ServerLimits } from "../core/limits.ts";
import type { Exchange } from "./exchange.ts";
import type { Socket } from "./socket.ts";

export interface ListenerOptions {
  readonly limits: ServerLimits;
  readonly clock: Clock;
  /** True for the address of a proxy whose X-Forwarded-* are believed. */
  readonly trusted: (ip: string) => boolean;
  /** Answers an exchange, now or later. */
  readonly handler: (exchange: Exchange) => void;
  /** Renders the answers that the listener itself gives. `head` is null where none was read. */
  readonly refuse: (refusal: Refusal, head: RequestHead | null, requestId: string) => Rendered;
  /** Visitors come by https. */
  readonly secure: boolean;
}

export class Listener {
  constructor(_options: ListenerOptions) {}
  /** Binds and accepts. Rejects with the runtime's error where it can't. */
  listen(_where: { hostname: string; port: number } | { path: string }): Promise<Deno.Addr> {
    throw new Error("not yet");
  }
  /** Serves a connection that was accepted elsewhere. */
  serve(_socket: Socket, _peer: string): void {}
  /** Accepts no more, closes connections after their answers, and waits up to `ms` for those in flight. */
  drain(_ms: number): Promise<void> {
    throw new Error("not yet");
  }
  /** Cuts everything. */
  close(): void {}
  /** Open connections, tunnels not among them. */
  get connections(): number {
    throw new Error("not yet");
  }
}

/** How long a target's connection may be idle and still be used. */
import { valueOf } from "../core/http1/fields.ts";
import { Kind } from "../core/http1/names.ts";
import type { ResponseHead } from "../core/http1/types.ts";

/** The shortest keep-alive of servers in wide use is 5 s (Node, Apache): less than that, they do not close first. */
const IDLE_MS = 4_000;

/** A target counts from when it sent its answer: that much earlier than we do, and a request has to arrive. */
const MARGIN_MS = 1_000;

const NAME = "keep-alive";
const TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*"?(\d+)/i;

/** Milliseconds, by the `Keep-Alive: timeout=` of the last answer (RFC 2068 §19.7.1.1) where there is one. */
export function idleMsAfter({ raw, lines }: ResponseHead): number {
  let idleMs = IDLE_MS;
  for (let at = 0; at < lines.length; at += 4) {
    if (lines[at] !== Kind.HOP) continue;
    const colon = lines[at + 2];
    if (raw.slice(lines[at + 1], colon).toLowerCase() !== NAME) continue;
    const hint = TIMEOUT.exec(valueOf(raw, colon, lines[at + 3]));
    if (hint !== null) idleMs = Math.min(idleMs, Math.max(0, Number(hint[1]) * 1000 - MARGIN_MS));
  }
  return idleMs;
}

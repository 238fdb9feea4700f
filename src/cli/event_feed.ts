/** Hears what happens at the running daemon, as it happens. */
import { dialOrigin } from "../net/dial.ts";
import type { Address } from "./client.ts";
import { follow } from "../net/converse.ts";

/** `data`: the JSON object concerned. */
export interface FeedEvent {
  readonly type: string;
  readonly data: unknown;
}

/**
 * Calls `heard` for every event of the daemon at `address` from now on, `requests` for each of those too, and `begun` once
 * the daemon listens. Resolves when the daemon ends; rejects as `follow` does.
 */
export async function followEvents(
  address: Address,
  heard: (event: FeedEvent) => void,
  signal: AbortSignal,
  { requests = false, begun = () => {} }: { requests?: boolean; begun?: () => void } = {},
): Promise<void> {
  const { socket: path, origin, token, caFile = null } = address;
  const socket = path === undefined
    ? await dialOrigin(origin, caFile, signal)
    : await Deno.connect({ transport: "unix", path });
  const headers = {
    Accept: "text/event-stream",
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  let rest = "", type = "", first = true;
  await follow(
    socket,
    new URL(origin ?? "http://localhost").host,
    { method: "GET", path: `/v1/events${requests ? "?requests=true" : ""}`, headers, body: null },
    signal,
    (piece) => {
      // It says something at once.
      if (first) begun();
      first = false;
      const lines = (rest + piece).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith("event: ")) type = line.slice("event: ".length);
        else if (line.startsWith("data: ")) heard({ type, data: JSON.parse(line.slice("data: ".length)) });
      }
      return true;
    },
  );
}

/** Hears what happens at the running daemon, as it happens. */
import { dial } from "../net/dial.ts";
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
  const { socket: path, origin, token } = address;
  const url = new URL(origin ?? "http://localhost");
  const socket = path === undefined
    ? await dial(
      { kind: "http", host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || 80 },
      null,
      signal,
    )
    : await Deno.connect({ transport: "unix", path });
  const headers = {
    Accept: "text/event-stream",
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  let rest = "", type = "", first = true;
  await follow(
    socket,
    url.host,
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

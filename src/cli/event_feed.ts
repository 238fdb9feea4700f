/** Hears what happens at the running daemon, as it happens. */
import { dial } from "../net/dial.ts";
import type { Address } from "./client.ts";
import { follow } from "./converse.ts";

/** Calls `heard` for every event of the daemon at `address` from now on. Resolves when the daemon ends; rejects as `follow` does. */
export async function followEvents(address: Address, heard: () => void, signal: AbortSignal): Promise<void> {
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
  let rest = "";
  await follow(
    socket,
    url.host,
    { method: "GET", path: "/v1/events", headers, body: null },
    signal,
    (piece) => {
      const lines = (rest + piece).split("\n");
      rest = lines.pop()!;
      if (lines.some((line) => line.startsWith("event: "))) heard();
      return true;
    },
  );
}

/** One call over a unix socket: `fetch` would send an absolute-form target there, which no role of connectd takes. */
import { type Answer, type Call, converse } from "../net/converse.ts";

/** Calls whoever listens on the socket at `path`. Rejects with the runtime's error; with `signal`'s when that gives up. */
export async function callUnix(path: string, call: Call, signal: AbortSignal): Promise<Answer> {
  return await converse(await Deno.connect({ transport: "unix", path }), "localhost", call, signal);
}

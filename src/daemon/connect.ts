/** From a hub's address to a wire: a socket, TLS, and the upgrade that makes a tunnel of it. */
import type { Clock } from "../clock.ts";
import { isLoopback, withoutBrackets } from "../core/address.ts";
import type { HubAddress } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { Conn } from "../net/conn.ts";
import { dialOrigin } from "../net/dial.ts";
import { upgrade } from "../wire/handshake.ts";
import type { Wire } from "../wire/wire.ts";

/** What is asked of a hub, and the scope of token that it takes for that. */
export interface Door {
  readonly path: string;
  readonly scope: "daemon" | "member";
}

const TUNNEL: Door = { path: "/v1/tunnel", scope: "daemon" };

/** All streams of a session come by one socket. */
const MAX_READ = 256 * 1024;

/**
 * Dials `hub` with the token in `tokenFile`, for up to `limitMs` from the first packet to the hub's 101. Throws Failure,
 * `permanent` where dialling again can't help.
 */
export async function connectHub(
  hub: HubAddress,
  tokenFile: string,
  clock: Clock,
  limitMs: number,
  { path, scope }: Door = TUNNEL,
): Promise<Wire> {
  const url = new URL(hub.url);
  const secure = url.protocol === "https:";
  const host = withoutBrackets(url.hostname);
  const local = isLocal(host);
  if (!secure && !hub.plain && !local) {
    throw new Failure(`${hub.url} would send the token and every request in the clear`, {
      hint: "use https://, or say plain: true where the way to the hub is safe",
      permanent: true,
    });
  }
  const token = await readToken(tokenFile, hub.url, scope);
  const limit = new AbortController();
  const timer = clock.timer(() => limit.abort());
  timer.set(limitMs);
  try {
    const socket = await dialOrigin(hub.url, hub.caFile, limit.signal);
    const conn = new Conn(socket, { maxRead: MAX_READ });
    return await upgrade(
      conn,
      { host: url.host, path, token, scope, masked: !secure && !local },
      limit.signal,
    );
  } catch (cause) {
    const late = limit.signal.aborted;
    const why = late
      ? `no answer within ${limitMs / 1000} s`
      : cause instanceof Error
      ? cause.message
      : String(cause);
    const { hint, permanent } = cause instanceof Failure ? cause : { hint: null, permanent: false };
    throw new Failure(`${hub.url}: ${why}`, { permanent, cause, ...(hint === null ? {} : { hint }) });
  } finally {
    timer.drop();
  }
}

/** Names that never leave this machine (RFC 6761 §6.3), and loopback addresses. */
function isLocal(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || isLoopback(host);
}

async function readToken(path: string, hub: string, scope: string): Promise<Secret> {
  let text: string;
  try {
    text = (await Deno.readTextFile(path)).trim();
  } catch (cause) {
    throw new Failure(`there is no token for ${hub}: ${path} can not be read`, {
      hint: `put what \`connectd token create --scope ${scope}\` printed there, or name its file with ${
        scope === "daemon" ? "token_file" : "--token-file"
      }`,
      permanent: true,
      cause,
    });
  }
  // RFC 6750 §2.1: anything else would break the line that it is sent in.
  if (/^[\x21-\x7e]+$/.test(text)) return new Secret(text);
  throw new Failure(`${path} holds no token`, {
    hint: "it is one line, as `connectd token create` printed it",
    permanent: true,
  });
}

/** How a tunnel begins: the upgrade of RFC 6455 §4 with a token, on both sides. */
import { createHash } from "node:crypto";
import { Failure, Malformed } from "../core/errors.ts";
import { ResponseReader } from "../core/http1/head.ts";
import { field, fieldAll, type RequestHead, type ResponseHead } from "../core/http1/types.ts";
import type { Secret } from "../core/secret.ts";
import type { Conn, ConnHandler } from "../net/conn.ts";
import { WebSocketWire } from "./websocket.ts";

/** What both sides name; the number is that of the frames. */
export const SUBPROTOCOL = "connectd.1";

/** Where a daemon dials. */
export interface Upgrade {
  /** As in the Host field. */
  readonly host: string;
  readonly path: string;
  /** Null: the server asks for none. */
  readonly token: Secret | null;
  /** That a token has to have. Absent: daemon. */
  readonly scope?: "daemon" | "member";
  /** Somebody may stand between the ends: no TLS, no loopback. */
  readonly masked: boolean;
}

/**
 * Asks for the upgrade on a connection that was not started yet, and resolves with the wire. Rejects with a Failure:
 * `permanent` where dialling again can't help. Gives up, and destroys the connection, when `signal` says so.
 */
export function upgrade(conn: Conn, options: Upgrade, signal: AbortSignal): Promise<WebSocketWire> {
  const key = randomKey();
  return new Promise((resolve, reject) => {
    const aborted = () => refuse(new Failure("the hub did not answer in time"));
    const settled = () => signal.removeEventListener("abort", aborted);
    const refuse = (cause: unknown) => {
      settled();
      conn.destroy();
      reject(cause);
    };
    if (signal.aborted) return aborted();
    signal.addEventListener("abort", aborted);
    conn.handler = new Answer(key, options.scope, () => {
      settled();
      resolve(new WebSocketWire(conn, "client", options.masked));
    }, refuse);
    conn.start();
    conn.writeText(upgradeRequest(options, key));
  });
}

/** Reads the answer, and no octet of what follows it. */
class Answer implements ConnHandler {
  readonly #reader = new ResponseReader();

  constructor(
    private readonly key: string,
    private readonly scope: Upgrade["scope"],
    private readonly accepted: () => void,
    private readonly refused: (cause: unknown) => void,
  ) {
    this.#reader.expect({ method: "GET", upgrade: "websocket" });
  }

  data(bytes: Uint8Array): number {
    try {
      for (let at = 0;; this.#reader.next()) {
        at = this.#reader.read(bytes, at, bytes.length);
        const { head } = this.#reader;
        if (head === null) return at;
        if (head.status !== 101 && head.status < 200) continue;
        checkUpgrade(head, this.key, this.scope);
        this.accepted();
        return at;
      }
    } catch (error) {
      this.refused(
        error instanceof Malformed
          ? new Failure("the hub's answer is not HTTP", {
            cause: error,
            hint: "is this the address of a hub?",
          })
          : error,
      );
      return bytes.length;
    }
  }

  end(): void {
    this.refused(new Failure("the hub closed the connection before it answered"));
  }

  failed(cause: Error): void {
    this.refused(new Failure("the connection to the hub broke", { cause }));
  }

  flushed(): void {}
}

/** The text of the request. `key`: 16 random octets in base64. */
export function upgradeRequest({ host, path, token }: Upgrade, key: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...(token === null ? [] : [`Authorization: Bearer ${token.expose()}`]),
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
    "\r\n",
  ].join("\r\n");
}

/** Answers that dialling again can't mend, and what can. */
function permanent(
  status: number,
  scope: "daemon" | "member",
): readonly [message: string, hint: string] | null {
  const create = `create one at the hub: connectd token create --scope ${scope}`;
  if (status === 401) return ["the hub does not take this token", create];
  if (status === 403) return [`the hub does not admit a ${scope} with this token`, create];
  if (status !== 426) return null;
  const ends = scope === "daemon" ? "daemon and hub" : "this program and the hub";
  return ["the hub speaks another version of the tunnel", `bring ${ends} to neighbouring versions`];
}

/** Throws a Failure, `permanent` where dialling again can't help, unless `head` is the 101 that answers `key`. */
export function checkUpgrade(head: ResponseHead, key: string, scope: Upgrade["scope"] = "daemon"): void {
  const { status } = head;
  if (status !== 101) {
    const [message, hint] = permanent(status, scope) ??
      [`the hub answered ${status} ${head.reason}`.trimEnd()];
    throw new Failure(message, { hint, permanent: hint !== undefined });
  }
  if (
    head.upgrade !== "websocket" || field(head, "sec-websocket-accept") !== acceptKey(key) ||
    field(head, "sec-websocket-protocol") !== SUBPROTOCOL ||
    field(head, "sec-websocket-extensions") !== undefined
  ) {
    throw new Failure("the hub's answer is no upgrade to a tunnel", {
      hint: "is this the address of a hub?",
    });
  }
}

/** The text of the 101 for a tunnel, or null where `head` does not ask for one. */
export function acceptUpgrade(head: RequestHead): string | null {
  const key = webSocketKey(head);
  if (key === null || !listed(head, "sec-websocket-protocol").includes(SUBPROTOCOL)) return null;
  return switching(key, SUBPROTOCOL);
}

/** The key of a request that begins a WebSocket (RFC 6455 §4.2.1), or null where it does not. */
export function webSocketKey(head: RequestHead): string | null {
  const keys = fieldAll(head, "sec-websocket-key");
  const asks = head.method === "GET" && head.minor === 1 && head.upgrade === "websocket" &&
    head.framing.kind === "none" && field(head, "sec-websocket-version") === "13";
  // 16 octets in base64.
  return asks && keys.length === 1 && /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(keys[0]) ? keys[0] : null;
}

/** The text of a 101 that takes the WebSocket of `key`; `protocol`: one of those that were offered, or null. */
export function switching(key: string, protocol: string | null): string {
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: websocket",
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
    ...(protocol === null ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    "\r\n",
  ].join("\r\n");
}

/** Proof that the answer was made for this key (RFC 6455 §4.2.2). */
function acceptKey(key: string): string {
  return createHash("sha1").update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
}

function randomKey(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
}

/** The members of a list field. */
function listed(head: RequestHead, name: string): string[] {
  return fieldAll(head, name).flatMap((value) => value.split(",").map((item) => item.trim()));
}

/** How a tunnel begins: the upgrade of RFC 6455 §4 with a token, both sides. */
import type { RequestHead, ResponseHead } from "../core/http1/types.ts";

/** The protocol that both sides name; the number is that of the frames. */
export const SUBPROTOCOL = "connectd.1";

/** The text of the request. `key`: 16 random octets, base64. */
export function upgradeRequest(
  _o: { host: string; path: string; token: string | null; key: string },
): string {
  throw new Error("not yet");
}
/** Throws Failure, `permanent` where dialling again can't help, unless `head` is the 101 that answers `key`. */
export function checkUpgrade(_head: ResponseHead, _key: string): void {}
/** The 101 that takes a tunnel's request, or null where `head` asks for none. */
export function acceptUpgrade(_head: RequestHead): string | null {
  throw new Error("not yet");
}

/** `GET /v1/tunnel`: where daemons dial in. */
import { field } from "../core/http1/types.ts";
import type { Exchange } from "../net/exchange.ts";
import { acceptUpgrade } from "../wire/handshake.ts";
import { WebSocketWire } from "../wire/websocket.ts";
import { ApiProblem, renderProblem } from "../api/problem.ts";
import type { HubState } from "./state.ts";

export const TUNNEL_PATH = "/v1/tunnel";

/** Answers a request for a tunnel. The token goes first: whoever has none learns nothing else. */
export function serveTunnel(exchange: Exchange, state: HubState): void {
  const { head, requestId, address } = exchange;
  const { tokens, sessions, audit } = state;
  try {
    const identity = tokens.identify(field(head, "authorization"));
    if (identity === null) throw UNAUTHORIZED;
    if (identity.scope !== "daemon" && identity.scope !== "admin") {
      throw new ApiProblem(403, "forbidden", "A tunnel needs a token of scope daemon.");
    }
    if (state.draining()) throw new ApiProblem(503, "hub_draining", "The hub is about to end.");
    if (sessions.full) throw new ApiProblem(503, "hub_busy", "The hub has as many sessions as it admits.");
    const accepted = acceptUpgrade(head);
    if (accepted === null) throw NO_UPGRADE;
    const connection = exchange.detach();
    connection.writeText(accepted);
    sessions.accept(new WebSocketWire(connection, "server"), identity, address);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    audit.refusedSession(error.code, address);
    exchange.answer(renderProblem(error, requestId));
  }
}

const UNAUTHORIZED = new ApiProblem(401, "unauthorized", "A tunnel needs a valid token.", [
  ["WWW-Authenticate", `Bearer realm="hub"`],
]);
const NO_UPGRADE = new ApiProblem(426, "upgrade_required", "This is the address of a tunnel: upgrade.", [
  ["Upgrade", "websocket"],
  ["Connection", "Upgrade"],
  ["Sec-WebSocket-Protocol", "connectd.1"],
  ["Sec-WebSocket-Version", "13"],
]);

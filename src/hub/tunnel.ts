/** `GET /v1/tunnel`: where daemons dial in. */
import { field } from "../core/http1/types.ts";
import type { Exchange } from "../net/exchange.ts";
import { acceptUpgrade } from "../wire/handshake.ts";
import { WebSocketWire } from "../wire/websocket.ts";
import { ApiProblem, renderProblem } from "../api/problem.ts";
import { closeReason, type Wire } from "../wire/wire.ts";
import type { HubState } from "./state.ts";
import type { Identity } from "./tokens.ts";

export const TUNNEL_PATH = "/v1/tunnel";

/** Answers a request for a tunnel. */
export function serveTunnel(exchange: Exchange, state: HubState): void {
  serveUpgrade(exchange, state, (identity) => {
    if (identity.scope !== "daemon" && identity.scope !== "admin") {
      throw new ApiProblem(403, "forbidden", "A tunnel needs a token of scope daemon.");
    }
    return (wire) => state.sessions.accept(wire, identity, exchange.address);
  });
}

/**
 * Answers a request for a session. `admit` says what becomes of the wire; it throws ApiProblem for whom it does not want.
 * The token goes first: whoever has none learns nothing else.
 */
export function serveUpgrade(
  exchange: Exchange,
  state: HubState,
  admit: (identity: Identity) => (wire: Wire) => void,
): void {
  const { head, requestId, address } = exchange;
  const { tokens, sessions, audit, failures } = state;
  try {
    const shown = field(head, "authorization"), identity = tokens.identify(shown);
    if (identity === null) throw (shown === undefined ? null : failures.wrongToken(address)) ?? UNAUTHORIZED;
    const accept = admit(identity);
    if (state.draining()) throw new ApiProblem(503, "hub_draining", "The hub is about to end.");
    if (sessions.full) throw new ApiProblem(503, "hub_busy", "The hub has as many sessions as it admits.");
    const accepted = acceptUpgrade(head);
    if (accepted === null) throw NO_UPGRADE;
    const connection = exchange.detach();
    connection.writeText(accepted);
    const wire = new WebSocketWire(connection, "server"), full = sessions.fullOf(identity.workspace);
    if (full === null) return accept(wire);
    // Said by the wire: an answer of HTTP would give the other end a number, and no sentence.
    audit.refusedSession("limit", address);
    wire.close(closeReason("limit", full));
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

/** `GET /v1/reach`: where members dial in, to open connections to private services. */
import { ApiProblem } from "../api/problem.ts";
import type { Exchange } from "../net/exchange.ts";
import type { HubState } from "./state.ts";
import { serveUpgrade } from "./tunnel.ts";

export const REACH_PATH = "/v1/reach";

/** Ids of shares, which are no secrets: the code is. */
const SHARE = /^share=([a-z2-7]{1,32})$/;

/** Answers a request for a member's session: `?share=ID` for one that reaches what a share gives, and nothing else. */
export function serveReach(exchange: Exchange, state: HubState): void {
  const { head: { target }, address } = exchange;
  const { members } = state.sessions;
  serveUpgrade(exchange, state, (identity) => {
    if (identity.scope === "viewer" || identity.scope === "metrics") {
      throw new ApiProblem(403, "forbidden", "To reach a service needs a token of scope member.");
    }
    const at = target.indexOf("?"), share = at < 0 ? null : SHARE.exec(target.slice(at + 1))?.[1] ?? "";
    if (share !== null && !members.admits(identity, share)) {
      throw new ApiProblem(
        403,
        "forbidden",
        "This token has not been let into such a share, or it has ended.",
      );
    }
    return (wire) => members.accept(wire, identity, address, share);
  });
}

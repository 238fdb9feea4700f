/** What a front asks before it has a certificate made for a name that somebody calls. */
import { ApiProblem } from "../api/problem.ts";
import { object } from "../api/documentation.ts";
import type { Operation } from "./api_operation.ts";
import type { HubState } from "./state.ts";

export const ASK_PATH = "/v1/tls/ask";

/** Open to fronts alone, which have no token: whoever else asks hears what he would of a name that is nobody's. */
export function tlsRoutes(state: HubState): Operation[] {
  return [
    {
      method: "GET",
      path: ASK_PATH,
      summary: "Whether a certificate may be made for a name: a link's own domain that is proven",
      query: {
        domain: {
          doc: "The name. Asked from this machine or by a trusted proxy.",
          schema: { type: "string" },
        },
      },
      open: true,
      scopes: [],
      answers: { 200: { doc: "It may.", schema: object({ ok: { type: "boolean" } }) } },
      problems: [404],
      run(context) {
        const domain = (context.req.query("domain") ?? "").toLowerCase().replace(/\.$/, "");
        const { address, local } = context.env;
        if ((local || state.isNear(address)) && state.domains.isLive(domain)) {
          return context.json({ ok: true });
        }
        throw new ApiProblem(404, "not_found", "There is no such domain.");
      },
    },
  ];
}

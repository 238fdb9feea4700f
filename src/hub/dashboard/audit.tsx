/** `/audit`: who did what in the workspace, the newest first, and whether the trail still is as it was written. */
import { readTrail } from "../../api/trail_page.ts";
import { Seal, Trail } from "../../pages/trail.tsx";
import type { Visit } from "./board.ts";
import { show } from "./frame.tsx";

export async function auditPage(visit: Visit): Promise<Response> {
  const { context, board, caller } = visit;
  const { desk } = board.state.audit;
  const trail = await readTrail(context, desk, caller.workspace);
  // The chain is of all workspaces, and long: whoever may not have it checked, does not.
  const mayVerify = board.may(caller, "POST /v1/audit/verify");
  const verify = mayVerify && context.req.query("verify") !== undefined;
  return show(visit, {
    title: "Audit",
    current: "/audit",
    body: (
      <>
        <h1>Audit</h1>
        {verify && <Seal verdict={await desk.verify([])} />}
        <Trail {...trail} verify={mayVerify} now={board.state.clock.now()} />
      </>
    ),
  });
}

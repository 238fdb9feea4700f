/** `/audit`: who did what, the newest first, and whether the trail still is as it was written. */
import { readTrail } from "../../../api/trail_page.ts";
import { Seal, Trail } from "../../../pages/trail.tsx";
import type { ControlState } from "../state.ts";
import { type Call, show } from "./frame.tsx";

export async function auditPage(context: Call, state: ControlState): Promise<Response> {
  const { desk } = state.audit;
  const trail = await readTrail(context, desk, null);
  return show(context, state, {
    title: "Audit",
    current: "/audit",
    body: (
      <>
        <h1>Audit</h1>
        {context.req.query("verify") !== undefined && <Seal verdict={await desk.verify([])} />}
        <Trail {...trail} verify now={state.clock.now()} />
      </>
    ),
  });
}

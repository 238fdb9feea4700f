/** Where the daemon's pages hear of things, and for how long. */
import { type Live, livePage } from "../../../api/live.ts";
import { ApiProblem } from "../../../api/problem.ts";
import { readCookie } from "../../../api/secrets.ts";
import { BUILD } from "../../../pages/assets.ts";
import type { SeenJson } from "../../witnesses/live.ts";
import type { ControlState } from "../state.ts";
import type { Call } from "./frame.tsx";

/** The events of one page. They end with the session. */
export function liveAnswer(context: Call, state: ControlState, live: Live<SeenJson>): Response {
  const { clock, events, witnesses } = state;
  return livePage({
    build: BUILD,
    clock,
    admitted: admission(context, state),
    listen: (changed) => events.listen(({ type }) => type !== "request" && changed()),
    watch(seen) {
      const deaf = events.listen(({ type, data }) => type === "request" && seen(data as SeenJson));
      witnesses.live.watchers++;
      return () => {
        deaf();
        witnesses.live.watchers--;
      };
    },
  }, live);
}

/** Whether the caller would still be let in: who signs out, or is signed in too long, sees nothing more. */
function admission(context: Call, { sessions }: ControlState): () => boolean {
  if (context.env.local || context.req.header("Authorization") !== undefined) return () => true;
  const port = Number(context.req.header("Host")?.split(":").at(-1));
  const secret = readCookie(context.req.header("Cookie"), port);
  if (secret === null) throw new ApiProblem(401, "unauthorized", "Nobody is signed in.");
  return () => sessions.admits(secret);
}

/** `/settings`: the hub and the workspace as they are; hub.yaml is where they are changed. */
import { VERSION } from "../../core/version.ts";
import { workspaceLimitTexts } from "../../core/workspace_limits.ts";
import { Fields, Time } from "../../pages/parts.tsx";
import type { Visit } from "./board.ts";
import { show } from "./frame.tsx";

export function settingsPage(visit: Visit): Response {
  const { board: { state }, caller: { workspace, name, scope } } = visit;
  const now = state.clock.now();
  const { limits, links, sessions, streams } = state.quotas.of(workspace);
  const most = workspaceLimitTexts(limits);
  return show(visit, {
    title: "Settings",
    current: "/settings",
    body: (
      <>
        <h1>Settings</h1>
        <p>Nothing is changed here: whoever looks after the hub does that in its hub.yaml.</p>
        <div class="two">
          <section>
            <h2>You</h2>
            <Fields rows={[["Token", <span class="mono">{name}</span>], ["Scope", scope]]} />
          </section>
          <section>
            <h2>Workspace</h2>
            <Fields
              rows={[
                ["Name", <span class="mono">{workspace}</span>],
                ["Links", ofMost(links, most.links)],
                ["Sessions", ofMost(sessions, most.sessions)],
                ["Requests in flight", ofMost(streams, most.streams)],
                ["Requests", most.requests === "none" ? "no limit" : `at most ${most.requests}`],
              ]}
            />
          </section>
          <section>
            <h2>Hub</h2>
            <Fields
              rows={[
                ["URL", <span class="mono">{state.url}</span>],
                ["Links are at", <span class="mono">*.{state.domain}</span>],
                ["Version", <span class="mono">{VERSION}</span>],
                ["Runs since", <Time at={new Date(state.startedAt).toISOString()} now={now} />],
              ]}
            />
          </section>
        </div>
      </>
    ),
  });
}

function ofMost(n: number, most: string): string {
  return most === "none" ? `${n}, no limit` : `${n} of at most ${most}`;
}

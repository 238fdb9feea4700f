/** `/plan`: the file that runs, what a reload would do, and the reload. */
import { seeOther } from "../../../api/form.ts";
import { wantsEvents } from "../../../api/live.ts";
import { printStep } from "../../../core/plan.ts";
import { printSetting } from "../../../core/settings.ts";
import { html, Region } from "../../../pages/layout.tsx";
import { Command, Fields, Notice, Time } from "../../../pages/parts.tsx";
import type { ControlState } from "../state.ts";
import { type Call, show } from "./frame.tsx";
import { FileProblems } from "./links.tsx";
import { liveAnswer } from "./live.ts";

export async function planPage(context: Call, state: ControlState): Promise<Response> {
  const regions = async () => html(await planRegion(state));
  if (wantsEvents(context)) return liveAnswer(context, state, { regions });
  return show(context, state, {
    title: "Plan",
    current: "/plan",
    body: (
      <>
        <h1>Plan</h1>
        {await planRegion(state)}
      </>
    ),
  });
}

/** `POST /plan`: reloads; what came of it stands on the page that follows. */
export async function reload(_context: Call, state: ControlState): Promise<Response> {
  await state.reload({ by: "page" });
  return seeOther("/plan");
}

async function planRegion(state: ControlState) {
  const { config } = state.status();
  const now = state.clock.now();
  if (config.file === null) {
    return (
      <Region id="plan">
        <Notice>
          <p>This daemon runs without a file. One that is written for it begins so:</p>
          <Command text="connectd init" />
        </Notice>
      </Region>
    );
  }
  const { plan, settings, problems } = await state.plan();
  const lines = [...settings.map(printSetting), ...plan.map(printStep)];
  return (
    <Region id="plan">
      <Fields
        rows={[
          ["File", <span class="mono">{config.file}</span>],
          ["Applied", <Time at={config.appliedAt} now={now} none="not yet" />],
          ["Changes since the start", String(config.generation)],
          ["SHA-256", config.hash === null ? null : <span class="mono">{config.hash}</span>],
        ]}
      />
      <h2>What a reload would do</h2>
      <FileProblems problems={problems} />
      {lines.length > 0 && <pre>{lines.join("\n")}</pre>}
      {lines.length === 0 && !problems.some(({ severity }) => severity === "error") &&
        <p>Nothing: the file says what runs.</p>}
      <form method="post" action="/plan">
        <button type="submit">Reload</button>
      </form>
    </Region>
  );
}

/** `/shares`: codes that give members of the workspace private services for a while. */
import { readForm, seeOther } from "../../api/form.ts";
import { wantsEvents } from "../../api/live.ts";
import { ApiProblem } from "../../api/problem.ts";
import { html, Region } from "../../pages/layout.tsx";
import { Fields, Notice, StateMark, Time } from "../../pages/parts.tsx";
import { shareJson } from "../share.ts";
import type { Visit } from "./board.ts";
import { liveAnswer, show } from "./frame.tsx";
import { MadeOnce } from "./made.tsx";
import { Said } from "./problem.tsx";

type Share = ReturnType<typeof shareJson>;

/** The newest ones; whoever has more asks the API, which pages. */
const MOST = 100;

export function sharesPage(visit: Visit): Response {
  return page(visit, new Map(), [], null);
}

/** `POST /shares`: the code stands on the page that follows, once. */
export async function makeShare(visit: Visit): Promise<Response> {
  const services: string[] = [];
  const typed = await readForm(visit.context, (name, value) => name === "service" && services.push(value));
  const expires = typed.get("expires");
  const body = {
    services,
    ...(expires === undefined ? {} : { expires }),
    requireApproval: typed.has("requireApproval"),
  };
  try {
    const { json } = await visit.board.call(visit, "POST", "/v1/shares", body);
    const made = visit.board.keepOnce({ for: visit.caller.token, name: "the share", secret: json.code });
    return seeOther(`/shares?made=${made}`);
  } catch (error) {
    if (error instanceof ApiProblem && error.status < 500) return page(visit, typed, services, error);
    throw error;
  }
}

/** `POST /shares/{id}/approve` */
export async function approveMember(visit: Visit): Promise<Response> {
  const form = await readForm(visit.context);
  await visit.board.call(visit, "POST", `/v1${pathOf(visit)}/approve`, { member: form.get("member") ?? "" });
  return seeOther("/shares");
}

/** `POST /shares/{id}/end` */
export async function endShare(visit: Visit): Promise<Response> {
  await visit.board.call(visit, "DELETE", `/v1${pathOf(visit)}`);
  return seeOther("/shares");
}

function pathOf({ context }: Visit): string {
  return `/shares/${encodeURIComponent(context.req.param("id")!)}`;
}

function page(
  visit: Visit,
  typed: ReadonlyMap<string, string>,
  chosen: readonly string[],
  problem: ApiProblem | null,
): Response {
  if (wantsEvents(visit.context)) {
    return liveAnswer(visit, { regions: () => html(<Shares visit={visit} />) });
  }
  return show(visit, {
    title: "Shares",
    current: "/shares",
    status: problem?.status ?? 200,
    body: (
      <>
        <h1>Shares</h1>
        <MadeOnce
          visit={visit}
          what="code"
          how="Whoever has a member's token joins with it: connectd join CODE."
        />
        {problem !== null && <Said problem={problem} />}
        {visit.board.may(visit.caller, "POST /v1/shares") && (
          <Make visit={visit} typed={typed} chosen={chosen} />
        )}
        <Shares visit={visit} />
      </>
    ),
  });
}

function Make(
  { visit: { board: { state }, caller: { workspace } }, typed, chosen }: {
    visit: Visit;
    typed: ReadonlyMap<string, string>;
    chosen: readonly string[];
  },
) {
  const services = state.desk.services.list(workspace).filter(({ access }) => access === "private");
  if (services.length === 0) {
    return (
      <Notice>
        <p>
          No daemon has a private service that could be shared. One is made on a daemon's machine:{" "}
          <code>connectd expose localhost:5432 --name db</code>
        </p>
      </Notice>
    );
  }
  return (
    <details class="ask" open={chosen.length > 0 || typed.size > 0}>
      <summary>New share…</summary>
      <form method="post" action="/shares">
        <fieldset>
          <legend>Services</legend>
          {services.map(({ name, daemon }) => (
            <label class="line">
              <input
                type="checkbox"
                name="service"
                value={`${daemon}/${name}`}
                checked={chosen.includes(`${daemon}/${name}`)}
              />{" "}
              {name} at {daemon}
            </label>
          ))}
        </fieldset>
        <div class="row end">
          <label>
            For how long
            <input name="expires" value={typed.get("expires")} placeholder="24h" autocomplete="off" />
          </label>
          <label class="line">
            <input
              type="checkbox"
              name="requireApproval"
              value="true"
              checked={typed.has("requireApproval")}
            />{" "}
            who joins waits for approval
          </label>
          <button type="submit" class="main">Make a share</button>
        </div>
      </form>
    </details>
  );
}

function Shares({ visit }: { visit: Visit }) {
  const { board: { state }, caller: { workspace } } = visit;
  const now = state.clock.now();
  const all = state.desk.shares.list(workspace);
  const shares = all.slice(-MOST).reverse().map((share) => shareJson(share, now));
  return (
    <Region id="shares">
      {shares.length === 0
        ? (
          <Notice>
            <p>There is no share.</p>
          </Notice>
        )
        : shares.map((share) => <One visit={visit} share={share} now={now} />)}
      {all.length > MOST && <p class="quiet">and {all.length - MOST} older, which the API lists</p>}
    </Region>
  );
}

function One({ visit: { board, caller }, share, now }: { visit: Visit; share: Share; now: number }) {
  const { id, services, state, by, createdAt, expiresAt, endedAt, requireApproval, members } = share;
  const live = state === "active";
  // What a share's maker and admins may do; others would be refused.
  const owns = caller.scope === "admin" || by === caller.name;
  return (
    <section>
      <h2>{services.map(({ name }) => name).join(", ")}</h2>
      <Fields
        rows={[
          ["State", <StateMark state={state} />],
          ["Made by", <span class="mono">{by}</span>],
          ["Made", <Time at={createdAt} now={now} />],
          ["Ends", <Time at={endedAt ?? expiresAt} now={now} />],
          ["Who joins", requireApproval ? "waits for approval" : "is in at once"],
        ]}
      />
      {members.length > 0 && (
        <ul>
          {members.map(({ token, name, state, joinedAt }) => (
            <li>
              <span class="mono">{name}</span> {state}, since <Time at={joinedAt} now={now} />
              {state === "waiting" && live && owns && board.may(caller, "POST /v1/shares/:id/approve") && (
                <form method="post" action={`/shares/${id}/approve`}>
                  <input type="hidden" name="member" value={token} />
                  <button type="submit">Let {name} in</button>
                </form>
              )}
            </li>
          ))}
        </ul>
      )}
      {live && owns && board.may(caller, "DELETE /v1/shares/:id") && (
        <details class="ask">
          <summary>End…</summary>
          <p>Whoever reaches a service by it is cut at once, and its code is good for nothing any more.</p>
          <form method="post" action={`/shares/${id}/end`}>
            <button type="submit" class="bad">End this share</button>
          </form>
        </details>
      )}
    </section>
  );
}

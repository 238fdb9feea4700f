/** `/device`: somebody at a command line wants to sign in, and who is signed in here says yes or no. */
import { readForm, seeOther } from "../../api/form.ts";
import { ApiProblem } from "../../api/problem.ts";
import { Fields, Notice, Time } from "../../pages/parts.tsx";
import type { Visit } from "./board.ts";
import { show } from "./frame.tsx";
import { Said } from "./problem.tsx";

/** As the API prints it. */
interface Login {
  readonly scope: string;
  readonly address: string;
  readonly software: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** `?code=`: as the command line prints it in its URL. */
export async function devicePage(visit: Visit): Promise<Response> {
  checkMay(visit);
  const code = visit.context.req.query("code") ?? "";
  if (code === "") return page(visit, code, null, null);
  try {
    const { json } = await visit.board.call(visit, "POST", "/v1/device/lookup", { userCode: code });
    return page(visit, code, json, null);
  } catch (error) {
    if (error instanceof ApiProblem && error.status < 500) return page(visit, code, null, error);
    throw error;
  }
}

/** `POST /device/approve` */
export function approve(visit: Visit): Promise<Response> {
  return decide(visit, "approve");
}

/** `POST /device/deny` */
export function deny(visit: Visit): Promise<Response> {
  return decide(visit, "deny");
}

async function decide(visit: Visit, what: keyof typeof DONE): Promise<Response> {
  checkMay(visit);
  const form = await readForm(visit.context);
  const userCode = form.get("code") ?? "", scope = form.get("scope"), name = form.get("name");
  const wish = { ...(scope === undefined ? {} : { scope }), ...(name === undefined ? {} : { name }) };
  try {
    await visit.board.call(visit, "POST", `/v1/device/${what}`, {
      userCode,
      ...(what === "deny" ? {} : wish),
    });
    return seeOther(`/device?done=${what}`);
  } catch (error) {
    if (error instanceof ApiProblem && error.status < 500) return page(visit, userCode, null, error);
    throw error;
  }
}

/** What was said, and what comes of it. */
const DONE = {
  approve: "It is signed in: whoever asked has a token within a few seconds.",
  deny: "It was turned away.",
};

function checkMay({ board, caller }: Visit): void {
  if (board.may(caller, "POST /v1/device/approve")) return;
  throw new ApiProblem(403, "forbidden", `A token of scope ${caller.scope} signs nobody in.`);
}

function page(visit: Visit, code: string, login: Login | null, problem: ApiProblem | null): Response {
  const { done = "" } = visit.context.req.query();
  return show(visit, {
    title: "Sign in a device",
    current: null,
    status: problem?.status ?? 200,
    body: (
      <>
        <h1>Sign in a device</h1>
        {problem !== null && <Said problem={problem} />}
        {Object.hasOwn(DONE, done) && (
          <Notice>
            <p>{DONE[done as keyof typeof DONE]}</p>
          </Notice>
        )}
        {login === null ? <Ask code={code} /> : <Decide visit={visit} code={code} login={login} />}
      </>
    ),
  });
}

function Ask({ code }: { code: string }) {
  return (
    <form method="get" action="/device" class="row end">
      <label>
        The code that the command line shows
        <input
          name="code"
          value={code}
          placeholder="BCDF-GHJK"
          autocomplete="off"
          spellcheck={false}
          required
        />
      </label>
      <button type="submit" class="main">Go on</button>
    </form>
  );
}

function Decide({ visit, code, login }: { visit: Visit; code: string; login: Login }) {
  const { scope, address, software, createdAt, expiresAt } = login;
  const { state: { clock } } = visit.board, now = clock.now();
  const scopes = visit.caller.scope === "admin" ? ["daemon", "member", "viewer"] : ["member", "viewer"];
  return (
    <>
      <p>
        Say yes only if it is you who asks, or somebody whom you know, and the code below is the one that they
        see.
      </p>
      <Fields
        rows={[
          ["Code", <strong class="mono">{code}</strong>],
          ["Asked from", <span class="mono">{address}</span>],
          ["By", !software ? null : <span class="mono">{software}</span>],
          ["Asked", <Time at={createdAt} now={now} />],
          ["Is over", <Time at={expiresAt} now={now} />],
          ["Wants to be", scope],
          ["In the workspace", <span class="mono">{visit.caller.workspace}</span>],
        ]}
      />
      <form method="post" action="/device/approve" class="row end">
        <input type="hidden" name="code" value={code} />
        <label>
          Signs in as
          <select name="scope">
            {scopes.map((one) => <option value={one} selected={one === scope}>{one}</option>)}
          </select>
        </label>
        <label>
          Name of its token
          <input name="name" placeholder="made up" autocomplete="off" />
        </label>
        <button type="submit" class="main">Yes, sign it in</button>
        <button type="submit" class="bad" formaction="/device/deny">No</button>
      </form>
    </>
  );
}

/** `/tokens`: who may do what in the workspace. */
import { readForm, seeOther } from "../../api/form.ts";
import { ApiProblem } from "../../api/problem.ts";
import { type Column, Notice, Table, Time } from "../../pages/parts.tsx";
import { printToken } from "../api_tokens.ts";
import type { Visit } from "./board.ts";
import { show } from "./frame.tsx";
import { MadeOnce } from "./made.tsx";
import { Said } from "./problem.tsx";

const COLUMNS: readonly Column[] = [
  { label: "Token" },
  { label: "Scope" },
  { label: "State" },
  { label: "Made", minor: true },
  { label: "Last used", minor: true },
  { label: "Ends" },
  { label: "Id", minor: true },
  { label: "Actions" },
];

/** The scopes that a workspace's admin may give, and what each is for. */
const SCOPES = [
  ["daemon", "a daemon's session"],
  ["member", "a person who makes links and shares"],
  ["viewer", "a person who looks"],
  ["admin", "everything in this workspace"],
] as const;

export function tokensPage(visit: Visit): Response {
  return page(visit, new Map(), null);
}

/** `POST /tokens`: the secret stands on the page that follows, once. */
export async function makeToken(visit: Visit): Promise<Response> {
  const typed = await readForm(visit.context);
  const { scope, name, ttl } = Object.fromEntries(typed);
  const body = { scope, ...(name === undefined ? {} : { name }), ...(ttl === undefined ? {} : { ttl }) };
  try {
    const { json } = await visit.board.call(visit, "POST", "/v1/tokens", body);
    const made = visit.board.keepOnce({ for: visit.caller.token, name: json.name, secret: json.token });
    return seeOther(`/tokens?made=${made}`);
  } catch (error) {
    if (error instanceof ApiProblem && error.status < 500) return page(visit, typed, error);
    throw error;
  }
}

/** `POST /tokens/{id}/revoke` */
export async function revokeToken(visit: Visit): Promise<Response> {
  const id = encodeURIComponent(visit.context.req.param("id")!);
  await visit.board.call(visit, "DELETE", `/v1/tokens/${id}`);
  return seeOther("/tokens");
}

function page(visit: Visit, typed: ReadonlyMap<string, string>, problem: ApiProblem | null): Response {
  const { board, caller } = visit;
  if (!board.may(caller, "GET /v1/tokens")) {
    throw new ApiProblem(403, "forbidden", `A token of scope ${caller.scope} sees no tokens.`);
  }
  const now = board.state.clock.now();
  const tokens = board.state.tokens.list(caller.workspace).map(printToken);
  return show(visit, {
    title: "Tokens",
    current: "/tokens",
    status: problem?.status ?? 200,
    body: (
      <>
        <h1>Tokens</h1>
        <MadeOnce visit={visit} what="token" how="Its holder keeps it in a file that nobody else reads." />
        {problem !== null && <Said problem={problem} />}
        <form method="post" action="/tokens" class="row end">
          <label>
            For
            <select name="scope">
              {SCOPES.map(([scope, what]) => (
                <option value={scope} selected={typed.get("scope") === scope}>{scope}: {what}</option>
              ))}
            </select>
          </label>
          <label>
            Name
            <input name="name" value={typed.get("name")} placeholder="made up" autocomplete="off" />
          </label>
          <label>
            For how long
            <input name="ttl" value={typed.get("ttl")} placeholder="for ever; or 90d" autocomplete="off" />
          </label>
          <button type="submit" class="main">Make a token</button>
        </form>
        {tokens.length === 0
          ? (
            <Notice>
              <p>There is no token.</p>
            </Notice>
          )
          : (
            <Table label="Tokens" columns={COLUMNS}>
              {tokens.map((token) => <Row token={token} own={token.id === caller.token} now={now} />)}
            </Table>
          )}
      </>
    ),
  });
}

function Row({ token, own, now }: { token: ReturnType<typeof printToken>; own: boolean; now: number }) {
  const { id, name, scope, createdAt, expiresAt, revokedAt, lastUsedAt } = token;
  const state = revokedAt !== null
    ? "✕ revoked"
    : expiresAt !== null && Date.parse(expiresAt) <= now
    ? "◷ expired"
    : "● valid";
  return (
    <tr>
      <th scope="row" class="mono">{name}</th>
      <td>{scope}</td>
      <td class={`state ${state.endsWith("valid") ? "good" : "off"}`}>{state}</td>
      <td class="minor">
        <Time at={createdAt} now={now} />
      </td>
      <td class="minor">
        <Time at={lastUsedAt} now={now} />
      </td>
      <td>
        <Time at={expiresAt} now={now} />
      </td>
      <td class="minor mono">{id}</td>
      <td>
        {state.endsWith("valid") && (
          <details class="ask">
            <summary aria-label={`Revoke ${name}…`}>Revoke…</summary>
            <p>
              Whoever has it is signed out, and daemons with it lose their sessions at once.
              {own ? " It is the one that you are signed in with." : ""}
            </p>
            <form method="post" action={`/tokens/${id}/revoke`}>
              <button type="submit" class="bad">Revoke {name}</button>
            </form>
          </details>
        )}
      </td>
    </tr>
  );
}

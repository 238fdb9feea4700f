/** `/revoke?id=…&id=…`: several links at once, after a look at what that cuts. */
import { readForm, seeOther } from "../../api/form.ts";
import { ApiProblem } from "../../api/problem.ts";
import { type Column, Notice, StateMark, Table } from "../../pages/parts.tsx";
import { countWords } from "../../pages/words.ts";
import type { HubLink } from "../link.ts";
import type { Visit } from "./board.ts";
import { linkOf, pathOf } from "./find.ts";
import { show } from "./frame.tsx";

const COLUMNS: readonly Column[] = [
  { label: "Link", kind: "fill" },
  { label: "State" },
  { label: "In flight", kind: "number" },
  { label: "Last hour", kind: "number" },
];

export function revokePage(visit: Visit): Response {
  const links = chosen(visit, visit.context.req.queries("id") ?? []);
  if (links.length === 0) return seeOther("/");
  const { state: { traffic, clock } } = visit.board, now = clock.now();
  const open = links.reduce((sum, { counters }) => sum + counters.open, 0);
  return show(visit, {
    title: "Revoke links",
    current: "/",
    body: (
      <>
        <h1>Revoke {countWords(links.length, "link")}</h1>
        <Notice tone="wait">
          <p>
            New requests are refused at once; {countWords(open, "request")}{" "}
            in flight will be cut after a moment. Only renewing brings a link back.
          </p>
        </Notice>
        <Table label="Links that will be revoked" columns={COLUMNS}>
          {links.map((link) => (
            <tr>
              <th scope="row" class="fill long">{link.record.name}</th>
              <td>
                <StateMark state={link.stateAt(now) ?? "gone"} />
              </td>
              <td class="number">{link.counters.open}</td>
              <td class="number">{traffic.hour(link)}</td>
            </tr>
          ))}
        </Table>
        <form method="post" action="/revoke" class="row">
          {links.map(({ id }) => <input type="hidden" name="id" value={id} />)}
          <button type="submit" class="bad">Revoke {countWords(links.length, "link")}</button>
          <a href="/">Back</a>
        </form>
      </>
    ),
  });
}

/** `POST /revoke`: one after the other, each durable by itself. */
export async function revokeAll(visit: Visit): Promise<Response> {
  const ids: string[] = [];
  await readForm(visit.context, (name, value) => name === "id" && ids.push(value));
  for (const link of chosen(visit, ids)) await visit.board.call(visit, "DELETE", `/v1${pathOf(link)}`);
  return seeOther("/?state=revoked");
}

/** Those of `ids` that there are in the workspace, each once. Throws ApiProblem. */
function chosen(visit: Visit, ids: readonly string[]): HubLink[] {
  if (!visit.board.may(visit.caller, "DELETE /v1/links/:id")) {
    throw new ApiProblem(403, "forbidden", `A token of scope ${visit.caller.scope} revokes no links.`);
  }
  return [...new Set(ids)].map((id) => linkOf(visit, id)).filter((link) => link !== null);
}

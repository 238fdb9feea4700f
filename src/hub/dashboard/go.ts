/** `/go?to=…`: straight to a link, by its name, its id, or its URL. */
import { seeOther } from "../../api/form.ts";
import type { Visit } from "./board.ts";
import { linkOf, linksOf, pathOf } from "./find.ts";
import { listPath } from "./select.ts";

export function go(visit: Visit): Response {
  const to = (visit.context.req.query("to") ?? "").trim().toLowerCase();
  const place = visit.board.state.hosts().find(URL.parse(to)?.host ?? to);
  const byId = linkOf(visit, place.kind === "link" ? place.label : to);
  if (byId !== null) return seeOther(pathOf(byId));
  const [found, another] = [...linksOf(visit)].filter(({ record }) => record.name === to);
  if (found !== undefined && another === undefined) return seeOther(pathOf(found));
  return seeOther(listPath({ q: to, state: "", sort: "name", after: "" }));
}

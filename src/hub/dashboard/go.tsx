/** `/go?to=…`: straight to a link, by its name, its id, or its URL; `/found?to=…`: what fits while it is typed. */
import { seeOther } from "../../api/form.ts";
import { PAGE_FIELDS } from "../../pages/assets.ts";
import { html } from "../../pages/layout.tsx";
import { StateMark } from "../../pages/parts.tsx";
import { countWords } from "../../pages/words.ts";
import type { HubLink } from "../link.ts";
import type { Visit } from "./board.ts";
import { linkOf, linksOf, pathOf } from "./find.ts";
import { type Choice, listPath, select, type Selection } from "./select.ts";

/** As many as are seen at a glance. */
const SHOWN = 8;

export function go(visit: Visit): Response {
  const to = wanted(visit), link = exactly(visit, to);
  if (link !== null) return seeOther(pathOf(link));
  const { links, found } = fitting(visit, to);
  return seeOther(found === 1 ? pathOf(links[0]) : listPath(choiceOf(to)));
}

/** The part of the page below what is typed. */
export function found(visit: Visit): Response {
  const to = wanted(visit), link = exactly(visit, to);
  const { links, found } = fitting(visit, to);
  const shown = link === null ? links : [link, ...links.filter((other) => other !== link)].slice(0, SHOWN);
  const now = visit.board.state.clock.now();
  const more = Math.max(found, shown.length) - shown.length;
  const part = (
    <>
      <ul>
        {shown.map((link) => (
          <li>
            <a href={pathOf(link)}>
              <span>{link.record.name}</span> <StateMark state={link.stateAt(now) ?? "gone"} />
              <small class="mono">{link.id}</small>
            </a>
          </li>
        ))}
      </ul>
      <p role="status" class="quiet">
        {shown.length === 0
          ? "No link fits."
          : `${countWords(shown.length + more, "link fits", "links fit")}${
            more === 0 ? "." : ": Enter lists them."
          }`}
      </p>
    </>
  );
  return new Response(html(part), { headers: { ...PAGE_FIELDS } });
}

function wanted({ context }: Visit): string {
  return (context.req.query("to") ?? "").trim().toLowerCase();
}

/** The one link that `to` says; null: it says none, or several. */
function exactly(visit: Visit, to: string): HubLink | null {
  const { state } = visit.board;
  const place = state.hosts().find(URL.parse(to)?.host ?? to);
  const id = place.kind === "link"
    ? place.label
    : place.kind === "none"
    ? state.domains.find(place.host)?.id ?? to
    : to;
  const byId = linkOf(visit, id);
  if (byId !== null) return byId;
  const [one, another] = [...linksOf(visit)].filter(({ record }) => record.name === to);
  return another === undefined ? one ?? null : null;
}

/** Those whose name or id has it: what else the list looks at is no place to go. */
function fitting(visit: Visit, to: string): Selection {
  const links = [...linksOf(visit)].filter(({ record: { name, id } }) =>
    name.includes(to) || id.includes(to)
  );
  return select(links, choiceOf(""), SHOWN, visit.board.state.clock.now(), () => 0);
}

function choiceOf(q: string): Choice {
  return { q, state: "", sort: "name", after: "" };
}

/** `/`: the links of the workspace. */
import { wantsEvents } from "../../api/live.ts";
import { html, Region } from "../../pages/layout.tsx";
import { type Column, Command, More, Notice, StateMark, Table, Time, Url } from "../../pages/parts.tsx";
import { countWords } from "../../pages/words.ts";
import type { HubLink } from "../link.ts";
import type { Visit } from "./board.ts";
import { linksOf, pathOf } from "./find.ts";
import { liveAnswer, show } from "./frame.tsx";
import { policyBrief } from "./policy_text.ts";
import { type Choice, listPath, ORDERS, readChoice, select } from "./select.ts";
import { Sparkline } from "./sparkline.tsx";

const CHOICE: Column = { label: "Choose", boxes: true, minor: true };

const COLUMNS: readonly Column[] = [
  { label: "Link" },
  { label: "State" },
  { label: "URL", kind: "fill" },
  { label: "Service", minor: true },
  { label: "Lets through", minor: true },
  { label: "Ends" },
  { label: "Last hour", minor: true },
  { label: "Open", kind: "number", minor: true },
];

/** So many links are on a page: busy ones weigh more than a kilobyte each. */
const PAGE = 35;

const STATES = ["active", "offline", "error", "expired", "revoked"];

export function linksPage(visit: Visit): Response {
  const choice = readChoice(visit.context.req.query());
  const regions = () => html(<Links visit={visit} choice={choice} />);
  if (wantsEvents(visit.context)) return liveAnswer(visit, { regions, counts: true });
  return show(visit, {
    title: "Links",
    current: "/",
    body: (
      <>
        <h1>Links</h1>
        <div class="row end">
          <Filter choice={choice} />
          {visit.board.may(visit.caller, "POST /v1/links") && (
            <a class="button main apart" href="/new">New link…</a>
          )}
        </div>
        <Links visit={visit} choice={choice} />
      </>
    ),
  });
}

function Filter({ choice: { q, state, sort } }: { choice: Choice }) {
  return (
    <form method="get" action="/" role="search" class="row end">
      <label>
        Name, id, service or daemon
        <input type="search" name="q" value={q} data-filter />
      </label>
      <label>
        State
        <select name="state">
          <option value="">all</option>
          {STATES.map((one) => <option value={one} selected={one === state}>{one}</option>)}
        </select>
      </label>
      <label>
        Sorted by
        <select name="sort">
          {Object.entries(ORDERS).map(([order, words]) => (
            <option value={order} selected={order === sort}>{words}</option>
          ))}
        </select>
      </label>
      <button type="submit">Show</button>
    </form>
  );
}

function Links({ visit, choice }: { visit: Visit; choice: Choice }) {
  const { state } = visit.board;
  const now = state.clock.now();
  const mayRevoke = visit.board.may(visit.caller, "DELETE /v1/links/:id");
  const { links, found, next } = select(
    linksOf(visit),
    choice,
    PAGE,
    now,
    (link) => state.traffic.hour(link),
  );
  if (links.length === 0) {
    return (
      <Region id="links">
        <Nothing visit={visit} choice={choice} />
      </Region>
    );
  }
  const table = (
    <Table label="Links" columns={mayRevoke ? [CHOICE, ...COLUMNS] : COLUMNS}>
      {links.map((link) => <Row visit={visit} link={link} now={now} chosen={mayRevoke} />)}
    </Table>
  );
  return (
    <Region id="links">
      <p class="quiet">{countWords(found, "link")}</p>
      {mayRevoke
        ? (
          <form method="get" action="/revoke">
            {table}
            <p>
              <button type="submit">Revoke those that are chosen…</button>
            </p>
          </form>
        )
        : table}
      <More href={next === null ? null : listPath({ ...choice, after: next })} word="Next" />
    </Region>
  );
}

function Row(
  { visit: { board: { state } }, link, now, chosen }: {
    visit: Visit;
    link: HubLink;
    now: number;
    /** It can be chosen. */
    chosen: boolean;
  },
) {
  const { name, id, expiresAt, service } = link.record;
  return (
    <tr id={`l-${id}`}>
      {chosen && (
        <td class="minor">
          <input type="checkbox" name="id" value={id} aria-label={`Choose ${name}`} />
        </td>
      )}
      <th scope="row">
        <a href={pathOf(link)} data-row>{name}</a>
      </th>
      <td>
        <StateMark state={link.stateAt(now) ?? "gone"} />
      </td>
      <td class="fill">
        <Url url={state.hosts().urlOf(id)} />
      </td>
      <td class="minor mono">{service}</td>
      <td class="minor mono long">{link.policy === null ? "" : policyBrief(link.policy.spec)}</td>
      <td>
        <Time at={expiresAt === null ? null : new Date(expiresAt).toISOString()} now={now} />
      </td>
      <td class="minor">
        <Sparkline minutes={state.traffic.minutes(link)} />
      </td>
      <td class="number minor">{link.counters.open}</td>
    </tr>
  );
}

function Nothing({ visit, choice }: { visit: Visit; choice: Choice }) {
  if (listPath({ ...choice, sort: "name" }) !== "/") {
    return (
      <Notice>
        <p>
          No link fits. <a href="/">Show all</a>
        </p>
      </Notice>
    );
  }
  return <First visit={visit} />;
}

/** What to type next, with this hub's own address in it. */
function First({ visit: { board: { state }, caller: { workspace } } }: { visit: Visit }) {
  const { url } = state;
  const there = state.sessions.list(workspace).length > 0;
  return (
    <Notice>
      {there
        ? <p>A daemon is connected, and has no link yet. On its machine, for what runs on port 3000:</p>
        : (
          <>
            <p>
              No daemon has come to this workspace yet. On the machine of the service, sign in to this hub;
              the code that it prints is approved <a href="/device">here</a>:
            </p>
            <Command text={`connectd login ${url} --scope daemon`} />
            <p>Then make a link to what runs there, here on port 3000:</p>
          </>
        )}
      <Command text={`connectd link localhost:3000 --hub ${url}`} />
      <p>Links that stay are written into links.yaml, with this at its top:</p>
      <Command text={`hub: ${url}`} />
    </Notice>
  );
}

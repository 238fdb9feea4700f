/** `/`: links and hubs, and what is wrong with the file. */
import { wantsEvents } from "../../../api/live.ts";
import { printProblem, type Problem as FileProblem } from "../../../config/problem.ts";
import type { HubJson, LinkJson } from "../../status.ts";
import { html, Region } from "../../../pages/layout.tsx";
import {
  type Column,
  Command,
  Fields,
  More,
  Notice,
  Problem,
  StateMark,
  Table,
  Time,
  Url,
} from "../../../pages/parts.tsx";
import { countWords } from "../../../pages/words.ts";
import type { ControlState } from "../state.ts";
import { type Call, show } from "./frame.tsx";
import { liveAnswer } from "./live.ts";

const COLUMNS: readonly Column[] = [
  { label: "Link" },
  { label: "State" },
  { label: "URL", kind: "fill" },
  { label: "Target", minor: true },
  { label: "Ends" },
  { label: "Allowed", kind: "number", minor: true },
  { label: "Denied", kind: "number", minor: true },
  { label: "Open", kind: "number", minor: true },
];

/** So many links are on a page. */
const PAGE = 50;

export function linksPage(context: Call, state: ControlState): Response {
  const { q = "", after = "" } = context.req.query();
  const regions = () => html(<Regions state={state} q={q} after={after} />);
  if (wantsEvents(context)) return liveAnswer(context, state, { regions, counts: true });
  return show(context, state, {
    title: "Links",
    current: "/",
    body: (
      <>
        <h1>Links</h1>
        <div class="row end">
          <form method="get" action="/" role="search" class="row end">
            <label>
              Name, target or state
              <input type="search" name="q" value={q} data-filter />
            </label>
            <button type="submit">Filter</button>
          </form>
          <a class="button main apart" href="/new">New link…</a>
        </div>
        <Regions state={state} q={q} after={after} />
      </>
    ),
  });
}

function Regions({ state, q, after }: { state: ControlState; q: string; after: string }) {
  const { hubs, config } = state.status();
  const links = state.links();
  const now = state.clock.now();
  return (
    <>
      <Region id="problems">
        <FileProblems problems={config.problems} />
      </Region>
      <Region id="links">
        {links.length === 0 ? <FirstLink /> : <LinkTable {...{ links, q, after, now }} />}
      </Region>
      <Region id="hubs">
        <Hubs hubs={hubs} now={now} />
      </Region>
    </>
  );
}

/** The problems of the last file that was read, as the command line shows them. */
export function FileProblems({ problems }: { problems: readonly FileProblem[] }) {
  const refused = problems.some(({ severity }) => severity === "error");
  return (
    <>
      {refused &&
        <p class="bad">The file has mistakes: nothing of it was applied, and what ran before runs on.</p>}
      {problems.map((problem) => <Problem severity={problem.severity} text={printProblem(problem)} />)}
    </>
  );
}

function FirstLink() {
  return (
    <Notice>
      <p>There is no link yet. Add one to links.yaml, make one here, or type, for what runs on port 3000:</p>
      <Command text="connectd link localhost:3000 --expires 1h" />
    </Notice>
  );
}

function LinkTable({ links, q, after, now }: { links: LinkJson[]; q: string; after: string; now: number }) {
  const wanted = q.trim().toLowerCase();
  const found = links.filter(({ name, target, state }) =>
    name > after && [name, target.toLowerCase(), state].some((text) => text.includes(wanted))
  );
  const shown = found.slice(0, PAGE);
  if (shown.length === 0) {
    return (
      <Notice>
        <p>
          No link fits. <a href="/">Show all</a>
        </p>
      </Notice>
    );
  }
  const query = new URLSearchParams({ q, after: shown[shown.length - 1].name });
  return (
    <>
      <Table label="Links" columns={COLUMNS}>{shown.map((link) => <LinkRow link={link} now={now} />)}</Table>
      <More href={found.length > PAGE ? `/?${query}` : null} />
    </>
  );
}

function LinkRow({ link, now }: { link: LinkJson; now: number }) {
  const { name, state, url, target, expiresAt, uses, counters, lastError } = link;
  return (
    <tr>
      <th scope="row">
        <a href={`/links/${encodeURIComponent(name)}`} data-row>{name}</a>
      </th>
      <td>
        <StateMark state={state} />
        {lastError !== null && <small class="under">{lastError}</small>}
      </td>
      <td class="fill">
        <Url url={url} />
      </td>
      <td class="minor mono long">{target}</td>
      <td>
        <Time at={expiresAt} now={now} />
        {uses !== null && <small class="under">{countWords(uses.left, "use")} left</small>}
      </td>
      <td class="number minor">{counters.allowed}</td>
      <td class="number minor">{sum(counters.denied)}</td>
      <td class="number minor">{counters.open}</td>
    </tr>
  );
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, n) => all + n, 0);
}

function Hubs({ hubs, now }: { hubs: readonly HubJson[]; now: number }) {
  return (
    <>
      <h2>Hubs</h2>
      {hubs.map(({ url, state, since, connections, rttMs, lastError }) => (
        <Fields
          rows={[
            ["Hub", <span class="mono">{url}</span>],
            [
              "State",
              <>
                <StateMark state={state} />{" "}
                <small>
                  since <Time at={since} now={now} />
                </small>
              </>,
            ],
            ["Connections", String(connections)],
            ["Round trip", rttMs === null ? null : `${rttMs} ms`],
            ["Last error", lastError],
          ]}
        />
      ))}
    </>
  );
}

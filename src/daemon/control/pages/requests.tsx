/** `/requests`: the last requests of every link, the newest first, and those that come. */
import { wantsEvents } from "../../../api/live.ts";
import { html, Region } from "../../../pages/layout.tsx";
import { Command, More, Notice, Table } from "../../../pages/parts.tsx";
import type { SeenJson } from "../../witnesses/live.ts";
import { requestJson } from "../../witnesses/capture_json.ts";
import { requestFilter, type RequestQuery, seenFilter } from "../requests.ts";
import type { ControlState } from "../state.ts";
import { type Call, show } from "./frame.tsx";
import { liveAnswer } from "./live.ts";
import { REQUEST_COLUMNS, RequestRow } from "./request_row.tsx";

/** So many are on a page. */
const PAGE = 50;

/** So many the script keeps on the first page, which grows: a tab must not freeze. */
const ROWS_MAX = 200;

const INPUTS = [
  { name: "path", label: "Path has", hint: "/webhooks" },
  { name: "link", label: "Link", hint: "all" },
  { name: "code", label: "Code", hint: "rate_limited" },
  { name: "status", label: "Status", hint: "5xx" },
  { name: "method", label: "Method", hint: "all" },
] as const;

export function requestsPage(context: Call, state: ControlState): Response {
  // A form sends what is empty, too.
  const query: RequestQuery = Object.fromEntries(
    Object.entries(context.req.query()).filter(([, value]) => value !== ""),
  );
  const regions = () => html(<Shown state={state} query={query} />);
  if (wantsEvents(context)) {
    const wants = seenFilter(query);
    const print = (request: SeenJson) => html(<RequestRow request={request} now={state.clock.now()} />);
    // What is older does not grow.
    return liveAnswer(
      context,
      state,
      query.before === undefined ? { regions, rows: { wants, print } } : { regions },
    );
  }
  return show(context, state, {
    title: "Requests",
    current: "/requests",
    body: (
      <>
        <h1>Requests</h1>
        <form method="get" action="/requests" role="search" class="row end">
          {INPUTS.map(({ name, label, hint }) => (
            <label>
              {label}
              <input
                name={name}
                value={query[name]}
                placeholder={hint}
                data-filter={name === "path"}
                size={12}
              />
            </label>
          ))}
          <button type="submit">Filter</button>
          {query.before === undefined && (
            <button type="button" class="scripted" data-pause aria-pressed="false">Pause</button>
          )}
        </form>
        <p class="quiet" role="status" data-missed="0" />
        <Shown state={state} query={query} />
      </>
    ),
  });
}

function Shown({ state, query }: { state: ControlState; query: RequestQuery }) {
  const { before, ...filter } = query;
  const all = state.witnesses.captures.newest(requestFilter(filter));
  const from = before === undefined ? 0 : all.findIndex(({ number }) => number < Number(before));
  const found = from < 0 ? [] : all.slice(from, from + PAGE);
  const more = from >= 0 && all.length > from + PAGE
    ? `/requests?${new URLSearchParams({ ...filter, before: String(found[found.length - 1].number) })}`
    : null;
  const now = state.clock.now();
  return (
    <Region id="requests">
      <div data-empty hidden={found.length > 0}>
        <Nothing filtered={Object.keys(query).length > 0} state={state} />
      </div>
      <Table label="Requests" columns={REQUEST_COLUMNS} keep={ROWS_MAX} hidden={found.length === 0}>
        {found.map((kept) => <RequestRow request={requestJson(kept)} now={now} />)}
      </Table>
      <More href={more} />
    </Region>
  );
}

function Nothing({ filtered, state }: { filtered: boolean; state: ControlState }) {
  if (filtered) {
    return (
      <Notice>
        <p>
          No request fits. <a href="/requests">Show all</a>
        </p>
      </Notice>
    );
  }
  const url = state.links().find(({ url }) => url !== null)?.url;
  return (
    <Notice>
      <p>No request yet. {url ? "Make one:" : "There is no link that one could come by."}</p>
      {url && <Command text={`curl ${url}`} />}
    </Notice>
  );
}

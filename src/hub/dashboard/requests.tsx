/** `/links/{id}/requests`: the requests of a link, the newest first, and those that come. */
import { wantsEvents } from "../../api/live.ts";
import { html, Region } from "../../pages/layout.tsx";
import { Command, More, Notice, Table } from "../../pages/parts.tsx";
import type { HubLink } from "../link.ts";
import type { Visit } from "./board.ts";
import { named, pathOf } from "./find.ts";
import { liveAnswer, show } from "./frame.tsx";
import { REQUEST_COLUMNS, type RequestJson, RequestRow } from "./request_row.tsx";

/** So many are on a page. */
const PAGE = 50;

/** So many the script keeps on the first page, which grows: a tab must not freeze. */
const ROWS_MAX = 200;

export async function requestsPage(visit: Visit): Promise<Response> {
  const { context, board: { state: { clock } } } = visit;
  const link = named(visit);
  const { name, id } = link.record;
  const cursor = context.req.query("cursor") ?? null;
  const regions = async () => html(await requestRegion(visit, link, cursor));
  if (wantsEvents(context)) {
    const wants = (request: RequestJson) => request.link === id;
    const print = (request: RequestJson) => html(<RequestRow request={request} now={clock.now()} />);
    // What is older does not grow.
    return liveAnswer(visit, cursor === null ? { regions, rows: { wants, print } } : { regions });
  }
  return show(visit, {
    title: `Requests of ${name}`,
    current: "/",
    body: (
      <>
        <h1>
          Requests of <a href={pathOf(link)}>{name}</a>
        </h1>
        {cursor === null && (
          <div class="row">
            <button type="button" class="scripted" data-pause aria-pressed="false">Pause</button>
          </div>
        )}
        <p class="quiet" role="status" data-missed="0" />
        {await requestRegion(visit, link, cursor)}
      </>
    ),
  });
}

async function requestRegion(visit: Visit, link: HubLink, cursor: string | null) {
  const { state } = visit.board;
  const query = new URLSearchParams({ limit: String(PAGE), ...(cursor === null ? {} : { cursor }) });
  const { json } = await visit.board.call(visit, "GET", `/v1${pathOf(link)}/logs?${query}`);
  const { items, nextCursor } = json as { items: RequestJson[]; nextCursor: string | null };
  const now = state.clock.now();
  return (
    <Region id="requests">
      <div data-empty hidden={items.length > 0}>
        <Notice>
          <p>No request yet, or none that is still kept. Make one:</p>
          <Command text={`curl ${state.hosts().urlOf(link.id)}`} />
        </Notice>
      </div>
      <Table label="Requests" columns={REQUEST_COLUMNS} keep={ROWS_MAX} hidden={items.length === 0}>
        {items.map((request) => <RequestRow request={request} now={now} />)}
      </Table>
      <More href={nextCursor === null ? null : `${pathOf(link)}/requests?cursor=${nextCursor}`} />
    </Region>
  );
}

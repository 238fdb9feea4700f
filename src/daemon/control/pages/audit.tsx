/** `/audit`: who did what, the newest first, and whether the trail still is as it was written. */
import { type AuditJson, auditJson } from "../../../api/audit.ts";
import { ApiProblem } from "../../../api/problem.ts";
import type { Verdict } from "../../../core/audit.ts";
import { type Column, More, Notice, Table, Time } from "../../../pages/parts.tsx";
import { countWords } from "../../../pages/words.ts";
import type { ControlState } from "../state.ts";
import { type Call, show } from "./frame.tsx";

const COLUMNS: readonly Column[] = [
  { label: "No.", kind: "number", minor: true },
  { label: "When" },
  { label: "What" },
  { label: "Of" },
  { label: "By", minor: true },
  { label: "Details", kind: "fill", minor: true },
];

/** So many are on a page. */
const PAGE = 50;

export async function auditPage(context: Call, state: ControlState): Promise<Response> {
  const { type = "", link = "", before, verify } = context.req.query();
  if (before !== undefined && !/^\d{1,15}$/.test(before)) {
    throw new ApiProblem(422, "invalid", "before is the number of a record.");
  }
  const { desk } = state.audit;
  const found = await desk.list({
    limit: PAGE + 1,
    before: before === undefined ? null : Number(before),
    type: type || null,
    link: link || null,
    workspace: null,
  });
  const records = found.slice(0, PAGE).map(auditJson);
  const query = new URLSearchParams({ type, link, before: String(records.at(-1)?.seq) });
  const now = state.clock.now();
  return show(context, state, {
    title: "Audit",
    current: "/audit",
    body: (
      <>
        <h1>Audit</h1>
        {verify !== undefined && <Seal verdict={await desk.verify([])} />}
        <div class="row end">
          <form method="get" action="/audit" role="search" class="row end">
            <label>
              What, as in link or link.revoked
              <input name="type" value={type} data-filter />
            </label>
            <label>
              Link
              <input name="link" value={link} />
            </label>
            <button type="submit">Filter</button>
          </form>
          <a class="button" href="/audit?verify=1">Verify the trail</a>
        </div>
        {records.length === 0
          ? (
            <Notice>
              <p>
                No record fits. <a href="/audit">Show all</a>
              </p>
            </Notice>
          )
          : (
            <Table label="Audit trail" columns={COLUMNS}>
              {records.map((record) => <Row record={record} now={now} />)}
            </Table>
          )}
        <More href={found.length > PAGE ? `/audit?${query}` : null} />
      </>
    ),
  });
}

/** What was written over can't be read, and says so. */
const UNREADABLE = "▲ not readable";

function Row({ record, now }: { record: AuditJson; now: number }) {
  const { seq, at, type, actor, subject, data } = record;
  const readable = at !== null && !Number.isNaN(Date.parse(at));
  return (
    <tr>
      <td class="number minor">{seq}</td>
      <td>{readable ? <Time at={at} now={now} /> : <span class="bad">{UNREADABLE}</span>}</td>
      <th scope="row" class="mono">{type ?? UNREADABLE}</th>
      <td class="mono">{subject}</td>
      <td class="mono minor">{actor}</td>
      <td class="minor mono fill long">{data === null ? "" : JSON.stringify(data)}</td>
    </tr>
  );
}

function Seal({ verdict: { ok, records, broken } }: { verdict: Verdict }) {
  if (ok || broken === null) {
    return (
      <Notice>
        <p class="good">● All of {countWords(records, "record")} stand as they were written.</p>
      </Notice>
    );
  }
  return (
    <Notice tone="bad">
      <p>
        ▲ The trail is broken at record {broken.seq} ({broken.kind}): {broken.detail}. The{" "}
        {countWords(records, "record")} before it stand as they were written.
      </p>
    </Notice>
  );
}

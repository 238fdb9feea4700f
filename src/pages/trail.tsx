/** An audit trail on a page: its records, and whether it still is as it was written. */
import type { Verdict } from "../core/audit.ts";
import { type Column, More, Notice, Table, Time } from "./parts.tsx";
import { countWords } from "./words.ts";

/** A record as the APIs print it. What can't be read, since somebody wrote over it, is null. */
export interface TrailRecord {
  readonly seq: number;
  readonly at: string | null;
  readonly type: string | null;
  readonly actor: string | null;
  readonly subject: string | null;
  readonly data: unknown;
}

const COLUMNS: readonly Column[] = [
  { label: "No.", kind: "number", minor: true },
  { label: "When" },
  { label: "What" },
  { label: "Of" },
  { label: "By", minor: true },
  { label: "Details", kind: "fill", minor: true },
];

/** The filter, the records that fit it, and the way to older ones. `verify`: who looks may check the chain. */
export function Trail({ type, link, records, older, verify, now }: {
  type: string;
  link: string;
  records: readonly TrailRecord[];
  older: string | null;
  verify: boolean;
  now: number;
}) {
  return (
    <>
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
        {verify && <a class="button" href="/audit?verify=1">Verify the trail</a>}
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
      <More href={older} />
    </>
  );
}

/** What was written over can't be read, and says so. */
const UNREADABLE = "▲ not readable";

function Row({ record, now }: { record: TrailRecord; now: number }) {
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

/** What a check of the chain found. */
export function Seal({ verdict: { ok, records, broken } }: { verdict: Verdict }) {
  if (ok || broken === null) {
    return (
      <Notice tone="good">
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

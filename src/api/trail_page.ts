/** What a page of an audit trail shows, read by the query of its URL. */
import type { Context } from "hono";
import { type AuditJson, auditJson, type Desk } from "./audit.ts";
import { ApiProblem } from "./problem.ts";

/** So many records are on a page. */
const PAGE = 50;

export interface TrailPage {
  readonly type: string;
  readonly link: string;
  readonly records: AuditJson[];
  /** The path of the page after it; null: there is none. */
  readonly older: string | null;
}

/** `?type=`, `&link=`, `&before=` of `workspace`, null for all. Throws ApiProblem. */
export async function readTrail(context: Context, desk: Desk, workspace: string | null): Promise<TrailPage> {
  const { type = "", link = "", before } = context.req.query();
  if (before !== undefined && !/^\d{1,15}$/.test(before)) {
    throw new ApiProblem(422, "invalid", "before is the number of a record.");
  }
  const found = await desk.list({
    limit: PAGE + 1,
    before: before === undefined ? null : Number(before),
    type: type || null,
    link: link || null,
    workspace,
  });
  const records = found.slice(0, PAGE).map(auditJson);
  const query = new URLSearchParams({ type, link, before: String(records.at(-1)?.seq) });
  return { type, link, records, older: found.length > PAGE ? `/audit?${query}` : null };
}

/** The access log in the control API. */
import type { CallEnv, Operation } from "../../api/app.ts";
import { readPaging, writeCursor } from "../../api/call.ts";
import { object, pageOf, PAGING, type Parameters, type Schema } from "../../api/documentation.ts";
import { ApiProblem } from "../../api/problem.ts";
import { parseTime } from "../../config/time.ts";
import type { Place } from "../../store/access_reader.ts";
import type { SeenJson } from "../witnesses/live.ts";
import { SEEN_MEMBERS } from "./request_schemas.ts";
import { type RequestQuery, seenFilter } from "./requests.ts";
import type { ControlState } from "./state.ts";

/** The operation that reads it. */
export function logOperations({ witnesses }: ControlState): Operation<CallEnv>[] {
  return [{
    method: "GET",
    path: "/v1/logs",
    summary: "The access log, the newest first; a page may hold fewer than `limit` though there are more",
    query: { ...PAGING, ...FILTERS },
    answers: { 200: { doc: "One page.", schema: pageOf(LINE) } },
    problems: [422],
    async run(context) {
      const { limit, cursor } = readPaging(context);
      const search = { limit, before: readPlace(cursor), wanted: lineFilter(context.req.query()) };
      const { items, next } = await witnesses.access.read(search);
      const nextCursor = next === null ? null : writeCursor(`${next.number}.${next.offset}`);
      return context.json({ items, nextCursor });
    },
  }];
}

const LINE: Schema = { title: "LogLine", ...object(SEEN_MEMBERS) };

const TEXT = { type: "string" };
const FILTERS: Parameters = {
  link: { doc: "The name of a link.", schema: TEXT },
  code: { doc: "The code of connectd's own answer, or what a shadow link would have said.", schema: TEXT },
  status: {
    doc: "A status, `503`, or a class of them, `5xx`.",
    schema: { type: "string", pattern: "^(?:[0-9]{3}|[0-9]xx)$" },
  },
  since: { doc: "Only what was over then or later.", schema: { type: "string", format: "date-time" } },
};

function readPlace(cursor: string | null): Place | null {
  if (cursor === null) return null;
  const [, number, offset] = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor) ?? [];
  if (number === undefined) throw new ApiProblem(422, "invalid", "cursor is not one that a list gave.");
  return { number: Number(number), offset: Number(offset) };
}

/** Reads a line, where it is one that `query` asks for. Throws ApiProblem. */
function lineFilter(query: RequestQuery): (line: string) => SeenJson | null {
  const { link, code, status } = query;
  const fits = seenFilter({
    ...(link === undefined ? {} : { link }),
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { status }),
  });
  const since = query.since === undefined ? -Infinity : readSince(query.since);
  // Most lines of a log are others': looked through as text, they cost a tenth.
  const marks = [link, code].flatMap((text) => text === undefined ? [] : [JSON.stringify(text)]);
  return (line) => {
    if (!marks.every((mark) => line.includes(mark))) return null;
    const seen = readLine(line);
    if (seen === null || !fits(seen)) return null;
    return Date.parse(seen.at) + seen.ms >= since ? seen : null;
  };
}

function readSince(text: string): number {
  try {
    return parseTime(text);
  } catch (error) {
    throw new ApiProblem(422, "invalid", `since: ${(error as Error).message}.`);
  }
}

/** Null: it is none of ours, whoever wrote it. */
function readLine(line: string): SeenJson | null {
  try {
    const value = JSON.parse(line);
    return typeof value?.id === "string" && typeof value.at === "string" ? value : null;
  } catch {
    return null;
  }
}

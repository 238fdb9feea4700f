/** The hub's access log in its API. */
import { page, readPaging, writeCursor } from "../api/call.ts";
import { object, pageOf, PAGING, type Schema } from "../api/documentation.ts";
import { ApiProblem } from "../api/problem.ts";
import type { Place } from "../store/access_reader.ts";
import { findLink } from "./api_links.ts";
import { type Operation, READERS } from "./api_operation.ts";
import { ID } from "./api_schemas.ts";
import type { HubState } from "./state.ts";

const TEXT: Schema = { type: "string" };
const COUNT: Schema = { type: "integer", minimum: 0 };

const LINE: Schema = {
  title: "LogLine",
  ...object({
    id: { ...TEXT, description: "As in X-Request-Id of refusals." },
    at: { type: "string", format: "date-time" },
    link: TEXT,
    address: TEXT,
    method: TEXT,
    path: { ...TEXT, description: "Without the query." },
    status: { ...COUNT, description: "0: no answer was sent." },
    code: { type: ["string", "null"], description: "The hub's own answer, or why it cut the request." },
    bytesIn: COUNT,
    bytesOut: COUNT,
    ms: { type: "number", minimum: 0 },
  }),
};

/** The requests of a link, as its hub saw them. */
export function logRoutes(state: HubState): Operation[] {
  return [{
    method: "GET",
    path: "/v1/links/:id/logs",
    summary: "A link's requests, the newest first; a page may hold fewer than `limit` though there are more",
    params: { id: ID },
    query: PAGING,
    answers: {
      200: {
        doc: "One page; of a hub within a daemon, which keeps a log itself, an empty one.",
        schema: pageOf(LINE),
      },
    },
    problems: [404, 422],
    scopes: READERS,
    async run(context) {
      const { id } = findLink(context, state);
      const { limit, cursor } = readPaging(context);
      if (state.accessLog === null) return page(context, [], () => "", (line) => line);
      const wanted = lineFilter(id);
      const { items, next } = await state.accessLog.read({ limit, before: readPlace(cursor), wanted });
      const nextCursor = next === null ? null : writeCursor(`${next.number}.${next.offset}`);
      return context.json({ items, nextCursor });
    },
  }];
}

function readPlace(cursor: string | null): Place | null {
  if (cursor === null) return null;
  const [, number, offset] = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor) ?? [];
  if (number === undefined) throw new ApiProblem(422, "invalid", "cursor is not one that a list gave.");
  return { number: Number(number), offset: Number(offset) };
}

/** Reads a line of the link `id`. */
function lineFilter(id: string): (line: string) => unknown {
  // Most lines are others': looked through as text, they cost a tenth.
  const mark = `"link":${JSON.stringify(id)}`;
  return (line) => {
    if (!line.includes(mark)) return null;
    try {
      const value = JSON.parse(line);
      return value?.link === id && typeof value.at === "string" ? value : null;
    } catch {
      return null;
    }
  };
}

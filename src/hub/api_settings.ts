/** The hub itself in its API: how it is, its file, its backup. */
import { object, type Schema } from "../api/documentation.ts";
import { ApiProblem } from "../api/problem.ts";
import { FILE_PROBLEMS } from "../api/file_problems.ts";
import { VERSION } from "../core/version.ts";
import type { Operation } from "./api_operation.ts";
import { snapshotOf } from "./backup.ts";
import type { HubState } from "./state.ts";

const TEXT: Schema = { type: "string" };
const COUNT: Schema = { type: "integer", minimum: 0 };
const MOMENT: Schema = { type: "string", format: "date-time" };

const CHANGES: Schema = { type: "array", items: object({ key: TEXT, from: TEXT, to: TEXT }) };

const RELOADED = object({ changes: CHANGES, applied: { type: "boolean" }, problems: FILE_PROBLEMS });

const STATUS: Schema = {
  title: "HubStatus",
  ...object({
    version: TEXT,
    id: TEXT,
    url: TEXT,
    domain: TEXT,
    startedAt: MOMENT,
    draining: { type: "boolean" },
    sessions: COUNT,
    links: { ...COUNT, description: "Those whose daemon is here." },
    config: {
      ...object({ file: TEXT, appliedAt: MOMENT, hash: TEXT, problems: FILE_PROBLEMS }),
      type: ["object", "null"],
      description: "hub.yaml; null: there is none.",
    },
  }),
};

/** What no token allows is for whoever may open the hub's own socket: it is of all workspaces, or of the machine. */
export function settingsRoutes(state: HubState): Operation[] {
  return [
    {
      method: "GET",
      path: "/v1/status",
      summary: "How the hub and its file are",
      answers: { 200: { doc: "As it is now.", schema: STATUS } },
      scopes: [],
      run: (context) => context.json(status(state)),
    },
    {
      method: "POST",
      path: "/v1/reload",
      summary: "Read hub.yaml and apply it",
      answers: {
        200: { doc: "What was changed.", schema: RELOADED },
        422: { doc: "The file is refused, and nothing was changed.", schema: RELOADED },
      },
      problems: [409, 503],
      scopes: [],
      async run(context) {
        const { file } = state;
        if (file === null) throw new ApiProblem(409, "no_file", "The hub was started without a hub.yaml.");
        if (state.draining()) throw new ApiProblem(503, "hub_draining", "The hub is about to end.");
        const answer = await file.reload();
        return context.json(answer, answer.applied ? 200 : 422);
      },
    },
    {
      method: "POST",
      path: "/v1/backup",
      summary: "A copy of the store as it is now",
      answers: {
        200: { doc: "A database of sqlite.", media: "application/vnd.sqlite3", schema: { type: "string" } },
      },
      problems: [409, 503],
      scopes: [],
      async run(context) {
        const { size, stream } = await snapshotOf(state);
        return context.body(stream, 200, {
          "Content-Type": "application/vnd.sqlite3",
          "Content-Length": String(size),
        });
      },
    },
  ];
}

function status(state: HubState) {
  const { url, domain, startedAt, sessions, names, file } = state;
  return {
    version: VERSION,
    id: state.id,
    url,
    domain,
    startedAt: new Date(startedAt).toISOString(),
    draining: state.draining(),
    sessions: sessions.list(null).length,
    links: names.running,
    config: file?.json() ?? null,
  };
}

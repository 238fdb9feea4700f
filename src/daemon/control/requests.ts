/** Captured requests in the control API: lists, one whole, one sent again. */
import { Buffer } from "node:buffer";
import type { CallEnv, Operation } from "../../api/app.ts";
import { notFound, page, readOptionalObject } from "../../api/call.ts";
import { pageOf, PAGING, type Parameters } from "../../api/documentation.ts";
import { ApiProblem } from "../../api/problem.ts";
import type { Field } from "../../core/errors.ts";
import type { Replay } from "../replays.ts";
import type { Kept } from "../witnesses/capture.ts";
import { type FullRequestJson, fullRequestJson, requestJson } from "../witnesses/capture_json.ts";
import type { SeenJson } from "../witnesses/live.ts";
import type { Witnesses } from "../witnesses/witnesses.ts";
import { asItWas, type Edit, edited } from "./edited_request.ts";
import { checkMembers } from "./members.ts";
import { FULL_REQUEST, REPLAY, REQUEST } from "./request_schemas.ts";
import type { ControlState } from "./state.ts";

/** An edited request may be 64 KiB of head and as much body, in the longest JSON. */
const EDIT_MAX = 1024 * 1024;

/** Numbers of captures, the newest first, in the order of texts. */
const NEWEST = 2 ** 52;

/** The operations on captured requests. */
export function requestOperations({ witnesses }: ControlState): Operation<CallEnv>[] {
  const params = { id: { doc: "The id of a request.", schema: { type: "string" } } };
  const named = (id: string) => {
    const capture = witnesses.captures.get(id);
    if (capture === undefined) throw notFound("captured request", id);
    return capture;
  };
  return [
    {
      method: "GET",
      path: "/v1/requests",
      summary: "The last requests of every link, the newest first",
      query: { ...PAGING, ...FILTERS },
      answers: { 200: { doc: "One page.", schema: pageOf(REQUEST) } },
      problems: [422],
      run: (context) =>
        page(
          context,
          witnesses.captures.newest(requestFilter(context.req.query())),
          ({ number }) => String(NEWEST - number),
          requestJson,
        ),
    },
    {
      method: "GET",
      path: "/v1/requests/:id",
      summary: "One request whole: heads, bodies, times",
      params,
      answers: { 200: { doc: "The request.", schema: FULL_REQUEST } },
      problems: [404],
      run: (context) => context.json(fullRequestJson(named(context.req.param("id")!))),
    },
    {
      method: "POST",
      path: "/v1/requests/:id/replay",
      summary: "Send a request again, as it was or edited",
      params,
      body: { schema: REPLAY, optional: true },
      answers: {
        200: { doc: "The new request, once its answer is whole or was cut.", schema: FULL_REQUEST },
      },
      problems: [404],
      async run(context) {
        const capture = named(context.req.param("id")!);
        const wish = readReplay(await readOptionalObject(context, EDIT_MAX));
        return context.json(await replayRequest(witnesses, capture, wish));
      },
    },
  ];
}

const TEXT = { type: "string" };
const FILTERS: Parameters = {
  link: { doc: "The name of a link.", schema: TEXT },
  code: { doc: "The code of connectd's own answer, or what a shadow link would have said.", schema: TEXT },
  status: {
    doc: "A status, `503`, or a class of them, `5xx`.",
    schema: { type: "string", pattern: "^(?:[0-9]{3}|[0-9]xx)$" },
  },
  method: { doc: "A method.", schema: TEXT },
  path: { doc: "A part of the path.", schema: TEXT },
};

/** Parameters of a query by their names. */
export type RequestQuery = Readonly<Record<string, string>>;

/** What of a request a query may ask for. */
type Sought = Pick<SeenJson, "link" | "code" | "verdict" | "status" | "method" | "path">;

/** Which captures the parameters of a query ask for. Throws ApiProblem. */
export function requestFilter(query: RequestQuery): (capture: Kept) => boolean {
  const fits = seenFilter(query);
  return ({ request: { link, verdict, head }, seen: { outcome: { code, status } } }) =>
    fits({ link: link.name, code, verdict, status, method: head.method, path: head.target.split("?", 1)[0] });
}

/** The same of requests as they are printed. */
export function seenFilter(query: RequestQuery): (seen: Sought) => boolean {
  const { link, code, status, method, path } = query;
  if (status !== undefined && !/^(\d{3}|\dxx)$/.test(status)) {
    throw new ApiProblem(422, "invalid", "status is a number such as 503, or a class such as 5xx.");
  }
  const exact = status === undefined || status.endsWith("xx") ? null : Number(status);
  const hundreds = status?.endsWith("xx") ? Number(status[0]) : null;
  return (seen) =>
    (link === undefined || seen.link === link) &&
    (code === undefined || seen.code === code || seen.verdict === code) &&
    (exact === null || seen.status === exact) &&
    (hundreds === null || Math.floor(seen.status / 100) === hundreds) &&
    (method === undefined || seen.method === method) &&
    (path === undefined || seen.path.includes(path));
}

/** How a request is to be sent again. */
export interface ReplayWish {
  readonly via: "policy" | "target";
  /** Null: octet for octet. */
  readonly edit: Edit | null;
}

/** Sends `capture` again and gives the new one. Throws ApiProblem where it can not be sent so. */
export async function replayRequest(
  { captures, replays }: Witnesses,
  capture: Kept,
  { via, edit }: ReplayWish,
): Promise<FullRequestJson> {
  const { link, address, secure, requestId } = capture.request;
  const replay: Replay = {
    link,
    of: requestId,
    ...(edit === null ? asItWas(capture) : edited(capture, edit)),
    address,
    secure,
    straight: via === "target",
  };
  const again = captures.get(await replays.send(replay));
  if (again !== undefined) return fullRequestJson(again);
  throw new ApiProblem(
    422,
    "not_captured",
    "It was sent, and is not there to be shown: its link is gone or inspects no more.",
  );
}

/** `{via?, edit?}` Throws ApiProblem. */
function readReplay(body: Record<string, unknown>): ReplayWish {
  checkMembers(body, {
    via: (value) => value === "policy" || value === "target" ? null : `is neither "policy" nor "target"`,
    edit: (value) => isObject(value) ? null : "is no object",
  });
  const edit = body.edit as Record<string, unknown> | undefined;
  return {
    via: body.via === "target" ? "target" : "policy",
    edit: edit === undefined ? null : readEdit(edit),
  };
}

function readEdit(edit: Record<string, unknown>): Edit {
  const isText = (value: unknown) => typeof value === "string" ? null : "is no text";
  const { method, target, headers, body, bodyEncoding = "utf8" } = edit;
  checkMembers(edit, {
    method: isText,
    target: isText,
    headers: (value) => Array.isArray(value) && value.every(isPair) ? null : "is no list of pairs of texts",
    body: (value) =>
      typeof value !== "string"
        ? "is no text"
        : bodyEncoding === "base64" && !BASE64.test(value)
        ? "is no base64"
        : null,
    bodyEncoding: (value) => value === "utf8" || value === "base64" ? null : `is neither "utf8" nor "base64"`,
  }, "/edit");
  return {
    ...(method === undefined ? {} : { method: method as string }),
    ...(target === undefined ? {} : { target: target as string }),
    ...(headers === undefined ? {} : { headers: headers as Field[] }),
    ...(body === undefined ? {} : { body: Buffer.from(body as string, bodyEncoding as "utf8" | "base64") }),
  };
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
}

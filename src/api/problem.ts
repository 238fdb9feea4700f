/** What is wrong with a call to the API, as problem+json (RFC 9457): the one writer of it. */
import { Buffer } from "node:buffer";
import type { Field, Rendered } from "../core/errors.ts";

/** The statuses that the API answers with. */
const TITLES = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;
export type ProblemStatus = keyof typeof TITLES;

/** All of them. */
export const PROBLEM_STATUSES = Object.keys(TITLES).map(Number) as readonly ProblemStatus[];

/** The reason phrase (RFC 9110 §15). */
export function titleOf(status: ProblemStatus): string {
  return TITLES[status];
}

/** A part of a body that is wrong: where (RFC 6901) and why. */
export interface BodyError {
  readonly pointer: string;
  readonly detail: string;
}

/** A call that is refused; thrown in a handler, answered in one place. */
export class ApiProblem extends Error {
  constructor(
    readonly status: ProblemStatus,
    readonly code: string,
    detail: string,
    readonly fields: readonly Field[] = [],
    readonly errors: readonly BodyError[] = [],
  ) {
    super(detail);
  }
}

/** The document. */
export function problemJson(problem: ApiProblem, requestId: string): string {
  return JSON.stringify({
    type: "about:blank",
    title: TITLES[problem.status],
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    requestId,
    ...(problem.errors.length === 0 ? {} : { errors: problem.errors }),
  }) + "\n";
}

/** The fields of its answer, besides those of framing. */
export function problemFields(problem: ApiProblem, requestId: string): Field[] {
  return [
    ["Content-Type", "application/problem+json"],
    ["Cache-Control", "no-store"],
    ["X-Content-Type-Options", "nosniff"],
    ["X-Request-Id", requestId],
    ...(problem.status === 503 ? [["Retry-After", "5"] as const] : []),
    ...problem.fields,
  ];
}

/** The whole answer, for where there is no Request. */
export function renderProblem(problem: ApiProblem, requestId: string): Rendered {
  const body = Buffer.from(problemJson(problem, requestId));
  const fields = [...problemFields(problem, requestId), ["Content-Length", String(body.length)]];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return { head: `HTTP/1.1 ${problem.status} ${TITLES[problem.status]}\r\n${lines}\r\n`, body };
}

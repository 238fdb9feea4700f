/** What an operation says of itself: the OpenAPI document is made of it, and a test holds every answer against it. */
import type { ProblemStatus } from "./problem.ts";

/** A JSON Schema (2020-12), or a part of one. One that has a `title` becomes a component of that name. */
export type Schema = { readonly [keyword: string]: unknown };

/** A parameter of a path or a query, or a header field. */
export interface Parameter {
  readonly doc: string;
  readonly schema: Schema;
}

export type Parameters = Readonly<Record<string, Parameter>>;

/** An answer that is no problem. */
export interface AnswerDoc {
  readonly doc: string;
  /** Absent: `application/json`. */
  readonly media?: string;
  readonly schema: Schema;
}

export interface Documentation {
  /** One line without a full stop. */
  readonly summary: string;
  /** Parameters of the path; those that are not named here are any text. */
  readonly params?: Parameters;
  /** Parameters of the query; all may be absent. */
  readonly query?: Parameters;
  /** Header fields that mean something here; all may be absent. */
  readonly fields?: Parameters;
  /** A JSON object. */
  readonly body?: { readonly schema: Schema; readonly optional?: true };
  /** Answers that are no problems, by status. */
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** Statuses of problems, besides those that every call may meet. */
  readonly problems?: readonly ProblemStatus[];
  /** It asks for no token. */
  readonly open?: true;
}

/** `?limit=` and `&cursor=` of lists. */
export const PAGING: Parameters = {
  limit: {
    doc: "So many items at most.",
    schema: { type: "integer", minimum: 1, maximum: 1000, default: 100 },
  },
  cursor: {
    doc: "`nextCursor` of the page before.",
    schema: { type: "string", pattern: "^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$" },
  },
};

/** An object with exactly these members; `optional` names those that may be absent. */
export function object(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required, additionalProperties: false };
}

/** One page of a list. */
export function pageOf(items: Schema): Schema {
  return object({ items: { type: "array", items }, nextCursor: { type: ["string", "null"] } });
}

/** How many of each: by state, by code. */
export const COUNTS: Schema = { type: "object", additionalProperties: { type: "integer", minimum: 0 } };

/** RFC 3339 UTC, null for never. */
export const TIME: Schema = { type: ["string", "null"], format: "date-time" };

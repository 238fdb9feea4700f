/** Entity tags: whoever changes something says which state of it they have seen (RFC 9110 §8.8.3, §13.1.1). */
import { createHash } from "node:crypto";
import type { Context } from "hono";
import type { Parameters } from "./documentation.ts";
import { ApiProblem } from "./problem.ts";

/** The header field of an operation that asks for `If-Match`. */
export const IF_MATCH: Parameters = {
  "If-Match": {
    doc: "The `ETag` of what is to be changed, as it was seen; needed. `*`: whatever it is.",
    schema: { type: "string" },
  },
};

/** The same where it may be left out. */
export const IF_MATCH_HEEDED: Parameters = {
  "If-Match": {
    doc:
      "The `ETag` of what is to be changed, as it was seen: another one is 412. Absent, `*`: whatever it is.",
    schema: { type: "string" },
  },
};

/** The tag of a representation. `value`: what of it counts as a change, as JSON-able data. */
export function etagOf(value: unknown): string {
  return `"${createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 22)}"`;
}

/** Throws ApiProblem unless the call says that it has seen what has the tag `etag`: 428 where it says nothing, 412 where it is another. */
export function checkIfMatch(context: Context, etag: string): void {
  if (context.req.header("If-Match") === undefined) {
    throw new ApiProblem(
      428,
      "precondition_required",
      "This needs If-Match with the ETag of what it changes.",
    );
  }
  heedIfMatch(context, etag);
}

/** The same, but a call that says nothing of it is let through. */
export function heedIfMatch(context: Context, etag: string): void {
  const field = context.req.header("If-Match");
  if (field === undefined || field.trim() === "*") return;
  if (field.split(",").some((tag) => tag.trim() === etag)) return;
  throw new ApiProblem(412, "precondition_failed", "It has changed since: read it again.", [["ETag", etag]]);
}

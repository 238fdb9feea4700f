/** How calls are read and answered: lists by pages, bodies as JSON objects, times. */
import type { Context } from "hono";
import { ApiProblem } from "./problem.ts";

const PAGE = 100;
const PAGE_MAX = 1000;

/** One page of `items`, which are in the order of `keyOf`: `?limit=` of those after `?cursor=`. Throws ApiProblem. */
export function page<T>(
  context: Context,
  items: readonly T[],
  keyOf: (item: T) => string,
  print: (item: T) => unknown,
): Response {
  const { limit, cursor: after } = readPaging(context);
  const from = after === null ? 0 : items.findIndex((item) => keyOf(item) > after);
  const rest = from < 0 ? [] : items.slice(from);
  const shown = rest.slice(0, limit);
  const nextCursor = rest.length > limit ? writeCursor(keyOf(shown[shown.length - 1])) : null;
  return context.json({ items: shown.map(print), nextCursor });
}

/** `?limit=` and `&cursor=`, null for the first page. Throws ApiProblem. */
export function readPaging(context: Context): { limit: number; cursor: string | null } {
  const { limit: limitText = String(PAGE), cursor } = context.req.query();
  const limit = /^\d{1,4}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > PAGE_MAX) {
    throw new ApiProblem(422, "invalid", `limit is a number from 1 to ${PAGE_MAX}.`);
  }
  return { limit, cursor: cursor === undefined ? null : readCursor(cursor) };
}

/** The cursor that stands for `key`. */
export function writeCursor(key: string): string {
  return btoa(key).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function readCursor(cursor: string): string {
  try {
    return atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw new ApiProblem(422, "invalid", "cursor is not one that a list gave.");
  }
}

const BODY_MAX = 64 * 1024;

/** The body, of at most `max` octets, as a JSON object. Throws ApiProblem. */
export async function readObject(context: Context, max = BODY_MAX): Promise<Record<string, unknown>> {
  const type = context.req.header("Content-Type") ?? "";
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw new ApiProblem(415, "unsupported_media_type", "The body must be application/json.");
  }
  const text = await readText(context, max);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiProblem(400, "not_json", "The body is no JSON.");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ApiProblem(422, "invalid", "The body is no object.", [], [{
    pointer: "",
    detail: "is no object",
  }]);
}

/** As `readObject`; a call without a body means `{}`. */
export async function readOptionalObject(context: Context, max = BODY_MAX): Promise<Record<string, unknown>> {
  const bodiless = context.req.raw.body === null || context.req.header("Content-Length") === "0";
  return bodiless ? {} : await readObject(context, max);
}

/** A body of at most `max` octets as text. Throws ApiProblem. Read as it comes: one that is chunked says no length before. */
export async function readText(context: Context, max: number): Promise<string> {
  const tooLarge = new ApiProblem(413, "body_too_large", `The body is larger than ${max} bytes.`);
  if (Number(context.req.header("Content-Length") ?? 0) > max) throw tooLarge;
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of context.req.raw.body ?? []) {
    length += part.length;
    if (length > max) throw tooLarge;
    parts.push(part);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return new TextDecoder().decode(bytes);
}

/** Who sent the request may not know that something else exists: what is another's is not there. */
export function notFound(what: string, name: string): ApiProblem {
  return new ApiProblem(404, "not_found", `There is no ${what} ${JSON.stringify(name)}.`);
}

/** RFC 3339 UTC, null for never. */
export function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

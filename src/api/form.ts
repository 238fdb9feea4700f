/** Forms of pages: read whole, in bounds, and answered. That they come from our own page is a guard's to see. */
import type { Context } from "hono";
import { readText } from "./call.ts";
import { ApiProblem } from "./problem.ts";

/** A kept body of 64 KiB is three times as long when every octet of it is escaped. */
const FORM_MAX = 256 * 1024;

/** The fields of a form; a field that is empty counts as absent. `each`: told of all that was sent, also what is sent twice. Throws ApiProblem. */
export async function readForm(
  context: Context,
  each: (name: string, value: string) => void = () => {},
): Promise<ReadonlyMap<string, string>> {
  const type = context.req.header("Content-Type") ?? "application/x-www-form-urlencoded";
  if (!/^application\/x-www-form-urlencoded *(;|$)/i.test(type)) {
    throw new ApiProblem(
      415,
      "unsupported_media_type",
      "The form must be application/x-www-form-urlencoded.",
    );
  }
  const sent = [...new URLSearchParams(await readText(context, FORM_MAX))].filter(([, value]) =>
    value !== ""
  );
  for (const [name, value] of sent) each(name, value);
  return new Map(sent);
}

/** `GET, POST` → both; undefined: none. */
export function readList(text: string | undefined): string[] | undefined {
  const items = text?.split(/[,\s]+/).filter((item) => item !== "");
  return items === undefined || items.length === 0 ? undefined : items;
}

/** Answers a form: the browser asks for `path` next, and a reload repeats nothing. */
export function seeOther(path: string): Response {
  return new Response(null, { status: 303, headers: { Location: path } });
}

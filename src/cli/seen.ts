/** What the verbs that look through requests share: how a status is typed, and what to say where nothing was found. */
import { nearest } from "../config/suggest.ts";
import { CODES } from "../core/errors.ts";
import { type ApiClient, Refused } from "./client.ts";
import { linkHint } from "./meant.ts";
import { complain } from "./print.ts";
import { type Given, text } from "./verb.ts";

/** `503` or `5xx`. Throws SyntaxError. */
export function readStatus(written: string): string {
  if (/^[1-5](\d\d|xx)$/.test(written)) return written;
  throw new SyntaxError(`${JSON.stringify(written)} is neither a status such as 503 nor a class such as 5xx`);
}

/** Says what may have been meant where nothing fits --link and --code: a search finds nothing for a slip, too. */
export async function hintSlips(api: ApiClient, given: Given): Promise<void> {
  const link = text(given, "link"), code = text(given, "code");
  if (link !== null) {
    const names = (await api.all<{ readonly name: string }>("/v1/links")).map(({ name }) => name);
    if (!names.includes(link)) {
      complain(`  there is no link ${JSON.stringify(link)}: ${linkHint(link, names)}`);
    }
  }
  if (code === null || Object.hasOwn(CODES, code)) return;
  // Why a request was cut is a code, too, and no answer's.
  const near = nearest(code, Object.keys(CODES));
  if (near !== null) complain(`  there is no code ${JSON.stringify(code)}: did you mean ${near}?`);
}

/** What `ask` gives, which is about one captured request; where it is none, how to see those there are. */
export async function aboutRequest<T>(ask: Promise<T>): Promise<T> {
  try {
    return await ask;
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
    throw new Refused(
      error.status,
      error.problem,
      "`connectd requests` shows those that are kept: the last ones of each link since the daemon's start. Older ones have a line in `connectd logs`, and what a hub elsewhere refused has one in that hub's log",
    );
  }
}

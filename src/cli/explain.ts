/** `connectd explain`: which rule decides about a request, and what the counters hold. */
import { parseAddress } from "../core/address.ts";
import { Failure } from "../core/errors.ts";
import type { ApiClient } from "./client.ts";
import { type ExplainJson, explainText } from "./explain_print.ts";
import { linkHint } from "./meant.ts";
import { out, outJson } from "./print.ts";
import { ADDRESS_FLAGS, JSON_FLAG, withDaemon } from "./reach.ts";
import { coloured } from "./terminal.ts";
import { on, parsed, text, UsageError, type Verb } from "./verb.ts";

export const explain: Verb = {
  name: "explain",
  words: "METHOD URL-or-PATH",
  count: [2, 2],
  summary:
    "Shows which rule decides about a request, step by step, and what the counters hold. Nothing is counted or sent.",
  more: "The URL, or the path with its query, is taken as it is written: quote it for the shell.",
  flags: [
    { name: "from", value: "IP", help: "the visitor's address (default 127.0.0.1)" },
    { name: "link", value: "NAME", help: "the link (default: the one at the URL, or the only one)" },
    ...ADDRESS_FLAGS,
    JSON_FLAG,
  ],
  async run(given) {
    const [method, where] = given.words;
    const isPath = where.startsWith("/");
    if (!isPath && !/^https?:\/\//i.test(where)) {
      throw new UsageError(`${JSON.stringify(where)} is neither a URL nor a path that begins with /`);
    }
    const from = parsed(given, "from", (written) => {
      if (parseAddress(written) !== null) return written;
      throw new SyntaxError(`${JSON.stringify(written)} is no address such as 198.51.100.7`);
    });
    const told = await withDaemon(given, async (api) => {
      const link = await chosen(api, text(given, "link"), isPath);
      return await api.call<ExplainJson>("POST", "/v1/explain", {
        method,
        ...(isPath ? { path: where } : { url: where }),
        ...(link === null ? {} : { link }),
        ...(from === null ? {} : { from }),
      });
    });
    if (on(given, "json")) outJson(told);
    else out(explainText(told, coloured()));
    return 0;
  },
};

/** The link that is asked about; null: the URL says which. Throws Failure, UsageError where that is not clear. */
async function chosen(
  api: Pick<ApiClient, "all">,
  named: string | null,
  isPath: boolean,
): Promise<string | null> {
  if (named === null && !isPath) return null;
  const names = (await api.all<{ readonly name: string }>("/v1/links")).map(({ name }) => name);
  if (named !== null) {
    if (names.includes(named)) return named;
    throw new Failure(`there is no link ${JSON.stringify(named)}`, { hint: linkHint(named, names) });
  }
  if (names.length === 1) return names[0];
  if (names.length === 0) throw new Failure("the daemon has no links", { hint: "add one to links.yaml" });
  const shown = names.length > SHOWN ? [...names.slice(0, SHOWN), "…"] : names;
  throw new UsageError("a path alone does not say which link is meant", {
    hint: `name one with --link: ${shown.join(", ")}`,
  });
}

/** So many names stand in a sentence. */
const SHOWN = 10;

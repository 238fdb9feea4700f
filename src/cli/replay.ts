/** `connectd replay`: sends a captured request again, and holds the two answers against each other. */
import { oneLine } from "../log.ts";
import type { FullRequestJson } from "./captured.ts";
import { ApiClient } from "./client.ts";
import { complain, out, outJson } from "./print.ts";
import { ADDRESS_FLAGS, daemonAddress, JSON_FLAG, withDaemon } from "./reach.ts";
import { editRequest } from "./replay_edit.ts";
import { comparison } from "./replay_print.ts";
import { aboutRequest } from "./seen.ts";
import { whileWaiting } from "./terminal.ts";
import { on, type Verb } from "./verb.ts";

/** How long a target may take says its link's `timeout`. */
const PATIENCE_MS = 24 * 3_600_000;

export const replay: Verb = {
  name: "replay",
  words: "ID",
  count: [1, 1],
  summary: "Sends a captured request again, octet for octet, and shows both answers.",
  more:
    "It goes by its link's policy as if the visitor came again: rates count, credentials are judged. With --target it goes straight to the target. ID is one of `requests`.",
  flags: [
    { name: "edit", help: "change it first, in $VISUAL or $EDITOR" },
    { name: "target", help: "straight to the target, whatever the policy says" },
    ...ADDRESS_FLAGS,
    JSON_FLAG,
  ],
  async run(given) {
    const path = `/v1/requests/${encodeURIComponent(given.words[0])}`;
    const before = await withDaemon(given, (api) => aboutRequest(api.call<FullRequestJson>("GET", path)));
    const edit = on(given, "edit") ? await editRequest(before) : undefined;
    if (edit === null) {
      complain("connectd: nothing was changed, and nothing was sent");
      complain("  without --edit it goes as it was");
      return 1;
    }
    const via = on(given, "target") ? "target" : "policy";
    const how = via === "target" ? "straight to the target" : "by the policy";
    const what = `${edit?.method ?? before.method} ${edit?.target ?? before.target}`;
    if (!on(given, "json")) out(`sends ${oneLine(what)} to link ${oneLine(before.link)}, ${how}`);
    const api = new ApiClient(daemonAddress(given));
    const now = await whileWaiting(
      "waiting for the answer",
      api.call<FullRequestJson>("POST", `${path}/replay`, { via, ...(edit && { edit }) }, PATIENCE_MS),
    );
    if (on(given, "json")) outJson(now);
    else out(comparison(before, now));
    return 0;
  },
};

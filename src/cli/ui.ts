/** `connectd ui`: from this terminal to the daemon's local page. */
import { ADDRESS_FLAGS, JSON_FLAG, withDaemon } from "./reach.ts";
import { out, outJson } from "./print.ts";
import { on, type Verb } from "./verb.ts";

export const ui: Verb = {
  name: "ui",
  count: [0, 0],
  summary: "Prints a URL that opens the daemon's local page signed in: once, within a minute.",
  more: "The page shows links, requests as they come, what a reload would do, and lets you revoke and renew.",
  flags: [...ADDRESS_FLAGS, JSON_FLAG],
  async run(given) {
    const address = await withDaemon(
      given,
      (api) => api.call<{ url: string; expiresAt: string }>("POST", "/v1/sign-in"),
    );
    if (on(given, "json")) outJson(address);
    else out(address.url);
    return 0;
  },
};

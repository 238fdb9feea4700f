/** `connectd share`: a code that gives teammates private access to some services for a while. */
import { Failure } from "../../core/errors.ts";
import { parseDuration } from "../../core/units.ts";
import type { ApiClient } from "../client.ts";
import { complain, out, outJson, relative, table } from "../print.ts";
import { JSON_FLAG } from "../reach.ts";
import { type Given, on, parsed, text, UsageError, type Verb } from "../verb.ts";
import { MEMBER_FLAGS, memberHub } from "./hub_of.ts";
import type { HubServiceJson } from "./reach.ts";

/** A share as the API prints it, as far as it is shown. */
export interface ShareJson {
  readonly id: string;
  readonly services: readonly { readonly daemon: string; readonly name: string }[];
  readonly by: string;
  readonly state: "active" | "expired" | "ended";
  readonly requireApproval: boolean;
  readonly expiresAt: string;
  readonly members: readonly { readonly name: string; readonly state: "waiting" | "approved" }[];
}

/** Flags that only a new share understands. */
const MAKE_FLAGS = [
  { name: "services", value: "LIST", help: "share these, as in db,cache (default: all private ones)" },
  { name: "expires", short: "e", value: "TIME", help: "how long it lives, up to 30d (default 24h)" },
  { name: "require-approval", help: "who joins waits until you let them in with --approve" },
];

export const share: Verb = {
  name: "share",
  count: [0, 0],
  summary: "Shares private services: prints a code with which teammates `join` them, for a while.",
  more:
    "The code is shown this once, alone on stdout. It opens nothing without a member's token of the same workspace.",
  flags: [
    ...MAKE_FLAGS,
    { name: "list", help: "show the shares of the workspace and who joined them" },
    { name: "revoke", value: "ID", help: "end a share, and cut what came by it" },
    {
      name: "approve",
      value: "NAME",
      help: "let in the token of this name, which waits (ID/NAME: at that share)",
    },
    ...MEMBER_FLAGS,
    JSON_FLAG,
  ],
  async run(given) {
    const revoked = text(given, "revoke"), approved = text(given, "approve");
    const makes = MAKE_FLAGS.some(({ name }) => given.flags[name] !== undefined);
    if ([makes, on(given, "list"), revoked !== null, approved !== null].filter(Boolean).length > 1) {
      throw new UsageError("--list, --revoke and --approve each stand alone");
    }
    const wish = readWish(given);
    const { api, hub } = await memberHub(given);
    if (on(given, "list")) {
      const shares = await api.all<ShareJson>("/v1/shares");
      if (on(given, "json")) outJson({ items: shares, nextCursor: null });
      else out(shareTable(shares, Date.now()));
    } else if (revoked !== null) {
      const ended = await api.call<ShareJson>("DELETE", `/v1/shares/${encodeURIComponent(revoked)}`);
      if (on(given, "json")) outJson(ended);
      else out(`ended ${ended.id}`);
    } else if (approved !== null) await approve(api, approved, on(given, "json"));
    else await make(api, hub.url, wish, on(given, "json"));
    return 0;
  },
};

interface ShareWish {
  readonly services?: readonly string[];
  readonly expires?: string;
  readonly requireApproval?: boolean;
}

function readWish(given: Given): ShareWish {
  const services = parsed(given, "services", (list) => list.split(","));
  const expires = parsed(given, "expires", (time) => {
    parseDuration(time);
    return time;
  });
  return {
    ...(services === null ? {} : { services }),
    ...(expires === null ? {} : { expires }),
    ...(on(given, "require-approval") ? { requireApproval: true } : {}),
  };
}

async function make(api: ApiClient, hub: string, wish: ShareWish, json: boolean): Promise<void> {
  const services = wish.services ?? await allPrivate(api);
  const made = await api.call<ShareJson & { code: string }>("POST", "/v1/shares", { ...wish, services });
  if (json) return outJson(made);
  out(made.code);
  const names = made.services.map(({ name }) => name).join(", ");
  complain(
    `shared ${names} as ${made.id}, which ends ${
      relative(made.expiresAt, Date.now())
    }. The code is shown this once.`,
  );
  complain(`  a teammate joins with: connectd join - --hub ${hub}`);
  if (made.requireApproval) {
    complain("  let them in with: connectd share --approve NAME (share --list shows who waits)");
  }
}

/** Every private service of the workspace whose daemon is there. Throws Failure. */
async function allPrivate(api: ApiClient): Promise<string[]> {
  const all = await api.all<HubServiceJson>("/v1/services");
  const services = all.filter(({ access, online }) => access === "private" && online);
  if (services.length === 0) {
    throw new Failure("there is no private service to share", {
      hint: "make one with `connectd expose TARGET`, or with `access: private` in links.yaml",
    });
  }
  return services.map(({ daemon, name }) => `${daemon}/${name}`);
}

/** `word`: NAME, or ID/NAME. */
async function approve(api: ApiClient, word: string, json: boolean): Promise<void> {
  const slash = word.indexOf("/"), member = word.slice(slash + 1);
  const shares = (await api.all<ShareJson>("/v1/shares")).filter(({ id, state, members }) =>
    state === "active" && (slash < 0 || id === word.slice(0, slash)) &&
    members.some(({ name, state }) => name === member && (slash >= 0 || state === "waiting"))
  );
  const [found, another] = shares;
  if (found === undefined) {
    throw new Failure(`nobody of the name ${JSON.stringify(member)} waits to be let into a share`, {
      hint: "`connectd share --list` shows who waits",
    });
  }
  if (another !== undefined) {
    throw new Failure(`${member} waits to be let into ${shares.length} shares`, {
      hint: `say which: --approve ${found.id}/${member}`,
    });
  }
  const now = await api.call<ShareJson>("POST", `/v1/shares/${found.id}/approve`, { member });
  if (json) outJson(now);
  else out(`let ${member} into ${found.id}`);
}

/** The table of `share --list`. */
export function shareTable(shares: readonly ShareJson[], now: number): string {
  const rows = shares.map(({ id, services, by, state, expiresAt, members }) => [
    id,
    services.map(({ name }) => name).join(","),
    by,
    state === "active" ? relative(expiresAt, now) : state,
    members.map(({ name, state }) => state === "waiting" ? `${name} (waits)` : name).join(","),
  ]);
  return table(["id", "services", "by", "ends", "joined"], rows, "no shares: make one with `connectd share`");
}

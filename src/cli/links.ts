/** The verbs that look at links and end or renew them: list, revoke, renew. Of a daemon, or with --hub of a hub. */
import { parseDuration } from "../core/units.ts";
import { Refused } from "./client.ts";
import { aboutLink } from "./meant.ts";
import { ADDRESS_FLAGS, CA_FLAG, HUB_FLAG, JSON_FLAG, withDaemon, withHub } from "./reach.ts";
import { complainOf, out, outJson, relative, table } from "./print.ts";
import { shadowMark } from "./shadow_print.ts";
import { type Given, on, orUsage, text, UsageError, type Verb } from "./verb.ts";

/** A link as both APIs print it (product §5), as far as it is shown. */
export interface LinkJson {
  readonly name: string;
  readonly id: string | null;
  readonly url: string | null;
  readonly urls?: readonly { hub: string; url: string | null; state: string }[];
  /** Null: the hub does not know it. */
  readonly target: string | null;
  readonly service?: string | null;
  readonly state: string;
  readonly source: string | null;
  /** Null: it was never up, or the hub does not know. */
  readonly activatedAt: string | null;
  readonly expiresAt: string | null;
  readonly policy: Readonly<Record<string, unknown>> | null;
  readonly counters?: {
    allowed: number;
    denied: Readonly<Record<string, number>>;
    /** Of a daemon's. */
    shadowed?: Readonly<Record<string, number>>;
    open: number;
  };
  readonly lastError?: string | null;
}

export interface StatusJson {
  readonly version: string;
  readonly startedAt: string;
  readonly config: {
    file: string | null;
    generation: number;
    appliedAt: string | null;
    problems: readonly ProblemJson[];
  };
  readonly hubs: readonly {
    url: string;
    state: string;
    connections: number;
    rttMs: number | null;
    lastError: string | null;
  }[];
  readonly links: Readonly<Record<string, number>>;
  readonly shadowed: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

interface ProblemJson {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: string;
  readonly message: string;
}

export const list: Verb = {
  name: "list",
  count: [0, 0],
  summary: "Shows the links of the running daemon, or of a hub.",
  flags: [HUB_FLAG, CA_FLAG, ...ADDRESS_FLAGS, JSON_FLAG],
  async run(given) {
    const links = await eitherSide(given, (api) => api.all<LinkJson>("/v1/links"));
    if (on(given, "json")) outJson({ items: links, nextCursor: null });
    else out(linkTable(links, Date.now()));
    return 0;
  },
};

/** The table of `list` and of the ready line. */
export function linkTable(links: readonly LinkJson[], now: number): string {
  const rows = links.map((link) => [
    link.name,
    link.state,
    link.url ?? "–",
    link.target ?? link.service ?? "–",
    relative(link.expiresAt, now),
    String(link.counters?.allowed ?? 0),
    String(Object.values(link.counters?.denied ?? {}).reduce((sum, n) => sum + n, 0)),
    [shadowMark(link.policy, link.counters?.shadowed), link.lastError].filter((word) => word).join("; "),
  ]);
  const empty = "no links: add one to links.yaml, or run `connectd link localhost:3000`";
  return table(["name", "state", "url", "target", "expires", "allowed", "denied", ""], rows, empty);
}

export const revoke: Verb = {
  name: "revoke",
  words: "NAME…",
  count: [1, Infinity],
  summary:
    "Ends links for good: at once, on both sides, and against every reload. Only `renew` brings one back.",
  flags: [HUB_FLAG, CA_FLAG, ...ADDRESS_FLAGS, JSON_FLAG],
  async run(given) {
    const json = on(given, "json");
    const revoked: LinkJson[] = [];
    let code = 0;
    await eitherSide(given, async (api, atHub) => {
      for (const name of given.words) {
        try {
          const key = atHub ? await idOf(api, name) : name;
          const link = await aboutLink(
            api,
            name,
            () => api.call<LinkJson>("DELETE", `/v1/links/${encodeURIComponent(key)}`),
          );
          revoked.push(link);
          if (!json) out(`revoked ${link.name}${link.url === null ? "" : `  ${link.url}`}`);
        } catch (error) {
          // Whoever ends several wants them all ended, also where one of the names is a slip.
          if (!(error instanceof Refused)) throw error;
          complainOf(error);
          code = 1;
        }
      }
    });
    if (json && given.words.length > 1) outJson({ items: revoked, nextCursor: null });
    else if (json && code === 0) outJson(revoked[0]);
    return code;
  },
};

/** A hub knows links by id; a name is looked up among those this token may see. */
async function idOf(api: { all<T>(path: string): Promise<T[]> }, name: string): Promise<string> {
  const found = (await api.all<LinkJson>("/v1/links")).filter((link) =>
    link.name === name || link.id === name
  );
  if (found.length > 1) {
    throw new UsageError(`${name} names ${found.length} links: give the id of one (connectd list --hub URL)`);
  }
  return found[0]?.id ?? name;
}

export const renew: Verb = {
  name: "renew",
  words: "NAME [TTL]",
  count: [1, 2],
  summary:
    "Starts a link's time anew, also of one that expired or was revoked. TTL as in `24h`; absent: the one it has.",
  flags: [
    { name: "new-id", help: "give it a fresh address; the old one stays gone" },
    HUB_FLAG,
    CA_FLAG,
    ...ADDRESS_FLAGS,
    JSON_FLAG,
  ],
  async run(given) {
    const [name, ttl] = given.words;
    if (ttl !== undefined) orUsage("", () => parseDuration(ttl));
    const body = { ...(ttl === undefined ? {} : { ttl }), ...(on(given, "new-id") ? { newId: true } : {}) };
    const link = await eitherSide(given, async (api, atHub) => {
      const key = encodeURIComponent(atHub ? await idOf(api, name) : name);
      return await aboutLink(api, name, () => api.call<LinkJson>("POST", `/v1/links/${key}/renew`, body));
    });
    if (on(given, "json")) outJson(link);
    else out(`renewed ${link.name}  ${link.url ?? ""}  expires ${relative(link.expiresAt, Date.now())}`);
    return 0;
  },
};

/** Asks the hub where --hub was given, else the daemon. */
function eitherSide<T>(
  given: Given,
  ask: (api: Parameters<Parameters<typeof withDaemon>[1]>[0], atHub: boolean) => Promise<T>,
): Promise<T> {
  return text(given, "hub") === null
    ? withDaemon(given, (api) => ask(api, false))
    : withHub(given, (api) => ask(api, true));
}

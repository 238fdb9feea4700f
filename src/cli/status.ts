/** `connectd status`: how the running daemon is, once or for as long as somebody looks; with --hub, which daemons a hub serves. */
import type { StatusJson } from "./links.ts";
import { out, outJson, relative, roundTrip, table } from "./print.ts";
import { ADDRESS_FLAGS, CA_FLAG, HUB_FLAG, JSON_FLAG, withDaemon, withHub } from "./reach.ts";
import { shadowLines } from "./shadow_print.ts";
import { hubTable, statusLines } from "./status_print.ts";
import { type Given, on, text, UsageError, type Verb } from "./verb.ts";
import { watch } from "./watch.ts";

export const status: Verb = {
  name: "status",
  count: [0, 0],
  summary: "Shows how the running daemon is, or with --hub which daemons a hub serves.",
  flags: [
    { name: "watch", short: "w", help: "show the daemon and its links, as they change, until Ctrl-C" },
    HUB_FLAG,
    CA_FLAG,
    ...ADDRESS_FLAGS,
    JSON_FLAG,
  ],
  async run(given) {
    if (on(given, "watch")) {
      checkWatch(given);
      return await watch(given);
    }
    if (text(given, "hub") !== null) return await sessions(given);
    const state = await withDaemon(given, (api) => api.call<StatusJson>("GET", "/v1/status"));
    if (on(given, "json")) outJson(state);
    else out([...statusLines(state, Date.now()), hubTable(state), ...shadowLines(state.shadowed)].join("\n"));
    return 0;
  },
};

/** Throws UsageError where there is nothing to draw on, or something else was asked for. */
function checkWatch(given: Given): void {
  for (const other of ["hub", "json"]) {
    if (given.flags[other] === undefined) continue;
    throw new UsageError(
      `--watch is about the running daemon and for people: --${other} is not possible with it`,
      {
        hint: "leave one of them out",
      },
    );
  }
  if (Deno.stdout.isTerminal()) return;
  throw new UsageError("--watch draws on a terminal, and this is none", {
    hint: "leave it out; programs follow GET /v1/events of the control API",
  });
}

/** A daemon's connection as the hub prints it. */
interface SessionJson {
  readonly daemon: string;
  readonly software: string;
  readonly workspace: string;
  readonly token: string;
  readonly address: string | null;
  readonly since: string;
  readonly rttMs: number | null;
  readonly streams: number;
}

async function sessions(given: Given): Promise<number> {
  const items = await withHub(given, (api) => api.all<SessionJson>("/v1/sessions"));
  if (on(given, "json")) outJson({ items, nextCursor: null });
  else out(sessionTable(items, Date.now()));
  return 0;
}

function sessionTable(sessions: readonly SessionJson[], now: number): string {
  const rows = sessions.map((session) => [
    session.daemon,
    session.workspace,
    session.token,
    session.address ?? "in the hub",
    session.software,
    relative(session.since, now),
    roundTrip(session.rttMs),
    String(session.streams),
  ]);
  const head = ["daemon", "workspace", "token", "address", "software", "since", "round trip", "streams"];
  return table(head, rows, "no daemon is connected");
}

/** `connectd logs`: the daemon's access log: the last lines, or each as it comes. */
import { parseTime } from "../config/time.ts";
import { parseDuration } from "../core/units.ts";
import { seenFilter } from "../daemon/control/requests.ts";
import type { SeenJson } from "../daemon/witnesses/live.ts";
import { oneLine } from "../log.ts";
import { follow } from "./log_follow.ts";
import { type LogSearch, newest } from "./log_search.ts";
import { out } from "./print.ts";
import { ADDRESS_FLAGS, daemonAddress, JSON_FLAG, withDaemon } from "./reach.ts";
import { milliseconds, told } from "./request_print.ts";
import { hintSlips, readStatus } from "./seen.ts";
import { type Given, on, parsed, text, type Verb } from "./verb.ts";

const LIMIT = 20, LIMIT_MAX = 100_000;

export const logs: Verb = {
  name: "logs",
  count: [0, 0],
  summary: "Shows the access log: one line for each request that named a link.",
  more: "It lies in access.log in the state directory, a JSON object a line, for `jq` and the like.\n" +
    "With --follow it goes on over restarts of the daemon, and shows what came meanwhile.",
  flags: [
    { name: "follow", short: "f", help: "and each from now on" },
    { name: "link", value: "NAME", help: "only of this link" },
    { name: "code", value: "CODE", help: "only those with this code, as rate_limited" },
    { name: "status", value: "STATUS", help: "only those with this status, as in 503 or 5xx" },
    {
      name: "since",
      value: "TIME",
      help: "only what was over since then: 1h ago, or at 2026-12-01T00:00:00Z",
    },
    { name: "limit", value: "N", help: `so many, the last ones (default ${LIMIT})` },
    ...ADDRESS_FLAGS,
    { ...JSON_FLAG, help: "print one JSON object a line" },
  ],
  async run(given) {
    const search = readSearch(given), json = on(given, "json");
    const print = (lines: readonly SeenJson[]) => {
      if (lines.length > 0) out(lines.map(json ? printJson : printRow).join("\n"));
    };
    const first = await withDaemon(given, (api) => newest(api, search));
    if (!json && (first.length > 0 || on(given, "follow"))) out(HEAD);
    else if (!json) out("no such request was logged");
    print(first);
    if (first.length === 0) await withDaemon(given, (api) => hintSlips(api, given));
    if (on(given, "follow")) await follow(daemonAddress(given), search, first, print);
    return 0;
  },
};

function readSearch(given: Given): LogSearch {
  const filters: Record<string, string> = {};
  const status = parsed(given, "status", readStatus);
  for (
    const [name, value] of Object.entries({ link: text(given, "link"), code: text(given, "code"), status })
  ) {
    if (value !== null) filters[name] = value;
  }
  const wanted = seenFilter(filters);
  const since = parsed(given, "since", readSince);
  if (since !== null) filters.since = new Date(since).toISOString();
  return { limit: parsed(given, "limit", readLimit) ?? LIMIT, filters, wanted };
}

const COLUMNS: readonly [name: string, width: number, of: (line: SeenJson) => string][] = [
  ["time", 24, ({ at }) => at],
  ["id", 13, ({ id }) => id],
  ["link", 12, ({ link }) => link],
  ["address", 15, ({ address }) => address],
  ["status", 6, ({ status }) => status === 0 ? "–" : String(status)],
  ["ms", 7, ({ ms }) => milliseconds(ms)],
  ["in", 9, ({ bytesIn }) => String(bytesIn)],
  ["out", 9, ({ bytesOut }) => String(bytesOut)],
  ["method", 7, ({ method }) => method],
  ["path", 0, ({ path, code, verdict }) => path + told(code, verdict)],
];

/** Widths are fixed, for rows that come one by one. */
const HEAD = COLUMNS.map(([name, width]) => name.toUpperCase().padEnd(width)).join("  ");

function printRow(line: SeenJson): string {
  return COLUMNS.map(([, width, of]) => oneLine(of(line)).padEnd(width)).join("  ");
}

function printJson(line: SeenJson): string {
  return oneLine(JSON.stringify(line));
}

function readSince(written: string): number {
  if (/^\d{4}-/.test(written)) return parseTime(written);
  const ms = parseDuration(written);
  // No clock knows of earlier times.
  if (ms !== null) return Math.max(0, Date.now() - ms);
  throw new SyntaxError(`${JSON.stringify(written)} is neither 1h or so nor a time`);
}

function readLimit(written: string): number {
  const limit = /^\d{1,6}$/.test(written) ? Number(written) : 0;
  if (limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new SyntaxError(`${JSON.stringify(written)} is no number from 1 to ${LIMIT_MAX}`);
}

/** `connectd requests`: what the daemon has captured: a list, one whole, or each as it comes. */
import { curlLine } from "../core/curl.ts";
import { Failure } from "../core/errors.ts";
import { fieldOf, headLines } from "../core/http1/lines.ts";
import type { ApiClient } from "./client.ts";
import type { FullRequestJson, RequestJson } from "./captured.ts";
import { followEvents } from "./event_feed.ts";
import type { LinkJson } from "./links.ts";
import { complain, out, outJson } from "./print.ts";
import { ADDRESS_FLAGS, daemonAddress, JSON_FLAG, withDaemon } from "./reach.ts";
import { REQUEST_HEAD, requestRow, requestText } from "./request_print.ts";
import { aboutRequest, hintSlips, readStatus } from "./seen.ts";
import { type Given, on, parsed, text, UsageError, type Verb } from "./verb.ts";

const FILTERS = ["link", "code", "status", "method", "path"] as const;

export const requests: Verb = {
  name: "requests",
  words: "[ID]",
  count: [0, 1],
  summary: "Shows the last requests of every link, or with ID one whole: heads, bodies, times.",
  more:
    "What is kept says `inspect` of a link: heads unless it says otherwise. Credentials are shown as ***. `replay ID` sends one again.",
  flags: [
    { name: "link", value: "NAME", help: "only of this link" },
    { name: "code", value: "CODE", help: "only those with this code, as rate_limited" },
    { name: "status", value: "STATUS", help: "only those with this status, as in 503 or 5xx" },
    { name: "method", value: "METHOD", help: "only those with this method" },
    { name: "path", value: "TEXT", help: "only those with this in their path" },
    { name: "limit", value: "N", help: "so many, the last ones (default 20)" },
    { name: "follow", short: "f", help: "and each from now on" },
    { name: "curl", help: "with ID: as a line for a shell" },
    ...ADDRESS_FLAGS,
    { ...JSON_FLAG, help: "print the API's object; with --follow one a line" },
  ],
  async run(given) {
    const [id] = given.words;
    if (id === undefined && on(given, "curl")) throw new UsageError("--curl is for one request: give its ID");
    if (id !== undefined) {
      const lone = ["follow", "limit", ...FILTERS].find((name) => given.flags[name] !== undefined);
      if (lone !== undefined) throw new UsageError(`--${lone} is for lists, and ${id} is one request`);
      return await showOne(given, id);
    }
    return on(given, "follow") ? await follow(given) : await showList(given);
  },
};

async function showOne(given: Given, id: string): Promise<number> {
  await withDaemon(given, async (api) => {
    const path = `/v1/requests/${encodeURIComponent(id)}`;
    const request = await aboutRequest(api.call<FullRequestJson>("GET", path));
    if (on(given, "json")) outJson(request);
    else if (on(given, "curl")) await showCurl(api, request);
    else out(requestText(request));
  });
  return 0;
}

async function showCurl(api: ApiClient, request: FullRequestJson): Promise<void> {
  const { method, target, bytesIn, link, id, request: { head, body } } = request;
  const { url } = await api.call<LinkJson>("GET", `/v1/links/${encodeURIComponent(link)}`);
  const line = curlLine({ method, target, head, bytesIn, body }, url ?? `http://${hostOf(head)}`);
  if (line === null) {
    throw new Failure(`not the whole body of ${id} was kept`, {
      hint: "bodies of up to 64 KiB are kept of links with `inspect: bodies`",
    });
  }
  out(line);
  if (line.includes("***")) complain("  what is *** in it is hidden: put it in");
}

function hostOf(head: string): string {
  return headLines(head).map(fieldOf).find(([name]) => name.toLowerCase() === "host")![1];
}

async function showList(given: Given): Promise<number> {
  const page = await withDaemon(given, (api) => lastOnes(api, given));
  if (on(given, "json")) outJson(page);
  else if (page.items.length === 0) {
    out(
      FILTERS.some((name) => text(given, name) !== null)
        ? "no such request is kept"
        : "no request was captured",
    );
    await withDaemon(given, (api) => hintSlips(api, given));
  } else out([REQUEST_HEAD, ...page.items.toReversed().map(requestRow)].join("\n"));
  return 0;
}

function lastOnes(
  api: ApiClient,
  given: Given,
): Promise<{ items: RequestJson[]; nextCursor: string | null }> {
  parsed(given, "status", readStatus);
  const query = new URLSearchParams({ limit: String(parsed(given, "limit", readLimit) ?? 20) });
  for (const name of FILTERS) {
    const value = text(given, name);
    if (value !== null) query.set(name, value);
  }
  return api.call("GET", `/v1/requests?${query}`);
}

function readLimit(written: string): number {
  const limit = /^\d{1,4}$/.test(written) ? Number(written) : 0;
  if (limit < 1 || limit > 1000) {
    throw new SyntaxError(`${JSON.stringify(written)} is no number from 1 to 1000`);
  }
  return limit;
}

/** The last ones, then each as it is over. */
async function follow(given: Given): Promise<number> {
  const json = on(given, "json");
  const print = (request: RequestJson) => out(json ? JSON.stringify(request) : requestRow(request));
  const address = daemonAddress(given), signal = new AbortController().signal;
  const page = await withDaemon(given, (api) => lastOnes(api, given));
  const wanted = filter(given);
  if (page.items.length === 0) await withDaemon(given, (api) => hintSlips(api, given));
  if (!json) out(REQUEST_HEAD);
  for (const request of page.items.toReversed()) print(request);
  await followEvents(
    address,
    ({ type, data }) => {
      if (type === "request" && wanted(data as RequestJson)) print(data as RequestJson);
    },
    signal,
    { requests: true },
  );
  complain("connectd: the daemon has ended");
  return 1;
}

/** Which of those that come are wanted, as the API lists them. */
function filter(given: Given): (request: RequestJson) => boolean {
  const [link, code, status, method, path] = FILTERS.map((name) => text(given, name));
  return (request) =>
    (link === null || request.link === link) &&
    (code === null || request.code === code || request.verdict === code) &&
    (status === null ||
      String(request.status).replace(/(?<=^.)..$/, status.endsWith("xx") ? "xx" : "$&") === status) &&
    (method === null || request.method === method) &&
    (path === null || request.path.includes(path));
}

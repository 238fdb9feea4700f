/** The doctor at a hub: is it there, does it take the token, is its clock ours, do its names and certificate hold. */
import type { HubAddress } from "../../core/entry.ts";
import { field } from "../../core/http1/types.ts";
import { dialOrigin } from "../../net/dial.ts";
import { SUBPROTOCOL } from "../../wire/handshake.ts";
import { type Answer, converse } from "../../net/converse.ts";
import { coarse, roundTrip } from "../print.ts";
import type { Running } from "./daemon.ts";
import { certificateFindings, nameFindings, type Surroundings } from "./names.ts";
import { type Check, type Finding, findings, why } from "./finding.ts";

const LIMIT_MS = 8_000;

/** Of an answer of a hub so much is read. */
const MOST = 256 * 1024;

/** A Date field has whole seconds; beyond these a link ends at the hub noticeably earlier or later than here. */
const SKEW_MS = { warn: 5_000, fail: 60_000 };

export interface HubCheck {
  readonly hub: HubAddress;
  /** Where its token lies. */
  readonly tokenFile: string;
  /** What a daemon that runs here says. */
  readonly running: Promise<Running | null>;
  readonly surroundings: Surroundings;
}

/** All that is to be looked at at one hub. */
export function hubCheck(means: HubCheck): Check {
  const { hub, surroundings: { now } } = means;
  return {
    check: "hub",
    about: hub.url,
    limitMs: LIMIT_MS,
    late: "see whether the way there is open: a firewall, a proxy, a name server",
    async run(signal) {
      const { ok, fail } = findings("hub", hub.url);
      const started = performance.now();
      let health: Answer;
      try {
        health = await ask(hub, "/healthz", null, signal);
      } catch (error) {
        signal.throwIfAborted();
        const tls = new URL(hub.url).protocol === "https:"
          ? await certificateFindings(hub, null, now, signal)
          : [];
        return [
          fail(why(error), "see whether the hub runs, its address is right and the way to it is open"),
          ...tls,
        ];
      }
      const took = performance.now() - started;
      if (health.status !== 200) {
        return [
          fail(
            `it answered ${health.status} at /healthz`,
            "is this the address of a hub? Behind a front: is the hub up?",
          ),
        ];
      }
      const found = [
        ok(`reachable, answered in ${roundTrip(took)}`),
        ...clockFindings(hub, health, took, now()),
      ];
      const { findings: ofToken, linkUrl } = await tokenFindings(means, signal);
      const url = linkOf(await means.running, hub.url) ?? linkUrl;
      return [...found, ...ofToken, ...await nameFindings(hub, url, means.surroundings, signal)];
    },
  };
}

/** The URL of a link that the daemon has on the hub `url`. */
function linkOf(running: Running | null, url: string): string | null {
  const places = running?.links.flatMap((link) => link.urls ?? []) ?? [];
  return places.find((place) => place.hub === url && place.url !== null)?.url ?? null;
}

async function ask(
  hub: HubAddress,
  path: string,
  token: string | null,
  signal: AbortSignal,
): Promise<Answer> {
  const socket = await dialOrigin(hub.url, hub.caFile, signal), { host } = new URL(hub.url);
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  return await converse(socket, host, { method: "GET", path, headers, body: null }, signal, MOST);
}

function clockFindings(hub: HubAddress, { head }: Answer, tookMs: number, now: number): Finding[] {
  const { ok, warn, fail } = findings("clock", hub.url);
  const date = Date.parse(field(head, "date") ?? "");
  if (Number.isNaN(date)) return [];
  // It was written somewhere between question and answer, and cut to a second.
  const off = Math.round(date + 500 - (now - tookMs / 2));
  const apart = Math.max(0, Math.abs(off) - 500 - tookMs / 2);
  if (apart <= SKEW_MS.warn) return [ok("the same as here")];
  const seen = `this machine is ${coarse(apart)} ${off > 0 ? "behind" : "ahead of"} the hub`;
  const hint = "set both by NTP (timedatectl set-ntp true): expiries are counted by these clocks";
  return [apart <= SKEW_MS.fail ? warn(seen, hint) : fail(seen, hint)];
}

/** Asked as a daemon asks, but for no upgrade: the hub judges the token and gives no session. */
async function tokenFindings(
  { hub, tokenFile }: HubCheck,
  signal: AbortSignal,
): Promise<{ findings: Finding[]; linkUrl: string | null }> {
  const { ok, fail } = findings("token", hub.url);
  const only = (finding: Finding) => ({ findings: [finding], linkUrl: null });
  let token: string;
  try {
    token = (await Deno.readTextFile(tokenFile)).trim();
  } catch (error) {
    return only(
      fail(
        `${tokenFile} can not be read: ${why(error)}`,
        "put there what `connectd token create --scope daemon` prints at the hub, or name its file with token_file",
      ),
    );
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return only(fail(`${tokenFile} holds no token`, "it is one line, as `connectd token create` printed it"));
  }
  const answer = await ask(hub, "/v1/tunnel", token, signal);
  const create = "make one at the hub: connectd token create --scope daemon";
  switch (answer.status) {
    case 401:
      return only(fail("the hub does not know this token, or it has expired or was revoked (401)", create));
    case 403:
      return only(fail("the hub knows this token, but not as a daemon's (403)", create));
    case 426:
      if (field(answer.head, "sec-websocket-protocol") === SUBPROTOCOL) break;
      return only(
        fail("it speaks another version of the tunnel", "bring daemon and hub to neighbouring versions"),
      );
    case 503:
      return only(
        findings("token", hub.url).warn(
          "the hub takes no session just now (503)",
          "see its log: it drains, or is full",
        ),
      );
    default:
      return only(
        fail(
          `it answered ${answer.status} where the tunnel is`,
          "is this the address of a hub, and does its front pass /v1/tunnel on?",
        ),
      );
  }
  return { findings: [ok("taken")], linkUrl: await anyLink(hub, token, signal) };
}

/** The URL of some link of the workspace: links may have another domain than the hub itself. */
async function anyLink(hub: HubAddress, token: string, signal: AbortSignal): Promise<string | null> {
  try {
    const { items } = JSON.parse((await ask(hub, "/v1/links?limit=1", token, signal)).text);
    return typeof items?.[0]?.url === "string" && URL.canParse(items[0].url) ? items[0].url : null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

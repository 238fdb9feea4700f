/** Which of the hubs that a welcome names are dialled, too (hub.md, "Session" 3 and "Several hubs"). */
import { createHash } from "node:crypto";
import type { HubAddress } from "../core/entry.ts";

/** Up to so many hubs are all dialled, so that a visitor's hub has a session itself; of more, a few by lot. */
const ALL_UP_TO = 8;
const OF_MORE = 2;

/** A hub that was named and is not dialled, and why. */
export interface IgnoredHub {
  readonly url: string;
  readonly reason: string;
}

/**
 * The hubs to dial besides `own`, each with the token and the trust of the hub that named it. The token goes to whoever
 * is dialled: so only https hosts under the parent domain of the one that named them.
 */
export function chooseHubs(
  own: readonly HubAddress[],
  named: ReadonlyMap<string, readonly string[]>,
  daemon: string,
): { chosen: HubAddress[]; ignored: IgnoredHub[] } {
  const chosen = new Map<string, HubAddress>();
  const ignored = new Map<string, IgnoredHub>();
  for (const by of own) {
    for (const text of named.get(by.url) ?? []) {
      const url = originOf(text);
      if (own.some((hub) => hub.url === url)) continue;
      if (url === null || !isFellow(new URL(by.url), new URL(url))) {
        const reason = `named by ${by.url}, but not an https host under the same parent domain`;
        ignored.set(text, { url: text, reason });
      } else if (!chosen.has(url)) chosen.set(url, { ...by, url, plain: false });
    }
  }
  if (own.length + chosen.size <= ALL_UP_TO) {
    return { chosen: [...chosen.values()], ignored: [...ignored.values()] };
  }
  // Rendezvous hashing: each daemon draws its own few, and a hub that comes or goes moves none of the others.
  const drawn = [...chosen.values()].map((hub) => ({ hub, lot: lot(daemon, hub.url) }))
    .sort((a, b) => a.lot < b.lot ? -1 : 1);
  for (const { hub } of drawn.slice(OF_MORE)) {
    ignored.set(hub.url, { url: hub.url, reason: "other hubs were drawn by lot: there are more than 8" });
  }
  return { chosen: drawn.slice(0, OF_MORE).map(({ hub }) => hub), ignored: [...ignored.values()] };
}

function originOf(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && url.origin === text ? text : null;
}

/** The parent must itself have a dot: of `hub.com` it would be `com`, and with it half of the world. */
function isFellow(by: URL, named: URL): boolean {
  const parent = by.hostname.slice(by.hostname.indexOf(".") + 1);
  return by.protocol === "https:" && named.protocol === "https:" &&
    /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*$/.test(parent) &&
    by.hostname.includes(".") && parent !== by.hostname && named.hostname.endsWith("." + parent);
}

function lot(daemon: string, url: string): string {
  return createHash("sha256").update(`${daemon} ${url}`).digest("hex");
}

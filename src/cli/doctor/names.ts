/** The doctor at the names that a hub's links have: the wildcard record, and the certificate. */
import { randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import { isLocal } from "../../config/places.ts";
import { parseAddress, withoutBrackets } from "../../core/address.ts";
import type { HubAddress } from "../../core/entry.ts";
import { certificateOf } from "../../net/certificate.ts";
import { coarse } from "../print.ts";
import { type Finding, findings, why } from "./finding.ts";

/** Certificates that are renewed by themselves are so 30 days before their end. */
const SOON_MS = 14 * 24 * 3600_000;

/** What a hub is looked at with. */
export interface Surroundings {
  /** The addresses of a name; none where it has none. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
  /** Wall time, ms. */
  readonly now: () => number;
}

/** The addresses of `name` as programs of this machine find them. */
export async function addressesOf(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch (error) {
    if (["ENOTFOUND", "EAI_NODATA", "ENODATA"].includes((error as { code?: string }).code ?? "")) return [];
    throw error;
  }
}

/**
 * Whether links of `hub` can be reached by their names, and the certificate that is shown for them. `linkUrl`: one of
 * them, null where none is known.
 */
export async function nameFindings(
  hub: HubAddress,
  linkUrl: string | null,
  { resolve, now }: Surroundings,
  signal: AbortSignal,
): Promise<Finding[]> {
  const own = withoutBrackets(new URL(hub.url).hostname);
  const domain = linkUrl === null ? own : new URL(linkUrl).hostname.replace(/^[^.]*\./, "");
  const secure = new URL(hub.url).protocol === "https:";
  if (isLocal(domain) || parseAddress(domain) !== null) {
    return secure ? await certificateFindings(hub, null, now, signal) : [];
  }
  const label = `doctor-${randomBytes(5).toString("hex")}.${domain}`;
  const { ok, warn, fail } = findings("dns", `*.${domain}`);
  const [apex, wild] = await Promise.all([resolve(domain), resolve(label)]);
  const expected = apex.length > 0 ? apex : await resolve(own);
  const record = `make a DNS record for *.${domain} that leads to the hub or its front`;
  const found: Finding[] = [];
  if (wild.length === 0) {
    // Nothing says yet that links are under this domain.
    found.push(
      linkUrl === null
        ? warn("names under it do not resolve", `${record}, unless the hub's domain is another one`)
        : fail("names under it do not resolve", record),
    );
  } else if (wild.some((address) => expected.includes(address))) {
    found.push(ok(`resolves to ${wild.join(", ")}`));
  } else {
    found.push(
      warn(
        `resolves to ${wild.join(", ")}, and ${apex.length > 0 ? domain : own} to ${
          expected.join(", ") || "nothing"
        }`,
        "see that both lead to the hub or its front",
      ),
    );
  }
  if (!secure) return found;
  return [
    ...found,
    ...await certificateFindings(
      hub,
      wild.length > 0 ? { address: wild[0], label, domain, at: linkUrl ?? hub.url } : null,
      now,
      signal,
    ),
  ];
}

/** The certificate of the hub itself, and of a link's name where there is one. */
export async function certificateFindings(
  hub: HubAddress,
  link: { address: string; label: string; domain: string; at: string } | null,
  now: () => number,
  signal: AbortSignal,
): Promise<Finding[]> {
  const ca = hub.caFile === null ? null : await Deno.readTextFile(hub.caFile).catch(() => null);
  const own = withoutBrackets(new URL(hub.url).hostname);
  const look = async (about: string, host: string, port: number, name: string): Promise<Finding> => {
    const { ok, warn, fail } = findings("tls", about);
    try {
      const { until, distrust, covers } = await certificateOf({ host, port, name, ca }, signal);
      const left = until - now();
      if (left <= 0) {
        return fail(
          `the certificate ended ${coarse(-left)} ago`,
          "renew it, and see why it was not renewed by itself",
        );
      }
      if (!covers(name)) return fail("the certificate is for other names", `get one that covers ${about}`);
      if (distrust !== null) {
        return fail(
          `the certificate is not trusted (${distrust})`,
          "serve its whole chain; where it is your own CA's, name that with hub_ca_file",
        );
      }
      if (left < SOON_MS) {
        return warn(
          `the certificate ends in ${coarse(left)}`,
          "renew it, and see why it was not renewed by itself",
        );
      }
      return ok(`valid for ${Math.floor(left / 86_400_000)} days`);
    } catch (error) {
      signal.throwIfAborted();
      return fail(`no handshake: ${why(error)}`, "see that TLS is spoken there");
    }
  };
  const port = (url: string) => Number(new URL(url).port) || 443;
  const both = [look(own, own, port(hub.url), own)];
  if (link !== null) both.push(look(`*.${link.domain}`, link.address, port(link.at), link.label));
  return await Promise.all(both);
}

/** Which host is whose: the hub's own, a link's, nobody's. */
import { isLoopback, parseAddress, withoutBrackets } from "../core/address.ts";
import type { ListenAddress } from "../config/places.ts";
import type { HubSettings } from "./settings.ts";

/** What a request's Host names. */
export type Place =
  | { readonly kind: "own" }
  /** Without its port; it may be a link's own domain. */
  | { readonly kind: "none"; readonly host: string }
  /** One label under the domain, whether or not there is such a link. */
  | { readonly kind: "link"; readonly label: string };

const OWN: Place = { kind: "own" };

/** Names under which a hub on loopback is its own, besides that of its public URL. */
const LOOPBACK_HOSTS = ["hub.localhost", "localhost", "127.0.0.1", "[::1]"];

/** Hosts that were looked up before; a flood of invented ones starts it anew. */
const REMEMBERED = 4096;

/** No name in the DNS is longer, port included. A Host may be as long as a head, and so many of those were 256 MiB. */
const REMEMBERED_LENGTH = 260;

/** The hub's host names, and the URLs of its links. */
export class Hosts {
  /** The label that the hub's own host has under the domain; no link may have it. */
  readonly ownLabel: string | null;
  readonly #own: Set<string>;
  readonly #suffix: string;
  readonly #scheme: string;
  readonly #port: string;
  readonly #known = new Map<string, Place>();

  /**
   * `domain`: links are one label under it. `publicUrl`: the origin of the hub itself, whose scheme and port its links
   * share. `loopback`: the listener is on loopback.
   */
  constructor(readonly domain: string, readonly publicUrl: string, loopback: boolean) {
    const url = new URL(publicUrl);
    const host = plain(url.hostname);
    this.#own = new Set([host, ...(loopback ? LOOPBACK_HOSTS : [])]);
    this.#suffix = `.${plain(domain)}`;
    this.#scheme = url.protocol;
    this.#port = url.port === "" ? "" : `:${url.port}`;
    this.ownLabel = host.endsWith(this.#suffix) ? host.slice(0, -this.#suffix.length) : null;
  }

  /** What `host`, a Host field's value as sent, names; the port says nothing. */
  find(host: string): Place {
    const known = this.#known.get(host);
    if (known !== undefined) return known;
    const place = this.#look(plain(withoutPort(host)));
    if (host.length > REMEMBERED_LENGTH) return place;
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(host, place);
    return place;
  }

  /** Whether `domain` is the hub's own, the one its links are under, or one of those. */
  has(domain: string): boolean {
    return this.#own.has(domain) || `.${domain}`.endsWith(this.#suffix);
  }

  /** The public URL of a link at a domain of its own. */
  urlAt(domain: string): string {
    return `${this.#scheme}//${domain}${this.#port}`;
  }

  /** The public URL of the link `id`. */
  urlOf(id: string): string {
    return `${this.#scheme}//${id}${this.#suffix}${this.#port}`;
  }

  #look(host: string): Place {
    if (this.#own.has(host)) return OWN;
    if (!host.endsWith(this.#suffix)) return { kind: "none", host };
    const label = host.slice(0, -this.#suffix.length);
    return label === "" || label.includes(".") ? { kind: "none", host } : { kind: "link", label };
  }
}

/** The hosts of a hub that is told `settings` and bound where it says. */
export function hostsOf(
  { domain, publicUrl, tls = null }: HubSettings,
  { hostname, port }: ListenAddress,
): Hosts {
  const host = publicUrl === null ? "localhost" : new URL(publicUrl).hostname;
  // An address has no names below it.
  const links = domain ?? (parseAddress(withoutBrackets(host)) === null ? host : "localhost");
  const origin = new URL(publicUrl ?? `${tls === null ? "http" : "https"}://${links}:${port}`).origin;
  return new Hosts(links, origin, isLoopback(hostname) || hostname === "localhost");
}

function plain(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}

function withoutPort(host: string): string {
  const colon = host.indexOf(":", host.startsWith("[") ? host.indexOf("]") : 0);
  return colon < 0 ? host : host.slice(0, colon);
}

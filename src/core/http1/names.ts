/** The field names that mean something to an intermediary; any other is passed on unread. */
import { DASH, UNDERSCORE, UPPER_A, UPPER_Z } from "./octets.ts";

/** What a field is to us. Up to CONNECTION the codec itself reads them. */
export const Kind = {
  OTHER: 0,
  HOST: 1,
  CONTENT_LENGTH: 2,
  TRANSFER_ENCODING: 3,
  UPGRADE: 4,
  EXPECT: 5,
  PROXY_CONNECTION: 6,
  CONNECTION: 7,
  TE: 8,
  /** Of one connection only, and without meaning to us. */
  HOP: 9,
  /** A request's words to a proxy that it chose; a link is none. */
  PROXY: 10,
  /** Says where a request came from: only connectd may. */
  FORWARDING: 11,
  /** Would make the target see another method or path than the policy saw. */
  OVERRIDE: 12,
  AUTHORIZATION: 13,
  CDN_LOOP: 14,
  LOCATION: 15,
} as const;

interface Known {
  readonly name: string;
  readonly kind: number;
  /** All names that begin so. */
  readonly prefix: boolean;
  /** `_` counts as `-`: CGI and its kin read both alike, so a forged field may come in either spelling. */
  readonly loose: boolean;
}

const exact = (name: string, kind: number): Known => ({ name, kind, prefix: false, loose: false });
const loose = (name: string, kind: number): Known => ({ name, kind, prefix: false, loose: true });
const prefix = (name: string, kind: number): Known => ({ name, kind, prefix: true, loose: true });

const KNOWN: readonly Known[] = [
  exact("host", Kind.HOST),
  exact("content-length", Kind.CONTENT_LENGTH),
  exact("transfer-encoding", Kind.TRANSFER_ENCODING),
  exact("connection", Kind.CONNECTION),
  exact("upgrade", Kind.UPGRADE),
  exact("expect", Kind.EXPECT),
  exact("te", Kind.TE),
  exact("keep-alive", Kind.HOP),
  exact("http2-settings", Kind.HOP),
  exact("proxy-authenticate", Kind.HOP),
  exact("proxy-connection", Kind.PROXY_CONNECTION),
  // CGI hands `Proxy` to programs as HTTP_PROXY, which their HTTP clients obey (httpoxy).
  exact("proxy", Kind.PROXY),
  prefix("proxy-", Kind.PROXY),
  // Nobody means these, but some targets read `_` as `-`, and would find another end of the body than we did.
  exact("content_length", Kind.PROXY),
  exact("transfer_encoding", Kind.PROXY),
  loose("forwarded", Kind.FORWARDING),
  prefix("x-forwarded", Kind.FORWARDING),
  loose("x-real-ip", Kind.FORWARDING),
  loose("true-client-ip", Kind.FORWARDING),
  prefix("cf-", Kind.FORWARDING),
  loose("x-http-method-override", Kind.OVERRIDE),
  loose("x-http-method", Kind.OVERRIDE),
  loose("x-method-override", Kind.OVERRIDE),
  loose("x-original-url", Kind.OVERRIDE),
  loose("x-rewrite-url", Kind.OVERRIDE),
  exact("authorization", Kind.AUTHORIZATION),
  exact("cdn-loop", Kind.CDN_LOOP),
  exact("location", Kind.LOCATION),
  exact("content-location", Kind.LOCATION),
];

const NONE: readonly Known[] = [];

/** By the first letter in lower case: most names are told apart there. */
const BY_FIRST: readonly (readonly Known[])[] = Array.from({ length: 256 }, (_, code) => {
  const known = KNOWN.filter(({ name }) => name.charCodeAt(0) === code);
  return known.length === 0 ? NONE : known;
});

/** What the field named text[from, to), a token, is to us. */
export function kindOf(text: string, from: number, to: number): number {
  const known = BY_FIRST[text.charCodeAt(from) | 0x20];
  for (let i = 0; i < known.length; i++) {
    const entry = known[i];
    const { length } = entry.name;
    if (entry.prefix ? to - from < length : to - from !== length) continue;
    if (startsWith(text, from, entry)) return entry.kind;
  }
  return Kind.OTHER;
}

function startsWith(text: string, from: number, { name, loose }: Known): boolean {
  // The first letter has been compared.
  for (let i = 1; i < name.length; i++) {
    let code = text.charCodeAt(from + i);
    if (code >= UPPER_A && code <= UPPER_Z) code |= 0x20;
    else if (code === UNDERSCORE && loose) code = DASH;
    if (code !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** What may not stand in a trailer (RFC 9110 §6.5.1): framing, routing, credentials, and what says how to read a body. */
const NOT_IN_TRAILERS = new Set([
  "trailer",
  "cookie",
  "set-cookie",
  "content-type",
  "content-encoding",
  "content-range",
  "cache-control",
  "range",
  "max-forwards",
]);

/** True where a field of that kind and name may come after the body. */
export function mayTrail(kind: number, name: string): boolean {
  return (kind === Kind.OTHER || kind === Kind.LOCATION) && !NOT_IN_TRAILERS.has(name.toLowerCase());
}

/**
 * Heads as they go on: what belongs to one connection is taken out, what connectd says is put in (RFC 9110 §7.6). All
 * else passes as the octets that came, in their order and case: runs of the raw head are copied.
 */
import type { FieldEdits } from "./field_edits.ts";
import { members, valueOf } from "./http1/fields.ts";
import { Kind } from "./http1/names.ts";
import { SPACE } from "./http1/octets.ts";
import type { Head, RequestHead, ResponseHead } from "./http1/types.ts";

const CRLF = 2;

/** How a request goes on to its target. */
export interface ForwardOptions {
  /** The Host to send; null: as it came. */
  readonly host: string | null;
  /** Field lines by `provenance`. */
  readonly provenance: string;
  /** The policy is about methods or paths: nothing may name others to the target. */
  readonly dropOverrides: boolean;
  /** Authorization was meant for the link. */
  readonly dropAuthorization: boolean;
  /** What the target may upgrade to: the head's own `upgrade`, or null. */
  readonly upgrade: string | null;
  /** What the link's owner changes; null: nothing. */
  readonly edits: FieldEdits | null;
}

/** The whole head that the target gets. */
export function requestToTarget(head: RequestHead, o: ForwardOptions): string {
  const { raw, lines } = head;
  const { edits } = o;
  const named = namedByConnection(head);
  let text = head.minor === 1 ? "" : `${head.method} ${head.target} HTTP/1.1\r\n`;
  let from = head.minor === 1 ? 0 : lines[1];
  let trailers = false;
  for (let at = 0; at < lines.length; at += 4) {
    const kind = lines[at];
    const stays = kind === Kind.OTHER ? !isNamed(head, at, named) : passes(kind, o);
    if (stays && (edits === null || !edits.drops(raw, lines[at + 1], lines[at + 2]))) continue;
    text += raw.slice(from, lines[at + 1]);
    from = lines[at + 3] + CRLF;
    if (kind === Kind.HOST) text += `Host: ${o.host}\r\n`;
    else if (kind === Kind.TE) {
      trailers ||= members(valueOf(raw, lines[at + 2], lines[at + 3])).includes("trailers");
    }
  }
  text += raw.slice(from, raw.length - CRLF);
  if (head.framing.kind === "chunked") text += "Transfer-Encoding: chunked\r\n";
  if (trailers) text += "TE: trailers\r\n";
  // RFC 9110 §7.6.1, §10.1.4: TE and Upgrade are to be named there.
  if (trailers || o.upgrade !== null) {
    text += `Connection: ${!trailers ? "Upgrade" : o.upgrade === null ? "TE" : "TE, Upgrade"}\r\n`;
  }
  return text + (edits === null ? "" : edits.lines) + o.provenance + "\r\n";
}

/** True where a field of that kind, which is not OTHER, goes on to the target as it came. */
function passes(kind: number, o: ForwardOptions): boolean {
  switch (kind) {
    case Kind.HOST:
      return o.host === null;
    case Kind.UPGRADE:
      return o.upgrade !== null;
    case Kind.OVERRIDE:
      return !o.dropOverrides;
    case Kind.AUTHORIZATION:
      return !o.dropAuthorization;
    case Kind.CONTENT_LENGTH:
    case Kind.EXPECT:
    case Kind.CDN_LOOP:
    case Kind.LOCATION:
      return true;
    default:
      return false;
  }
}

/** Who asks, and for what. */
export interface Origin {
  /** The client's address, in canonical form. */
  readonly address: string;
  readonly proto: "http" | "https";
  /** The authority that the visitor asked. */
  readonly publicHost: string;
  /** The link's digest, by which it knows its own requests. */
  readonly loop: string;
}

/** Field lines that tell a target who asks, for what authority (RFC 7239), and that connectd saw it (RFC 8586). */
export function provenance({ address, proto, publicHost, loop }: Origin): string {
  const node = address.includes(":") ? `"[${address}]"` : address;
  return `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${publicHost}\r\n` +
    `X-Forwarded-Port: ${portOf(publicHost, proto)}\r\n` +
    `Forwarded: for=${node};host="${publicHost}";proto=${proto}\r\nCDN-Loop: ${LOOP}${loop}\r\n`;
}

function portOf(authority: string, proto: "http" | "https"): string {
  const colon = authority.lastIndexOf(":");
  // In `[::1]` the last colon is none of a port.
  if (colon > authority.lastIndexOf("]")) return authority.slice(colon + 1);
  return proto === "https" ? "443" : "80";
}

const LOOP = "connectd;l=";

/** True where the link with this digest has forwarded this request before. */
export function loops(head: RequestHead, digest: string): boolean {
  const { raw, lines } = head;
  for (let at = 0; at < lines.length; at += 4) {
    if (lines[at] !== Kind.CDN_LOOP) continue;
    const value = raw.slice(lines[at + 2] + 1, lines[at + 3]).replace(/[ \t]/g, "");
    if (value.split(",").includes(LOOP + digest)) return true;
  }
  return false;
}

/** The head that goes into the tunnel, where a body is framed by Content-Length or else by its stream. */
export function responseToHub(
  head: ResponseHead,
  o: {
    /** The authority that was sent as Host; null: Location stays as it came. */
    readonly mapFrom: string | null;
    /** Scheme and authority that the visitor knows. */
    readonly publicOrigin: string;
    /** What the link's owner changes; null: nothing. Interim heads are taken from, and nothing is set in them. */
    readonly edits: FieldEdits | null;
  },
): string {
  const { status } = head;
  const set = o.edits === null || (status < 200 && status !== 101) ? "" : o.edits.lines;
  return whole(head, endToEnd(head, true, o.mapFrom, o.publicOrigin, o.edits), set + connection(head, false));
}

/** The head that a visitor gets. `chunked`: its body is sent so; `close`: the connection is. */
export function responseToVisitor(
  head: ResponseHead,
  o: { readonly chunked: boolean; readonly close: boolean },
): string {
  const encoding = o.chunked ? "Transfer-Encoding: chunked\r\n" : "";
  return whole(head, endToEnd(head, !o.chunked, null, "", null), encoding + connection(head, o.close));
}

/** A head of the fields that stay, null: all of them, and of `more`. One that is left as it came need not be put together. */
function whole({ raw }: ResponseHead, kept: string | null, more: string): string {
  if (kept === null && more === "") return raw;
  return (kept ?? raw.slice(0, -CRLF)) + more + "\r\n";
}

/** Status line and fields, without those of one connection; null: just as they came. `length`: a Content-Length may stay. */
function endToEnd(
  head: ResponseHead,
  length: boolean,
  mapFrom: string | null,
  origin: string,
  edits: FieldEdits | null,
): string | null {
  const { raw, lines, status } = head;
  const named = namedByConnection(head);
  // An old version, or no space behind the status, which clients may stumble on.
  const anew = head.minor === 0 || raw.charCodeAt(STATUS_LINE) !== SPACE;
  let text = anew ? `HTTP/1.1 ${status} ${head.reason}\r\n` : "";
  let from = anew ? raw.indexOf("\n") + 1 : 0;
  for (let at = 0; at < lines.length; at += 4) {
    let line = "";
    // What is taken out goes as what belongs to one connection does.
    const kind = edits !== null && edits.drops(raw, lines[at + 1], lines[at + 2]) ? Kind.HOP : lines[at];
    switch (kind) {
      case Kind.OTHER:
        if (!isNamed(head, at, named)) continue;
        break;
      case Kind.CONTENT_LENGTH:
        // RFC 9110 §8.6: no 1xx nor 204 has one, and who believes it there reads the next answer as a body.
        if (length && status >= 200 && status !== 204) continue;
        break;
      case Kind.UPGRADE:
        if (upgrades(status)) continue;
        break;
      case Kind.LOCATION:
        if (mapFrom === null) continue;
        line = mapped(head, at, mapFrom, origin);
        if (line === "") continue;
        break;
      case Kind.TRANSFER_ENCODING:
      case Kind.CONNECTION:
      case Kind.PROXY_CONNECTION:
      case Kind.HOP:
      case Kind.TE:
        break;
      default:
        continue;
    }
    text += raw.slice(from, lines[at + 1]) + line;
    from = lines[at + 3] + CRLF;
  }
  return from === 0 ? null : text + raw.slice(from, raw.length - CRLF);
}

/** What stands before the space behind a status. */
const STATUS_LINE = "HTTP/1.1 200".length;

function connection({ status }: ResponseHead, close: boolean): string {
  if (upgrades(status)) return close ? "Connection: close, Upgrade\r\n" : "Connection: Upgrade\r\n";
  return close ? "Connection: close\r\n" : "";
}

/** An Upgrade field means something to the visitor: what it got, or what it must ask for (RFC 9110 §15.2.2, §15.5.22). */
function upgrades(status: number): boolean {
  return status === 101 || status === 426;
}

/** The line of a Location that leads back to `mapFrom`, led to `origin` instead; "": it leads elsewhere. */
function mapped({ raw, lines }: Head, at: number, mapFrom: string, origin: string): string {
  const value = valueOf(raw, lines[at + 2], lines[at + 3]);
  const scheme = /^https?:\/\//i.exec(value);
  if (scheme === null) return "";
  const end = scheme[0].length + mapFrom.length;
  const led = value.slice(scheme[0].length, end).toLowerCase() === mapFrom.toLowerCase() &&
    (end === value.length || "/?#".includes(value[end]));
  return led ? `${raw.slice(lines[at + 1], lines[at + 2])}: ${origin}${value.slice(end)}\r\n` : "";
}

/** The names that Connection lists besides its own words, in lower case; null: none, as nearly always. */
function namedByConnection({ raw, lines }: Head): readonly string[] | null {
  let named: string[] | null = null;
  for (let at = 0; at < lines.length; at += 4) {
    if (lines[at] !== Kind.CONNECTION) continue;
    for (const member of members(valueOf(raw, lines[at + 2], lines[at + 3]))) {
      if (!OWN_WORDS.includes(member)) (named ??= []).push(member);
    }
  }
  return named;
}

const OWN_WORDS: readonly string[] = ["keep-alive", "close", "upgrade", "te", ""];

/**
 * True where Connection takes away the field at `at`. Only fields of no Kind are asked about: whoever could take away
 * Host, a length, a credential or what tells of a loop would change what others see in a request.
 */
function isNamed({ raw, lines }: Head, at: number, named: readonly string[] | null): boolean {
  return named !== null && named.includes(raw.slice(lines[at + 1], lines[at + 2]).toLowerCase());
}

/**
 * What a link may change, and nothing else may: one pure function each way, from a raw message to a raw message. Written
 * from RFC 9110 §7.6 and what connectd promises of its data plane, with nothing of the code that does it.
 */
import { isBodiless, oneChunk, statusOf } from "./messages.ts";

/** What is known of a link and of who comes through it. */
export interface Via {
  /** The Host that the target gets; null: the visitor's own. */
  readonly host: string | null;
  /** The visitor's address and scheme. */
  readonly address: string;
  readonly proto: "http" | "https";
  /** The link's digest, by which it knows its own requests (RFC 8586). */
  readonly loop: string;
}

/** A request as its target gets it through a link: `raw` is what the visitor sent, its body spelled as one chunk. */
export function expected(raw: string, via: Via): string {
  const { first, fields, body } = split(raw);
  const named = members(fields, "connection").filter((name) => !PROTECTED.includes(name));
  const publicHost = values(fields, "host")[0];
  const upgrade = members(fields, "connection").includes("upgrade") &&
    values(fields, "upgrade").join().toLowerCase() === "websocket";
  const lines: string[] = [];
  for (const field of fields) {
    const name = nameOf(field);
    if (name === "host" && via.host !== null) lines.push(`Host: ${via.host}`);
    else if (
      name === "upgrade" ? upgrade : !OF_ONE_HOP.includes(name) && !named.includes(name) && !isForged(name)
    ) {
      lines.push(field);
    }
  }
  // Framing is made anew, behind what came.
  if (has(fields, "transfer-encoding")) lines.push("Transfer-Encoding: chunked");
  const trailers = members(fields, "te").includes("trailers");
  if (trailers) lines.push("TE: trailers");
  if (trailers || upgrade) {
    lines.push(`Connection: ${[trailers && "TE", upgrade && "Upgrade"].filter(Boolean).join(", ")}`);
  }
  const { address, proto, loop } = via;
  lines.push(
    `X-Forwarded-For: ${address}`,
    `X-Forwarded-Proto: ${proto}`,
    `X-Forwarded-Host: ${publicHost}`,
    `X-Forwarded-Port: ${/:(\d+)$/.exec(publicHost)?.[1] ?? (proto === "https" ? "443" : "80")}`,
    `Forwarded: for=${
      address.includes(":") ? `"[${address}]"` : address
    };host="${publicHost}";proto=${proto}`,
    `CDN-Loop: connectd;l=${loop}`,
  );
  return join(first.replace(/1\.0$/, "1.1"), lines, body);
}

/** What an answer depends on besides itself. */
export interface Asked {
  readonly method: string;
  /** HTTP/1.`minor`. */
  readonly minor: 0 | 1;
  /** The visitor's connection ends with this answer. */
  readonly closes: boolean;
  /** The authority that the target was asked as, where Location is mapped back from it, and the origin it is mapped to. */
  readonly mapFrom: string | null;
  readonly publicOrigin: string;
}

/** A final answer as its visitor gets it through a link: `raw` is what the target sent, its body spelled as one chunk. */
export function expectedAnswer(raw: string, asked: Asked): string {
  const { fields, body } = split(raw);
  const chunked = has(fields, "transfer-encoding"), length = has(fields, "content-length");
  const { first, lines } = expectedHead(raw, asked);
  const bodiless = isBodiless(raw, asked.method);
  // What has no length of its own is chunked, or ends with the connection where a visitor knows no chunks.
  const anew = !bodiless && !length && asked.minor === 1;
  if (anew) lines.push("Transfer-Encoding: chunked");
  if (asked.closes) lines.push(statusOf(raw) === 426 ? "Connection: close, Upgrade" : "Connection: close");
  else if (statusOf(raw) === 426) lines.push("Connection: Upgrade");
  if (bodiless) return join(first, lines, "");
  if (chunked && asked.minor === 0) return join(first, lines, unchunked(body));
  return join(first, lines, anew && !chunked ? oneChunk(body) : body);
}

/** A 1xx as its visitor gets it. */
export function expectedInterim(raw: string, asked: Asked): string {
  const { first, lines } = expectedHead(raw, asked);
  return join(first, lines, "");
}

function expectedHead(raw: string, { mapFrom, publicOrigin }: Asked): { first: string; lines: string[] } {
  const { first, fields } = split(raw), status = statusOf(raw);
  const named = members(fields, "connection").filter((name) => !PROTECTED.includes(name));
  const lines: string[] = [];
  for (const field of fields) {
    const name = nameOf(field);
    if (name === "upgrade" && status === 426) lines.push(field);
    else if (
      OF_ONE_HOP.includes(name) && !REQUESTS_ONLY.test(name) || name === "upgrade" || named.includes(name)
    ) continue;
    // RFC 9110 §8.6: neither has one.
    else if (name === "content-length" && (status < 200 || status === 204)) continue;
    else if (name === "location" || name === "content-location") {
      lines.push(mappedBack(field, mapFrom, publicOrigin));
    } else lines.push(field);
  }
  // An old version is spoken of as the hub's own; a status without a space behind it gets one.
  return { first: first.replace(/^HTTP\/1\.0/, "HTTP/1.1").replace(/^(HTTP\/1\.1 \d{3})$/, "$1 "), lines };
}

/** Of one connection (RFC 9110 §7.6.1), or words to a proxy that the visitor chose, which a link is none of. */
const OF_ONE_HOP: readonly string[] = [
  ...[
    "connection",
    "keep-alive",
    "te",
    "transfer-encoding",
    "http2-settings",
    "proxy",
    "proxy-authorization",
  ],
  ...["proxy-authenticate", "proxy-connection", "content_length", "transfer_encoding"],
];
/** Of those, what nothing is taken from an answer for. */
const REQUESTS_ONLY = /^(proxy|proxy-authorization|content_length|transfer_encoding)$/;

/** Connection can not take these away: others would then see another request than the one that was judged. */
const PROTECTED: readonly string[] = [
  ...["host", "content-length", "expect", "authorization", "cdn-loop", "location", "content-location"],
  ...["x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"],
];

/** Says who asks and for what, which only connectd may. */
function isForged(name: string): boolean {
  const dashed = name.replaceAll("_", "-");
  return /^(x-forwarded.*|cf-.*|forwarded|x-real-ip|true-client-ip)$/.test(dashed) ||
    dashed.startsWith("proxy-");
}

function mappedBack(field: string, mapFrom: string | null, publicOrigin: string): string {
  if (mapFrom === null) return field;
  const [name, value] = [field.slice(0, field.indexOf(":")), field.slice(field.indexOf(":") + 1).trim()];
  const found = /^https?:\/\/([^/?#]*)(.*)$/i.exec(value);
  return found?.[1].toLowerCase() === mapFrom.toLowerCase() ? `${name}: ${publicOrigin}${found[2]}` : field;
}

interface Parts {
  readonly first: string;
  readonly fields: readonly string[];
  readonly body: string;
}

function split(raw: string): Parts {
  const end = raw.indexOf("\r\n\r\n");
  const [first, ...fields] = raw.slice(0, end).split("\r\n");
  return { first, fields, body: raw.slice(end + 4) };
}

function join(first: string, lines: readonly string[], body: string): string {
  return [first, ...lines].join("\r\n") + "\r\n\r\n" + body;
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(":")).toLowerCase();
}

function values(fields: readonly string[], name: string): string[] {
  return fields.filter((field) => nameOf(field) === name).map((field) => field.slice(name.length + 1).trim());
}

function has(fields: readonly string[], name: string): boolean {
  return values(fields, name).length > 0;
}

function members(fields: readonly string[], name: string): string[] {
  return values(fields, name).join().toLowerCase().split(",").map((member) => member.trim());
}

function unchunked(body: string): string {
  const line = body.indexOf("\r\n"), size = parseInt(body, 16);
  return body.slice(line + 2, line + 2 + size);
}

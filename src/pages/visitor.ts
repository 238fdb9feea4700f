/** What a visitor sees when connectd itself answers: a page for people, problem+json for programs. */
import { type Code, CODES, type Refusal, type Rendered } from "../core/errors.ts";
import { field, type RequestHead } from "../core/http1/types.ts";
import { toBytes } from "../core/latin1.ts";
import { wantsHtml } from "./accept.ts";

/** The reason phrases of the statuses in CODES (RFC 9110 §15, RFC 6585, RFC 5842). */
const REASONS: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  410: "Gone",
  413: "Content Too Large",
  414: "URI Too Long",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  508: "Loop Detected",
};

/** What the visitor can do about it. */
const ADVICE: Record<Code, string> = {
  link_unknown: "Check the address, or ask whoever gave it to you.",
  link_expired: "Ask its owner to renew it.",
  link_revoked: "Ask its owner for a new one.",
  link_removed: "Ask its owner for a new one.",
  auth_required: "Send the credential that its owner gave you.",
  ip_denied: "Ask its owner to admit the address you call from.",
  path_denied: "Ask its owner which paths are open.",
  upgrade_denied: "Ask its owner to admit WebSocket connections.",
  method_denied: "Use one of the methods in the Allow field.",
  path_ambiguous: "Write the path without dot segments, doubled slashes or doubly encoded characters.",
  bad_request: "Send it again as valid HTTP/1.1.",
  request_timeout: "Send it again on a faster connection.",
  body_too_large: "Send less, or ask its owner to raise the limit.",
  uri_too_long: "Send what is long in the body instead.",
  head_too_large: "Send fewer or smaller header fields; clearing this site's cookies often helps.",
  rate_limited: "Wait for the time in the Retry-After field, then try again.",
  target_refused: "Try again in a while, or tell its owner.",
  target_bad_response: "Tell its owner, with the request id below.",
  target_closed: "Try again in a while, or tell its owner.",
  daemon_offline: "Try again in a while: it may only be restarting.",
  link_unavailable: "Try again in a while, or tell its owner.",
  link_busy: "Try again in a moment.",
  hub_busy: "Try again in a moment.",
  hub_draining: "Try again in a moment.",
  target_timeout: "Try again in a while, or tell its owner.",
  loop_detected: "Tell its owner, with the request id below.",
};

/** Pages that look again by themselves, after so many seconds: what they wait for comes back without anybody's doing. */
const REFRESH: Partial<Record<Code, number>> = { hub_draining: 5, daemon_offline: 15 };

/** A retry sooner than this would find the same answer. */
const RETRY_AFTER_S = 5;

const ID_SLOT = "\u0001";

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:12vh auto;max-width:34rem;padding:0 20px;color:light-dark(#1c2024,#e6e8eb);background:light-dark(#fcfcfd,#15181b)}
h1{font-size:20px;margin:0 0 8px}p{margin:0 0 16px}
footer{font:12px/1.5 ui-monospace,monospace;color:light-dark(#5c636b,#9aa2ab);overflow-wrap:anywhere}`;

/** One page and one problem document a code, each with a slot for the request id, made when the process starts. */
const TEMPLATES = new Map((Object.keys(CODES) as Code[]).map((code) => {
  const [status, sentence] = CODES[code];
  const refresh = REFRESH[code];
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">` +
    (refresh === undefined ? "" : `<meta http-equiv="refresh" content="${refresh}">`) +
    `<title>${status} ${
      REASONS[status]
    }</title><style>${STYLE}</style></head><body><main><h1>${sentence}</h1>` +
    `<p>${
      ADVICE[code]
    }</p></main><footer>${status} ${code} &middot; request ${ID_SLOT}</footer></body></html>\n`;
  const problem = JSON.stringify({
    type: "about:blank",
    title: REASONS[status],
    status,
    code,
    detail: `${sentence} ${ADVICE[code]}`,
    requestId: "ID",
  }).replace(`"ID"`, `"${ID_SLOT}"`) + "\n";
  return [code, { page: page.split(ID_SLOT), problem: problem.split(ID_SLOT) }];
}));

/**
 * The answer for `refusal` to a request with `head` (null where none was read), under `requestId`
 * (`[A-Za-z0-9-]`): the page where the visitor asks for one, else problem+json (RFC 9457).
 */
export function renderRefusal(refusal: Refusal, head: RequestHead | null, requestId: string): Rendered {
  const html = head !== null && wantsHtml(field(head, "accept"));
  const [before, after] = TEMPLATES.get(refusal.code)![html ? "page" : "problem"];
  const body = toBytes(before + requestId + after);
  let text = `HTTP/1.1 ${refusal.status} ${REASONS[refusal.status]}\r\n` +
    `Content-Type: ${html ? "text/html; charset=utf-8" : "application/problem+json"}\r\n` +
    `Content-Length: ${body.length}\r\nCache-Control: no-store\r\nX-Request-Id: ${requestId}\r\n`;
  if (html) {
    text += "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n" +
      "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n";
  }
  let retry = refusal.status !== 503;
  for (const [name, value] of refusal.fields) {
    text += `${name}: ${value}\r\n`;
    if (name === "Retry-After") retry = true;
  }
  if (!retry) text += `Retry-After: ${RETRY_AFTER_S}\r\n`;
  return { head: text + "\r\n", body };
}

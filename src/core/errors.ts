/** What a visitor can be told: the codes of connectd's answers, and the values and errors that carry them. */

/** A header field as it stood on the wire: name and value, in their own case, Latin-1. */
export type Field = readonly [name: string, value: string];

/** Every answer connectd itself gives to a visitor: status, and a sentence that says nothing about the inside. */
export const CODES = {
  link_unknown: [404, "There is no link at this address."],
  link_expired: [410, "This link has expired."],
  link_revoked: [410, "This link was revoked by its owner."],
  link_removed: [410, "This link was removed by its owner."],
  auth_required: [401, "This link asks for a credential."],
  ip_denied: [403, "This link does not admit your address."],
  path_denied: [403, "This link does not admit this path."],
  upgrade_denied: [403, "This link does not admit this upgrade."],
  method_denied: [405, "This link does not admit this method."],
  path_ambiguous: [400, "The path can be read in more than one way."],
  bad_request: [400, "The request is malformed."],
  request_timeout: [408, "The request did not arrive in time."],
  body_too_large: [413, "The body is larger than this link admits."],
  uri_too_long: [414, "The request target is too long."],
  head_too_large: [431, "The request head is too large."],
  rate_limited: [429, "Too many requests on this link."],
  target_refused: [502, "The service behind this link can not be reached."],
  target_bad_response: [502, "The service behind this link gave an answer that is not valid HTTP."],
  target_closed: [502, "The service behind this link closed the connection before it answered."],
  daemon_offline: [503, "The service behind this link is offline."],
  link_unavailable: [503, "This link is not available right now."],
  link_busy: [503, "This link is serving as many requests as it admits."],
  hub_busy: [503, "This server is serving as many requests as it admits."],
  hub_draining: [503, "This server is about to restart."],
  target_timeout: [504, "The service behind this link did not answer in time."],
  loop_detected: [508, "This link leads back to itself."],
} as const satisfies Record<string, readonly [status: number, title: string]>;

/** The stable name of an answer (product: "What a visitor gets"). */
export type Code = keyof typeof CODES;

/** Whether `text`, which others wrote, is one. */
export function isCode(text: string): text is Code {
  return Object.hasOwn(CODES, text);
}

/** A request that is not let through: a value, rendered and sent elsewhere. */
export interface Refusal {
  readonly code: Code;
  readonly status: number;
  /** Fields the status calls for: Allow, WWW-Authenticate, Retry-After, RateLimit, … */
  readonly fields: readonly Field[];
}

/** The refusal for `code`, with the fields that belong to it. */
export function refusal(code: Code, fields: readonly Field[] = []): Refusal {
  return { code, status: CODES[code][0], fields };
}

/** A message that breaks the rules of its protocol; whoever reads the connection answers `code` and closes. */
export class Malformed extends Error {
  override readonly name = "Malformed";
  constructor(readonly code: Code, message: string) {
    super(message);
  }
}

/** What went wrong, for a person: one sentence, and what to do about it. `permanent` ends a retry loop. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly hint: string | null;
  readonly permanent: boolean;
  constructor(message: string, options: { hint?: string; permanent?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint ?? null;
    this.permanent = options.permanent ?? false;
  }
}

/** A whole answer of connectd's own: status line and fields (without framing of the connection), and the body. */
export interface Rendered {
  /** Latin-1, from `HTTP/1.1 ` to the empty line; Content-Length included, Connection and Date not. */
  readonly head: string;
  readonly body: Uint8Array;
}

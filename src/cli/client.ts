/** Talks to a running daemon or hub: over its unix socket, or over TCP with a token. */
import { Failure } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { type Call, converse } from "../net/converse.ts";
import { dialOrigin } from "../net/dial.ts";
import { whileWaiting } from "./terminal.ts";
import { callUnix } from "./unix_call.ts";

const STRANGER = "is this the address of a daemon or a hub?";
const OTHER_TOKEN = "name a file with a valid one: --token-file FILE";

/** An answer of an API that is not 2xx, or of what is no such API, as one sentence. */
export class Refused extends Failure {
  constructor(readonly status: number, readonly problem: Problem, hint?: string) {
    const { plain = "" } = problem, atHub = isTokenRefused(status, problem);
    const known = problem.errors ?? problem.detail ?? problem.title;
    const message = known === undefined
      ? `the answer was ${status}${plain && `: ${plain}`}`
      : atHub
      ? "the token is wrong, expired or revoked"
      : sentence(problem);
    const token = atHub ? `${OTHER_TOKEN}; \`connectd login URL\` gets one` : OTHER_TOKEN;
    const advice = hint ?? (known === undefined ? STRANGER : status === 401 ? token : undefined);
    super(message, { permanent: true, ...(advice === undefined ? {} : { hint: advice }) });
  }
}

/** Nobody answered, so nothing is known of what was asked. */
export class Unanswered extends Failure {}

/** Nobody was there, so nothing was asked of anybody. */
export class Unreached extends Unanswered {}

/** What connecting to a place fails with. */
const NO_WAY = [Deno.errors.NotFound, Deno.errors.ConnectionRefused, Deno.errors.PermissionDenied];

/** A problem document (RFC 9457), as far as it is read here. */
export interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { pointer: string; detail: string }[];
  /** Of a reload that was refused. */
  readonly problems?: readonly unknown[];
  /** The one line that was there instead of such a document. */
  readonly plain?: string;
}

/** A hub's word for it is about a header, which whoever types a verb does not write. */
function isTokenRefused(status: number, { code, detail = "" }: Problem): boolean {
  return status === 401 && code === "unauthorized" && detail.startsWith("This needs a valid token");
}

/** A problem document as one sentence; what it says of members goes before what it says of the whole. */
export function sentence({ errors, detail, title }: Problem): string {
  const pointed = errors?.map(({ pointer, detail }) => `${pointer.replace(/^\//, "")}: ${detail}`);
  return pointed?.join("; ") || inLine(detail) || title || "the request was refused";
}

/** A sentence of its own as the part behind `connectd: `. */
function inLine(detail: string | undefined): string | undefined {
  return detail?.replace(/^[A-Z](?=[a-z]* )/, (letter) => letter.toLowerCase()).replace(/\.$/, "");
}

/** Where a role is reached: at its socket, or at its origin, with a token where one is needed and the certificates to trust. */
export type Address =
  | {
    readonly socket: string;
    readonly origin?: undefined;
    readonly token?: undefined;
    readonly caFile?: undefined;
  }
  | {
    readonly origin: string;
    readonly token?: string;
    readonly caFile?: string | null;
    readonly socket?: undefined;
  };

/** A daemon that stands still must not hold a person up for ever; a reload may take some 10 s. */
const PATIENCE_MS = 60_000;

/** Calls one API. */
export class ApiClient {
  /** `waitedFor`: what a terminal is told of a call that takes long; null: nothing. */
  constructor(readonly address: Address, private readonly waitedFor: string | null = null) {}

  /** Sends one request, and waits `patienceMs` for its answer. Throws Refused on one that is not 2xx, or no JSON, Unanswered. */
  async call<T>(method: string, path: string, body?: unknown, patienceMs = PATIENCE_MS): Promise<T> {
    const { token, socket, origin, caFile = null } = this.address;
    const headers = {
      "User-Agent": `connectd/${VERSION}`,
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    };
    const call = { method, path, headers, body: body === undefined ? null : JSON.stringify(body) };
    const signal = AbortSignal.timeout(patienceMs);
    let answer: { readonly status: number; readonly text: string };
    try {
      const asked = socket === undefined
        ? callTcp(origin, caFile, call, signal)
        : callUnix(socket, call, signal);
      // Each call for itself: what is printed between two of them is on a line of its own.
      answer = await (this.waitedFor === null ? asked : whileWaiting(`waiting for ${this.waitedFor}`, asked));
    } catch (cause) {
      const distrust = distrustIn(cause as Error);
      const Kind = NO_WAY.some((kind) => cause instanceof kind) ? Unreached : Unanswered;
      if (distrust === null) throw new Kind(`nobody answers at ${socket ?? origin}`, { cause });
      throw new Failure(`the certificate of ${origin} is not trusted: ${distrust}`, {
        hint: "name those of your own authority with --ca-file, or with ca_file of the hub in links.yaml",
        permanent: true,
        cause,
      });
    }
    const value = parse(answer.text);
    const object = typeof value === "object" ? value : null;
    if (answer.status >= 200 && answer.status < 300 && object !== null) return object as T;
    throw new Refused(answer.status, object ?? plainOf(answer.text));
  }

  /** Every item of a list, page after page. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: T[]; nextCursor: string | null } = await this.call(
        "GET",
        `${path}?limit=1000${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return items;
  }
}

/** Not by `fetch`: that would hand a token for this machine to whatever HTTP_PROXY names, and knows no `ca_file`. */
async function callTcp(origin: string, caFile: string | null, call: Call, signal: AbortSignal) {
  return await converse(await dialOrigin(origin, caFile, signal), new URL(origin).host, call, signal);
}

/** What is wrong with a certificate, as the runtime or node:tls says it; null: it was something else. */
function distrustIn({ message }: Error): string | null {
  if (!/certificate/i.test(message)) return null;
  return message.replace(/^the certificate is not trusted: /, "");
}

/** What stands in no page and is short enough to be shown. */
function plainOf(text: string): Problem {
  const line = text.trim();
  return /^[^<{\n][^\n]{0,199}$/.test(line) ? { plain: line } : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

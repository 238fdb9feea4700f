/** Where the dashboard is, and who is signed in there. */
import { readCookie, Secrets, SESSION_MS } from "../../api/secrets.ts";
import { ApiProblem } from "../../api/problem.ts";
import type { Clock } from "../../clock.ts";
import { isLoopback } from "../../core/address.ts";
import type { ApiContext } from "../api_operation.ts";
import type { Hosts } from "../hosts.ts";
import type { Identity, Tokens } from "../tokens.ts";

/** The name of the dashboard on a machine of its own: a cookie on plain `localhost` would go to every server there. */
export const PAGE_NAME = "hub.localhost";

/** Browsers that are signed in with one token; of more the oldest has to sign in again. */
const MOST = 64;

/** Where a browser asks from. */
export type Where =
  /** At the dashboard: `origin` as a browser writes it. */
  | { readonly kind: "here"; readonly origin: string; readonly port: number }
  /** By another name of this machine: the same page is at `url`. */
  | { readonly kind: "elsewhere"; readonly url: string }
  /** In the open: whoever is on the way could read the token, and the session with it. */
  | { readonly kind: "plain" };

/** Where `context` asks from; that the host is the hub's own was seen before. */
export function whereIs(context: ApiContext, hosts: Hosts): Where {
  const url = new URL(context.req.url);
  const { protocol, hostname } = url;
  const port = Number(url.port === "" ? (protocol === "https:" ? 443 : 80) : url.port);
  if (protocol === "http:") {
    if (!isLocal(hostname)) return { kind: "plain" };
    if (hostname !== PAGE_NAME && hosts.find(PAGE_NAME).kind === "own") {
      return { kind: "elsewhere", url: `http://${PAGE_NAME}:${port}${url.pathname}${url.search}` };
    }
  }
  return { kind: "here", origin: url.origin, port };
}

function isLocal(hostname: string): boolean {
  return /(^|\.)localhost$/.test(hostname) || isLoopback(hostname.replace(/^\[|\]$/g, ""));
}

/** Throws ApiProblem unless a form comes from the page at `origin` itself: a browser sends the cookie whoever makes it ask. */
export function checkForm(context: ApiContext, origin: string): void {
  const site = context.req.header("Sec-Fetch-Site");
  if (context.req.header("Origin") === origin && (site === undefined || site === "same-origin")) return;
  throw new ApiProblem(
    403,
    "foreign_origin",
    "Only forms of this page are taken: go back, and send it there.",
  );
}

/** Who is signed in, in memory only: a hub that starts anew asks everybody for the token again. */
export class Signed {
  readonly #sessions: Secrets<Identity>;

  constructor(clock: Clock, private readonly tokens: Tokens) {
    this.#sessions = new Secrets(clock, SESSION_MS, MOST, ({ token }) => token);
  }

  /** The secret of a new session. */
  open(identity: Identity): string {
    return this.#sessions.make(identity);
  }

  close(secret: string): void {
    this.#sessions.take(secret);
  }

  /** Who asks; null: nobody is signed in, their token ended, or it was another site that made the browser ask. */
  find(context: ApiContext, port: number): Identity | null {
    const secret = readCookie(context.req.header("Cookie"), port);
    // A link's page is the same site to a browser, and can make it send the cookie.
    const own = ["same-origin", "none", undefined].includes(context.req.header("Sec-Fetch-Site"));
    return secret === null || !own ? null : this.#of(secret);
  }

  /** Whether who asked now would still be let in later. */
  stays(context: ApiContext, port: number): () => boolean {
    const secret = readCookie(context.req.header("Cookie"), port);
    return () => secret !== null && this.#of(secret) !== null;
  }

  #of(secret: string): Identity | null {
    const identity = this.#sessions.find(secret);
    return identity !== undefined && this.tokens.isLive(identity) ? identity : null;
  }
}

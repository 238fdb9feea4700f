/** Where the dashboard is, and who is signed in there. */
import { readCookie } from "../../api/secrets.ts";
import { ApiProblem } from "../../api/problem.ts";
import { isLoopback, withoutBrackets } from "../../core/address.ts";
import type { ApiContext } from "../api_operation.ts";
import type { Browsers } from "../browsers.ts";
import type { Hosts } from "../hosts.ts";
import type { Identity } from "../tokens.ts";

/** The name of the dashboard on a machine of its own: a cookie on plain `localhost` would go to every server there. */
export const PAGE_NAME = "hub.localhost";

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
  return /(^|\.)localhost$/.test(hostname) || isLoopback(withoutBrackets(hostname));
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

/** Who is signed in at the browser that asks. */
export class Signed {
  constructor(private readonly browsers: Browsers) {}

  /** Who asks; null: nobody is signed in, their token ended, or it was another site that made the browser ask. */
  find(context: ApiContext, port: number): Identity | null {
    const secret = readCookie(context.req.header("Cookie"), port);
    // A link's page is the same site to a browser, and can make it send the cookie.
    const own = ["same-origin", "none", undefined].includes(context.req.header("Sec-Fetch-Site"));
    return secret === null || !own ? null : this.browsers.find(secret);
  }

  /** Whether who asked now would still be let in later. */
  stays(context: ApiContext, port: number): () => boolean {
    const secret = readCookie(context.req.header("Cookie"), port);
    return () => secret !== null && this.browsers.find(secret) !== null;
  }
}

/** Requests to hosts outside the hub's domain: those of links that have a domain of their own. */
import type { Exchange } from "../net/exchange.ts";
import type { Domains } from "./domains.ts";
import type { Route } from "./route.ts";

/** Serves a request to `host`, which is none of the hub's. False: it is nobody's domain, and nothing was answered. */
export function serveDomain(
  exchange: Exchange,
  host: string,
  path: string,
  domains: Domains,
  route: Route,
): boolean {
  const token = domains.answer(host, path);
  if (token !== null) {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n`;
    exchange.answer({
      head: `${head}Content-Length: ${token.length}\r\n\r\n`,
      body: new TextEncoder().encode(token),
    });
    return true;
  }
  const link = domains.find(host);
  if (link === undefined) return false;
  route.serve(exchange, link.id);
  return true;
}

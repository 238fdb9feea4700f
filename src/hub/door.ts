/** Who comes in, and whom it is for: a link, a daemon's tunnel, a member's stream, the API. */
import { refusal } from "../core/errors.ts";
import type { RequestHead } from "../core/http1/types.ts";
import type { Log } from "../log.ts";
import { fetchAdapter } from "../net/adapter.ts";
import type { Exchange } from "../net/exchange.ts";
import { createApi } from "./api.ts";
import { ASK_PATH } from "./api_tls.ts";
import { REACH_PATH, serveReach } from "./reach.ts";
import type { Route } from "./route.ts";
import { serveDomain } from "./serve_domain.ts";
import type { HubState } from "./state.ts";
import { serveTunnel, TUNNEL_PATH } from "./tunnel.ts";

const UNKNOWN = refusal("link_unknown");

/** Answered on any host that is no link: those who ask may know the hub by its address alone. */
const ANY_HOST: ReadonlySet<string> = new Set(["/healthz", "/readyz", ASK_PATH]);

export class Door {
  readonly #state: HubState;
  readonly #route: Route;
  readonly #api: ReturnType<typeof createApi>;

  constructor(state: HubState, route: Route, log: Log) {
    this.#state = state;
    this.#route = route;
    this.#api = createApi(state, log);
  }

  /** Whether it is for daemons, or for whoever looks after the hub: what its visitors depend on. */
  isUrgent({ host }: RequestHead): boolean {
    const place = this.#state.hosts().find(host);
    return place.kind === "own" ||
      (place.kind === "none" && this.#state.domains.find(place.host) === undefined);
  }

  /** Serves whoever comes from outside. */
  serve(exchange: Exchange): void {
    const { host, target } = exchange.head, state = this.#state;
    const place = state.hosts().find(host);
    if (place.kind === "link") return this.#route.serve(exchange, place.label);
    const query = target.indexOf("?");
    const path = query < 0 ? target : target.slice(0, query);
    if (place.kind === "none") {
      if (serveDomain(exchange, place.host, path, state.domains, this.#route)) return;
      if (!ANY_HOST.has(path)) return exchange.refuse(UNKNOWN);
    }
    if (path === TUNNEL_PATH) return serveTunnel(exchange, state);
    if (path === REACH_PATH) return serveReach(exchange, state);
    this.callApi(exchange, false);
  }

  /** `local`: it came by the hub's own socket. */
  callApi(exchange: Exchange, local: boolean): void {
    const { requestId, address } = exchange;
    fetchAdapter(exchange, (request) => this.#api.fetch(request, { local, requestId, address }));
  }
}

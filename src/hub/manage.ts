/** Changes of links that are asked for at the hub: their daemon makes them, or says why not. */
import { ApiProblem } from "../api/problem.ts";
import { isName, NO_NAME } from "../core/names.ts";
import type { HubAudit } from "./audit.ts";
import { type Asks, AskUnanswered } from "./asks.ts";
import type { HubLink } from "./link.ts";
import type { Peers } from "./peers.ts";
import type { Draw } from "./random.ts";
import { invalid, type Services } from "./services.ts";

/** Who asks. */
export interface Asker {
  /** Null: of all, as whoever sits at the hub. */
  readonly workspace: string | null;
  /** As the audit trail names them: `token:ci`. */
  readonly actor: string;
  /** Aborted when they have left. */
  readonly signal: AbortSignal;
}

/** Members of a JSON body. */
export type Body = Readonly<Record<string, unknown>>;

/** Keys of a link that a hub may give it. The rest, files above all, is for whoever sits at the daemon. */
export const MANAGED_KEYS = [
  ...["ttl", "until", "maxUses", "methods", "paths", "rate", "allowIps", "maxBody", "maxStreams"],
  ...["upgrade", "timeout", "subdomain"],
] as const;

const LIST_MAX = 1000;

const BY_DAEMON =
  "Its daemon takes no changes from the hub: `remote: manage`, and `remote: true` of the service.";

export class Manage {
  /** By id: what was asked of a link last. One change at a time, each on what the one before left. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(
    private readonly peers: Peers,
    private readonly services: Services,
    private readonly asks: Asks,
    private readonly audit: HubAudit,
  ) {}

  /**
   * Makes a link `{service, daemon?, name?, …}`. Resolves when it has its address. What its daemon has done by `draw` it
   * does not do again. Throws ApiProblem.
   */
  async create(
    { service, daemon = null, name = service, ...keys }: Body,
    by: Asker,
    draw?: Draw,
  ): Promise<HubLink> {
    if (typeof service !== "string") throw invalid("/service", "is needed: the name of a service");
    if (daemon !== null && typeof daemon !== "string") throw invalid("/daemon", "is no text");
    checkKeys(keys, MANAGED_KEYS);
    const found = this.services.find(by.workspace, service, daemon, "/service", "/daemon");
    if (found.access === "private") throw invalid("/service", "is private, and a link would make it public");
    if (found.kind === "tcp") throw invalid("/service", "is no HTTP service");
    if (typeof name !== "string" || !isName(name)) throw invalid("/name", NO_NAME);
    const peer = this.peers.of(found.workspace, found.daemon);
    if (peer.online && !found.remote) throw new ApiProblem(403, "not_managed", BY_DAEMON);
    const body = { service, ...keys };
    await this.asks.ask(peer, { op: "create", name, by: by.actor, body }, draw);
    const link = peer.links.get(name);
    if (link === undefined || !link.record.declared) {
      throw new AskUnanswered(
        503,
        "daemon_timeout",
        "The daemon has made the link, and not yet declared it.",
      );
    }
    this.audit.asked("link.created", link, by.actor, { service });
    return link;
  }

  /** Changes keys of `link`; null takes one away. `check` is called when it is its turn, and throws where that is too late. */
  async edit(link: HubLink, keys: Body, by: Asker, check: () => void = () => {}): Promise<void> {
    checkKeys(keys, MANAGED_KEYS.filter((key) => key !== "subdomain"));
    if (Object.keys(keys).length === 0) throw invalid("", "says nothing to change");
    await this.#inTurn(link, by, async () => {
      check();
      await this.#ask(link, "edit", keys, by);
    });
    this.audit.asked("link.edited", link, by.actor, { keys: Object.keys(keys) });
  }

  /** Begins the life of `link` anew, `{ttl?, newId?}`; `check` as of `edit`. Resolves with it, or with the one that has its name now. */
  async renew(link: HubLink, wish: Body, by: Asker, check: () => void = () => {}): Promise<HubLink> {
    checkKeys(wish, ["ttl", "newId"]);
    await this.#inTurn(link, by, async () => {
      check();
      await this.#ask(link, "renew", wish, by);
    });
    const renewed = link.peer.links.get(link.record.name) ?? link;
    this.audit.asked("link.renewed", renewed, by.actor, {});
    return renewed;
  }

  async #ask({ peer, record: { name, service } }: HubLink, op: "edit" | "renew", body: Body, by: Asker) {
    const remote = peer.services.some((one) => one.name === service && one.remote);
    if (peer.online && !remote) throw new ApiProblem(403, "not_managed", BY_DAEMON);
    await this.asks.ask(peer, { op, name, by: by.actor, body });
  }

  /** Whoever has left meanwhile believes it undone, and may have revoked the link since: a renewal would revive it. */
  async #inTurn({ id }: HubLink, { signal }: Asker, act: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const done = before.catch(() => {}).then(() => {
      if (signal.aborted) {
        throw new ApiProblem(503, "daemon_busy", "Whoever asked has left before it was done.");
      }
      return act();
    });
    this.#turns.set(id, done);
    try {
      await done;
    } finally {
      if (this.#turns.get(id) === done) this.#turns.delete(id);
    }
  }
}

/** What goes on to a daemon is flat, and nothing it has no word for; the daemon reads it as strictly as its file. */
function checkKeys(body: Body, known: readonly string[]): void {
  const errors = Object.entries(body).flatMap(([key, value]) => {
    const pointer = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (!known.includes(key)) return [{ pointer, detail: "is not known, or not for a hub to say" }];
    return isFlat(value) ? [] : [{ pointer, detail: "is no text, number, or list of these" }];
  });
  if (errors.length > 0) {
    throw new ApiProblem(422, "invalid", "The body can not be taken.", [], errors.slice(0, 100));
  }
}

function isFlat(value: unknown): boolean {
  if (!Array.isArray(value)) return typeof value !== "object" || value === null;
  return value.length <= LIST_MAX && value.every((item) => typeof item !== "object");
}

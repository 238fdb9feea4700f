/** Which link a public id leads to, at every hub: ids of links that serve, and of those that ended. */
import { type Refusal, refusal } from "../core/errors.ts";
import type { LinkRecord } from "../core/link.ts";
import { Recent } from "../core/recent.ts";
import type { Links, ServedLink } from "./served.ts";

/** Ids that ended and are remembered, of one hub: one that gives a link an id after the other would fill the memory. */
const MOST_ENDED = 100_000;

const GONE = {
  link_expired: refusal("link_expired"),
  link_removed: refusal("link_removed"),
  link_revoked: refusal("link_revoked"),
} as const;

/** The ids that one hub gave. */
class Ids {
  readonly serving = new Map<string, ServedLink>();
  readonly ended = new Recent<{ answer: Refusal }>(MOST_ENDED);
}

export class Registry implements Links {
  readonly #hubs = new Map<string, Ids>();

  byId(hub: string, id: string): ServedLink | Refusal | null {
    const ids = this.#hubs.get(hub);
    return ids?.serving.get(id) ?? ids?.ended.peek(id)?.answer ?? null;
  }

  /** The ids of `record` lead to `served` from now on, those that it gave up to what they answer. */
  lead(record: LinkRecord, served: ServedLink): void {
    this.#retire(record, served);
    for (const [hub, id] of Object.entries(record.ids)) this.#at(hub).serving.set(id, served);
  }

  /** The link is gone; all of its ids answer so. `served`: what they led to; null: nothing in this process. */
  end(record: LinkRecord, served: ServedLink | null): void {
    this.#retire(record, served);
    const gone = GONE[record.revokedAt === null ? "link_removed" : "link_revoked"];
    for (const [hub, id] of Object.entries(record.ids)) this.#close(hub, id, gone, served);
  }

  #retire({ past }: LinkRecord, served: ServedLink | null): void {
    for (const { hub, id, code } of past) this.#close(hub, id, GONE[code], served);
  }

  /** A subdomain may be another link's by now, which goes on whatever becomes of who had it before. */
  #close(hub: string, id: string, answer: Refusal, by: ServedLink | null): void {
    const { serving, ended } = this.#at(hub);
    const holder = serving.get(id);
    if (holder !== undefined && holder !== by) return;
    serving.delete(id);
    const known = ended.peek(id);
    if (known === undefined) ended.add(id, { answer });
    else known.answer = answer;
  }

  #at(hub: string): Ids {
    let ids = this.#hubs.get(hub);
    if (ids === undefined) this.#hubs.set(hub, ids = new Ids());
    return ids;
  }
}

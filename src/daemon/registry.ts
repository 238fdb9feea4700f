/** Which link a public id leads to, at every hub: ids of links that serve, and of those that ended. */
import { type Refusal, refusal } from "../core/errors.ts";
import type { LinkRecord } from "../core/link.ts";
import { isServed, type Links, type ServedLink } from "./served.ts";

export class Registry implements Links {
  readonly #hubs = new Map<string, Map<string, ServedLink | Refusal>>();

  byId(hub: string, id: string): ServedLink | Refusal | null {
    return this.#hubs.get(hub)?.get(id) ?? null;
  }

  /** The ids of `record` lead to `served` from now on, those that it gave up to what they answer. */
  lead(record: LinkRecord, served: ServedLink): void {
    this.#retire(record, served);
    for (const [hub, id] of Object.entries(record.ids)) this.#at(hub).set(id, served);
  }

  /** The link is gone; all of its ids answer so. `served`: what they led to; null: nothing in this process. */
  end(record: LinkRecord, served: ServedLink | null): void {
    this.#retire(record, served);
    const gone = refusal(record.revokedAt === null ? "link_removed" : "link_revoked");
    for (const [hub, id] of Object.entries(record.ids)) this.#close(hub, id, gone, served);
  }

  #retire({ past }: LinkRecord, served: ServedLink | null): void {
    for (const { hub, id, code } of past) this.#close(hub, id, refusal(code), served);
  }

  /** A subdomain may be another link's by now, which goes on whatever becomes of who had it before. */
  #close(hub: string, id: string, answer: Refusal, by: ServedLink | null): void {
    const ids = this.#at(hub), holder = ids.get(id);
    if (holder === undefined || !isServed(holder) || holder === by) ids.set(id, answer);
  }

  #at(hub: string): Map<string, ServedLink | Refusal> {
    let ids = this.#hubs.get(hub);
    if (ids === undefined) this.#hubs.set(hub, ids = new Map());
    return ids;
  }
}

/** Which link a public id leads to, at every hub: ids of links that serve, and of those that ended. */
import { type Refusal, refusal } from "../core/errors.ts";
import type { LinkRecord } from "../core/link.ts";
import type { Links, ServedLink } from "./served.ts";

export class Registry implements Links {
  readonly #hubs = new Map<string, Map<string, ServedLink | Refusal>>();

  byId(hub: string, id: string): ServedLink | Refusal | null {
    return this.#hubs.get(hub)?.get(id) ?? null;
  }

  /** The ids of `record` lead to `served` from now on, those that it gave up to what they answer. */
  lead(record: LinkRecord, served: ServedLink): void {
    this.#retire(record);
    for (const [hub, id] of Object.entries(record.ids)) this.#at(hub).set(id, served);
  }

  /** The link is gone; all of its ids answer so. */
  end(record: LinkRecord): void {
    this.#retire(record);
    const gone = refusal(record.revokedAt === null ? "link_removed" : "link_revoked");
    for (const [hub, id] of Object.entries(record.ids)) this.#at(hub).set(id, gone);
  }

  #retire({ past }: LinkRecord): void {
    for (const { hub, id, code } of past) this.#at(hub).set(id, refusal(code));
  }

  #at(hub: string): Map<string, ServedLink | Refusal> {
    let ids = this.#hubs.get(hub);
    if (ids === undefined) this.#hubs.set(hub, ids = new Map());
    return ids;
  }
}

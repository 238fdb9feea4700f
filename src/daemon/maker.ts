/** Makes and changes links that no file names, for the control API and for hubs alike. */
import type { Clock } from "../clock.ts";
import { type Entry, entryChanges } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import type { Step } from "../core/plan.ts";
import type { DaemonAudit } from "./audit.ts";
import type { Life } from "./life.ts";
import type { ManagedLink } from "./managed.ts";
import { keepOneOff, stepsFor } from "./one_offs.ts";
import type { Base } from "./base.ts";
import type { SharedParts } from "./parts.ts";
import type { Records } from "./records.ts";

export interface MakerMeans {
  readonly clock: Clock;
  readonly audit: DaemonAudit;
  readonly life: Life;
  readonly parts: SharedParts;
  readonly records: Records;
  /** What an entry is read against, as it is just now. */
  base(): Base;
  /** Nothing is begun any more. */
  ending(): boolean;
  /** One change of what runs at a time. */
  inTurn<T>(act: () => Promise<T>): Promise<T>;
  carryOut(steps: readonly Step[], desired: ReadonlyMap<string, Entry>): void;
}

/** Reads an entry against what the file says at this moment. Throws ApiProblem. */
export type ReadEntry = (base: Base, now: number) => Entry;

export class Maker {
  constructor(private readonly means: MakerMeans) {}

  /**
   * Makes the link that `read` gives, for `by`; durable when it resolves. The one that was made by the same `ask` it makes
   * no more, over a restart too. Throws ApiProblem, Failure.
   */
  make(read: ReadEntry, by: string, ask: string | null = null): Promise<ManagedLink> {
    const { life, parts, records, audit } = this.means;
    return this.#inTurn(async (base, now) => {
      const made = ask === null ? null : life.all.get(await records.madeBy(ask) ?? "");
      if (made) return made;
      const entry = read(base, now);
      let kept: Promise<void> | null = null;
      await parts.whenRead([entry], () => {
        const steps = stepsFor(entry, life.all, now);
        audit.by(by, () => this.means.carryOut(steps, new Map([[entry.name, entry]])));
        // In the turn in which its record is written, and so in one commit with it.
        kept = keepOneOff(life.all.get(entry.name)!, records.putOneOff(entry, ask), life);
      });
      await kept;
      return life.all.get(entry.name)!;
    });
  }

  /** Has `link` go on as the entry that `read` gives, for `by`; durable when it resolves. Throws ApiProblem; Failure: it is as before. */
  edit(link: ManagedLink, read: ReadEntry, by: string): Promise<void> {
    const { life, parts, records, audit } = this.means;
    return this.#inTurn(async (base, now) => {
      const entry = read(base, now), before = link.served.entry, { name } = link;
      const changes = entryChanges(before, entry);
      if (life.all.get(name) !== link || changes.length === 0) return;
      const retune = (to: Entry) => {
        const steps: Step[] = [{ step: "retune", name, changes, cuts: { streams: life.cuts(name, to) } }];
        this.means.carryOut(steps, new Map([[name, to]]));
      };
      let kept: Promise<void> = Promise.resolve();
      await parts.whenRead([entry], () => {
        audit.by(by, () => retune(entry));
        kept = records.putOneOff(entry);
      });
      try {
        await kept;
        await life.stored(link);
      } catch (error) {
        retune(before);
        records.putOneOff(before).catch(() => {});
        throw error;
      }
    });
  }

  /** Takes back a link that was just made. */
  unmake(link: ManagedLink): Promise<void> {
    const { life, carryOut, inTurn } = this.means, { name } = link;
    return inTurn(() => {
      if (life.all.get(name) === link) {
        carryOut([{ step: "close", name, changes: [], cuts: { streams: 0 } }], new Map());
      }
      return Promise.resolve();
    });
  }

  #inTurn<T>(act: (base: Base, now: number) => Promise<T>): Promise<T> {
    return this.means.inTurn(() => {
      if (this.means.ending()) throw new Failure("the daemon is about to end");
      return act(this.means.base(), this.means.clock.now());
    });
  }
}

/** The trail of an sqlite store as its users see it: entries that wait for a commit, and questions to the table. */
import type { Clock, Timer } from "../clock.ts";
import type { AuditEntry, AuditQuery, AuditRow } from "../core/audit.ts";
import { Failure } from "../core/errors.ts";
import type { Outcome, TrailOperation } from "./sqlite_worker.ts";
import type { Trail, TrailEnds } from "./store.ts";

/** What could not be stored is tried again so often, and with every other write. */
const RETRY_MS = 10_000;

/** While nothing can be stored so many entries wait; of those that come after them only the number is kept. */
const WAITING = 2000;

/** Says how many records were lost while nothing could be stored. */
const LOST = "audit.lost";

export class SqliteTrail implements Trail {
  onTrouble: ((error: Error) => void) | null = null;
  #waiting: AuditEntry[] = [];
  #lost = 0;
  /** The last try failed. */
  #resting = false;
  #closed = false;
  readonly #retry: Timer;

  /** `ask` has one thing done; `wake` has the next batch begun. */
  constructor(
    private readonly ask: (operation: TrailOperation) => Promise<Outcome>,
    private readonly wake: () => void,
    private readonly clock: Clock,
  ) {
    this.#retry = clock.timer(() => this.retry());
  }

  append(entry: AuditEntry): void {
    if (this.#closed) return;
    if (this.#resting && this.#waiting.length >= WAITING) return void this.#lost++;
    this.#waiting.push(entry);
    if (!this.#resting) this.wake();
  }

  async list(query: AuditQuery): Promise<AuditRow[]> {
    return rowsOf(await this.ask({ kind: "records", query }));
  }

  async walk(from: number | null, limit: number): Promise<AuditRow[]> {
    return rowsOf(await this.ask({ kind: "walk", from, limit }));
  }

  async ends(): Promise<TrailEnds> {
    const outcome = checked(await this.ask({ kind: "ends" }));
    return outcome.kind === "ends" ? outcome : { last: null, pruned: null, issued: 0 };
  }

  async prune(before: string, most: number): Promise<void> {
    checked(await this.ask({ kind: "prune", before, most, at: this.#now() }));
  }

  /** Tries again what could not be stored. */
  retry(): void {
    this.#resting = false;
    if (this.due) this.wake();
  }

  // For the store, which takes what waits into every batch.

  /** There is something to be stored. */
  get due(): boolean {
    return !this.#resting && this.#waiting.length > 0;
  }

  take(): AuditEntry[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  /** The batch is done; `failed`, the first of them first, were not stored. */
  settle(failed: readonly AuditEntry[], why: Error | null): void {
    if (why === null) {
      this.#resting = false;
      if (this.#lost === 0) return;
      const data = JSON.stringify({ n: this.#lost });
      this.#lost = 0;
      return this.append({ at: this.#now(), type: LOST, workspace: "", actor: "", subject: "", data });
    }
    const all = [...failed, ...this.#waiting];
    this.#waiting = all.slice(0, WAITING);
    this.#lost += all.length - this.#waiting.length;
    if (!this.#resting) this.onTrouble?.(why);
    this.#resting = true;
    this.#retry.set(RETRY_MS);
  }

  close(): void {
    this.#closed = true;
    this.#retry.drop();
  }

  #now(): string {
    return new Date(this.clock.now()).toISOString();
  }
}

function rowsOf(outcome: Outcome): AuditRow[] {
  const found = checked(outcome);
  return found.kind === "records" ? [...found.rows] : [];
}

function checked(outcome: Outcome): Outcome {
  if (outcome.kind !== "failed") return outcome;
  throw new Failure(`the audit trail can not be used: ${outcome.why}`, {
    hint: "somebody changed its table: keep a copy of the file, it may tell what happened",
  });
}

/** What a role writes into its trail: the one way in, for hub and daemon. */
import type { Clock, Timer } from "../clock.ts";
import type { AuditEntry } from "../core/audit.ts";
import { Buckets } from "../core/limit.ts";
import type { Rate } from "../core/units.ts";
import { type Log, oneLine } from "../log.ts";
import type { Trail } from "./store.ts";

/** Something that happened. */
export interface Happening {
  readonly type: string;
  /** Absent: nobody's in particular. */
  readonly workspace?: string;
  readonly actor: string;
  readonly subject: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** How long records are kept, and how many of them: some 400 octets each. */
export const KEEP_MS = 365 * 24 * 3_600_000;
const KEEP_MOST = 250_000;

const MINUTE_MS = 60_000;
const PRUNE_MS = 3_600_000;

/** What others than the owner can make happen: so much of a workspace is told one by one, of the rest only the number. */
const PACE: readonly Rate[] = [{ count: 600, perMs: 60_000, burst: 10_000, perIp: true }];

/** What repeats is counted by the minute; of so many subjects each, the others together. */
const SUBJECTS = 100;

const TEXT_MAX = 300;
const ITEMS_MAX = 50;
const DATA_MAX = 8 * 1024;

/** `what` as an entry at `now`. No name can break a line, a terminal or the size of a record. */
export function auditEntry(what: Happening, now: number): AuditEntry {
  const { type, workspace = "", actor, subject, data = {} } = what;
  return {
    at: new Date(now).toISOString(),
    type,
    workspace,
    actor: line(actor),
    subject: line(subject),
    data: bounded(data),
  };
}

function line(text: string): string {
  return oneLine(text.slice(0, TEXT_MAX).toWellFormed());
}

function bounded(data: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(data, (_, value) => {
    if (typeof value === "string" && value.length > TEXT_MAX) return `${value.slice(0, TEXT_MAX)}…`;
    if (Array.isArray(value) && value.length > ITEMS_MAX) return [...value.slice(0, ITEMS_MAX), "…"];
    return value;
  });
  if (text.length <= DATA_MAX) return text;
  const plain = Object.entries(data).filter(([, value]) => typeof value !== "object").slice(0, ITEMS_MAX / 5);
  return bounded({ ...Object.fromEntries(plain), left: "the rest was too large" });
}

interface Count {
  readonly what: Happening;
  readonly code: string;
  n: number;
}

export interface AuditOptions {
  readonly trail: Trail;
  readonly clock: Clock;
  readonly log: Log;
  /** How long records are kept. */
  readonly keepMs: number;
  /** Called every minute, before what was counted is written: whoever counts for himself tells it now. */
  readonly gather: (audit: Audit) => void;
}

export class Audit {
  readonly #o: AuditOptions;
  readonly #pace = new Buckets();
  readonly #counts = new Map<string, Count>();
  /** Type and workspace → subjects that are counted this minute. */
  readonly #subjects = new Map<string, number>();
  readonly #minute: Timer;
  #prunedAt: number;
  #keepMs: number;

  constructor(options: AuditOptions) {
    this.#o = options;
    const { trail, clock, log } = options;
    trail.onTrouble = ({ message }) => {
      log.error("the audit trail could not be written: its records wait until it can", { error: message });
    };
    this.#keepMs = options.keepMs;
    this.#prunedAt = clock.mono() - PRUNE_MS;
    this.#minute = clock.timer(() => this.#passed());
    this.#minute.set(MINUTE_MS);
  }

  /** Records are kept so long from now on; what is too old then goes within a minute. */
  keep(ms: number): void {
    if (ms === this.#keepMs) return;
    this.#keepMs = ms;
    this.#prunedAt = this.#o.clock.mono() - PRUNE_MS;
  }

  /** What the owner did, or had done. */
  record(what: Happening): void {
    this.#o.trail.append(this.entry(what));
  }

  /** What others can make happen as often as they like. */
  paced(what: Happening): void {
    const { workspace = "", type } = what;
    if (this.#pace.take(PACE, workspace, this.#o.clock.mono(), true) === null) return this.record(what);
    this.count({ type: "audit.summed", workspace, actor: "", subject: "" }, type, 1);
  }

  /** What repeats: one record a minute for `what` and `code`, with how often it was. */
  count(what: Happening, code: string, n: number): void {
    const { type, workspace = "", subject } = what;
    const group = `${type} ${workspace}`;
    const key = `${group} ${code} ${subject}`;
    if (!this.#counts.has(key)) {
      const subjects = (this.#subjects.get(group) ?? 0) + 1;
      if (subjects > SUBJECTS) return this.#countOthers(what, code, n);
      this.#subjects.set(group, subjects);
    }
    this.#add(key, what, code, n);
  }

  /** For a put that carries it. */
  entry(what: Happening): AuditEntry {
    return auditEntry(what, this.#o.clock.now());
  }

  /** Writes what was counted so far. */
  flush(): void {
    this.#o.gather(this);
    const counts = [...this.#counts.values()];
    this.#counts.clear();
    this.#subjects.clear();
    for (const { what, code, n } of counts) this.record({ ...what, data: { ...what.data, code, n } });
  }

  /** Before its store is closed. */
  close(): void {
    this.#minute.drop();
    this.flush();
  }

  #countOthers(what: Happening, code: string, n: number): void {
    const { type, workspace = "" } = what;
    this.#add(`${type} ${workspace} ${code}`, { ...what, subject: "", data: { others: true } }, code, n);
  }

  #add(key: string, what: Happening, code: string, n: number): void {
    const count = this.#counts.get(key);
    if (count === undefined) this.#counts.set(key, { what, code, n });
    else count.n += n;
  }

  #passed(): void {
    this.#minute.set(MINUTE_MS);
    this.flush();
    const { trail, clock, log } = this.#o;
    if (clock.mono() - this.#prunedAt < PRUNE_MS) return;
    this.#prunedAt = clock.mono();
    // Of a time longer than there have been clocks nothing is too old.
    trail.prune(new Date(Math.max(0, clock.now() - this.#keepMs)).toISOString(), KEEP_MOST).catch(
      ({ message }: Error) => {
        log.warn("old records of the audit trail could not be dropped", { error: message });
      },
    );
  }
}

/** How much counters have grown since they were looked at last. */
export class Growth {
  readonly #seen = new WeakMap<object, Readonly<Record<string, number>>>();

  /** By code; what did not grow is not told. */
  of(counters: Readonly<Partial<Record<string, number>>>): [code: string, n: number][] {
    const before = this.#seen.get(counters);
    const grown = Object.entries(counters).flatMap(([code, n = 0]): [string, number][] =>
      n > (before?.[code] ?? 0) ? [[code, n - (before?.[code] ?? 0)]] : []
    );
    if (grown.length > 0) this.#seen.set(counters, { ...counters } as Record<string, number>);
    return grown;
  }
}

/** Visitors with requests of all kinds, safe and unsafe, and how long each was kept waiting once something broke. */
import { Random } from "../../../tests/pure/random.ts";
import { Broken, Cut } from "../../../tests/e2e/talk.ts";
import { pause, type Report } from "../campaign.ts";
import { Visitor } from "../traffic/visitor.ts";
import { type Kind, KINDS, PATIENT } from "./kinds.ts";
import type { Notes } from "./notes.ts";

/** Something is broken, from `at` until `over` is called. */
export interface Fault {
  readonly name: string;
  readonly at: number;
  /** Nobody may wait longer, in ms. */
  readonly limit: number;
  /** Whether what was under way is cut, so that even those are through who wait for what never comes. */
  readonly cuts: boolean;
  /** Whether an answer that has begun may stand still as long as it lasts, as an event stream does. */
  readonly still: boolean;
}

interface Asked {
  readonly kind: Kind;
  readonly begun: number;
  readonly visitor: Visitor;
  /** An answer has begun. */
  heard: boolean;
}

/** Whether `fault` keeps that visitor no longer than its limit. */
function held({ kind, begun, heard }: Asked, fault: Fault): boolean {
  return !(kind.patient && !(fault.cuts && begun < fault.at)) && !(fault.still && heard);
}

export class Crowd {
  answered = 0;
  /** Refused or cut during a fault. */
  interrupted = 0;
  /** Refused or cut while nothing was broken. */
  failed = 0;
  /** The longest that any answer took, in ms. */
  slowest = 0;
  /** By fault: the longest that anybody waited. */
  readonly longest = new Map<string, number>();
  readonly #asked = new Set<Asked>();
  readonly #lanes: Promise<void>[];
  #fault: Fault | null = null;
  #over = false;

  constructor(
    private readonly port: () => number,
    private readonly notes: Notes,
    private readonly report: Report,
    seed: number,
    lanes: number,
    /** Whether there are some who wait for what never comes. */
    patient = true,
  ) {
    this.#lanes = Array.from({ length: lanes }, (_, n) => {
      const kinds = patient && n % 4 === 3 ? PATIENT : KINDS;
      return this.#lane(new Random(1_000 * seed + n), kinds);
    });
  }

  /** From here on visitors may be refused or cut. */
  strike(fault: Omit<Fault, "at">): Fault {
    return this.#fault = { ...fault, at: performance.now() };
  }

  /** It is mended. Resolves when all who asked before this moment are through, or reports who is not in time. */
  async over(fault: Fault): Promise<void> {
    const before = [...this.#asked];
    const waiting = () => before.filter((asked) => this.#asked.has(asked) && held(asked, fault));
    const waited = ({ begun }: Asked) => performance.now() - Math.max(begun, fault.at);
    while (waiting().some((asked) => waited(asked) < fault.limit)) await pause(20);
    for (const asked of waiting()) {
      const seconds = (waited(asked) / 1000).toFixed(1);
      this.report.breaks(`${fault.name}: ${asked.kind.name} still waits after ${seconds} s`);
      asked.visitor.talk.close();
    }
    // Those who were not to be cut leave, so that none is old when the next fault comes.
    const left = before.filter((asked) => this.#asked.has(asked) && asked.kind.patient);
    for (const { visitor } of left) visitor.talk.close();
    while (left.some((asked) => this.#asked.has(asked))) await pause(20);
    this.#fault = null;
  }

  /** No more visitors; resolves when all are gone. */
  async leave(): Promise<void> {
    this.#over = true;
    while ([...this.#asked].some(({ kind }) => !kind.patient)) await pause(20);
    for (const { visitor } of this.#asked) visitor.talk.close();
    await Promise.all(this.#lanes);
    this.notes.read();
  }

  async #lane(random: Random, kinds: readonly Kind[]): Promise<void> {
    while (!this.#over) {
      const fault = this.#fault;
      let visitor: Visitor;
      try {
        visitor = await Visitor.of(this.port(), "steady", this.notes, random);
      } catch (error) {
        if (fault === null && this.#fault === null) this.report.breaks(`nobody listens: ${error}`);
        await pause(20);
        continue;
      }
      using _ = visitor;
      for (let left = 1 + random.below(4); left > 0 && !this.#over; left--) {
        if (!await this.#ask(visitor, random.of(kinds))) break;
      }
      await pause(random.below(40));
    }
  }

  /** One request to its end; false: its connection is of no further use. */
  async #ask(visitor: Visitor, kind: Kind): Promise<boolean> {
    const { name, patient, spends, run } = kind, before = this.#fault;
    const asked: Asked = { kind, begun: performance.now(), visitor, heard: false };
    this.#asked.add(asked);
    try {
      await run(visitor, () => asked.heard = true);
      this.answered++;
      this.slowest = Math.max(this.slowest, performance.now() - asked.begun);
      return !spends;
    } catch (error) {
      const fault = this.#fault ?? before;
      if (error instanceof Broken) this.report.breaks(`${fault?.name ?? "calm"}: ${name}: ${error.message}`);
      else if (fault !== null) this.interrupted++;
      // Who waits for nothing is refused in time, or goes.
      else if (!this.#over && !(patient && !(error instanceof Cut))) {
        this.failed++;
        this.report.breaks(`nothing was broken, and ${name} failed: ${error}`);
      }
      return false;
    } finally {
      this.#asked.delete(asked);
      if (this.#fault !== null) this.#measure(asked, this.#fault);
    }
  }

  #measure(asked: Asked, fault: Fault): void {
    if (!held(asked, fault)) return;
    const waited = performance.now() - Math.max(asked.begun, fault.at);
    this.longest.set(fault.name, Math.max(waited, this.longest.get(fault.name) ?? 0));
    if (waited <= fault.limit) return;
    this.report.breaks(`${fault.name}: ${asked.kind.name} waited ${(waited / 1000).toFixed(1)} s`);
  }
}

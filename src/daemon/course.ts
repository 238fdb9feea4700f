/** What a daemon goes by, from its start over every reload: the file that is applied, and what becomes of a new one. */
import { dirname } from "node:path";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/links.ts";
import { type Loaded, readConfigText } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import type { Entry } from "../core/entry.ts";
import { plan, printStep, type Step } from "../core/plan.ts";
import { printSetting } from "../core/settings.ts";
import type { Log } from "../log.ts";
import { Applied } from "./applied.ts";
import type { Events } from "./events.ts";
import { dropOneOffs } from "./one_offs.ts";
import type { Base } from "./base.ts";
import { type Outside, type Settings, Unbound } from "./outside.ts";
import {
  type Proposal,
  propose,
  readFile,
  type ReloadAnswer,
  settingProblem,
  withOneOffs,
} from "./reload.ts";
import type { Witnesses } from "./witnesses/witnesses.ts";
import type { Works } from "./works.ts";

/** A file that was asked for by a person or a program need only be at rest between two writes. */
const EXPLICIT_STILL_MS = 25;

export interface CourseMeans {
  /** Absolute path of links.yaml; null: there is none. */
  readonly file: string | null;
  /** Until a file is applied. */
  readonly base: Base;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Events;
  readonly witnesses: Witnesses;
  works(): Works;
  outside(): Outside;
}

/** The daemon calls one thing at a time here, `foresee` aside. */
export class Course {
  readonly applied: Applied;
  readonly #m: CourseMeans;
  #base: Base;

  constructor(means: CourseMeans) {
    this.#m = means;
    this.#base = means.base;
    this.applied = new Applied(means.file, means.clock, means.log);
  }

  /** Of the file that is applied. */
  get base(): Base {
    return this.#base;
  }

  /** Applies what the start found. Throws Failure where something can not be bound. */
  async begin(loaded: Loaded<Config> | null): Promise<void> {
    const works = this.#m.works(), { records, life, audit } = works, config = loaded?.config ?? null;
    await this.#m.outside().bind(this.#settings(config));
    await this.#m.outside().open(works.dir.socket);
    await dropOneOffs(records, config?.links ?? new Map(), this.#m.clock);
    const desired = withOneOffs(config ?? { ...this.#base, links: new Map() }, records.oneOffs);
    const steps = plan(desired, new Map());
    await this.#take({ config, desired, steps, settings: [], problems: loaded?.problems ?? [] }, "process");
    life.bury();
    audit.started(this.#m.file, life.all.size);
  }

  /** What a reload of `file` would do; `text`: if that stood in it. */
  async foresee(file: string, allowEmpty: boolean, text: string | null = null): Promise<Proposal> {
    const { clock } = this.#m;
    const loaded = text === null
      ? await readFile(file, clock, EXPLICIT_STILL_MS)
      : readConfigText(text, file, clock.now());
    const { life, records: { oneOffs } } = this.#m.works();
    return propose(loaded, file, { life, oneOffs, applied: this.applied }, allowEmpty);
  }

  /** Reads `file` again, for `by`, and goes by it; a bad one changes nothing. */
  async again(file: string, allowEmpty: boolean, by: string): Promise<ReloadAnswer> {
    const proposal = await this.foresee(file, allowEmpty);
    const { config, steps, settings, problems } = proposal;
    if (config === null) return this.#refuse(problems, by);
    try {
      await this.#m.outside().bind(this.#settings(config));
    } catch (error) {
      if (!(error instanceof Unbound)) throw error;
      return this.#refuse([...problems, settingProblem(config, error.key, error)], by);
    }
    await this.#take(proposal, by);
    return { plan: steps, settings, applied: true, problems };
  }

  /** Does what a plan says. Nothing here waits. */
  carryOut(steps: readonly Step[], desired: ReadonlyMap<string, Entry>): void {
    const { line, life } = this.#m.works();
    if (steps.length === 0) return line.servicesChanged();
    for (const step of steps) this.#m.log.info(printStep(step));
    life.apply(steps, desired);
    line.servicesChanged();
    this.applied.changed();
    this.#m.events.emit("reload", this.applied.json());
  }

  #refuse(problems: readonly Problem[], by: string): ReloadAnswer {
    this.applied.refuse(problems);
    this.#m.works().audit.refused(this.#m.file, problems, by);
    return { plan: [], settings: [], applied: false, problems };
  }

  #take(proposal: Proposal, by: string): Promise<void> {
    const { parts, audit } = this.#m.works();
    return parts.whenRead(proposal.desired.values(), () => {
      audit.applied(this.applied.config, proposal, by);
      this.#apply(proposal);
    });
  }

  /** Nothing here waits. */
  #apply({ config, desired, steps, settings, problems }: Proposal): void {
    if (config !== null) {
      this.applied.take(config, problems);
      this.#base = { ...config, dir: dirname(config.file) };
      this.#m.witnesses.access.keep(config.keepAccessMs);
    }
    for (const change of settings) this.#m.log.info(`changed ${printSetting(change)}`);
    this.carryOut(steps, desired);
    this.#m.works().life.refresh(desired);
    this.#m.outside().dial(this.#settings(config));
  }

  /** `config` null: of a daemon without a file. */
  #settings(config: Config | null): Settings {
    const { hubs, connections } = config ?? this.#base, { listen = null, control = null } = config ?? {};
    return { hubs, listen, control, connections };
  }
}

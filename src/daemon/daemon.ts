/** The daemon: state directory, links, hubs, control API, put together and taken apart. */
import { randomBytes } from "node:crypto";
import { dirname, resolve } from "node:path";
import { ApiProblem } from "../api/problem.ts";
import { type Clock, systemClock } from "../clock.ts";
import { type Watch, watchFile } from "../config/watch.ts";
import type { Family } from "../core/metrics.ts";
import type { LinkState } from "../core/link.ts";
import { VERSION } from "../core/version.ts";
import { Sessions } from "./control/sessions.ts";
import type { ControlState } from "./control/state.ts";
import type { Applied } from "./applied.ts";
import { Asks } from "./asks.ts";
import type { DaemonAudit } from "./audit.ts";
import { Course } from "./course.ts";
import { Events } from "./events.ts";
import type { Exposed } from "./exposed.ts";
import { type ExplainJson, explainRequest, type ExplainWish } from "./explain.ts";
import type { ManagedLink } from "./managed.ts";
import { NO_BASE } from "./base.ts";
import type { Daemon, DaemonOptions } from "./options.ts";
import { Outside } from "./outside.ts";
import { Maker } from "./maker.ts";
import { keepOneOff, readOneOff } from "./one_offs.ts";
import { BadFile, readFile, type ReloadAnswer } from "./reload.ts";
import { checkRenewal, type Renewal } from "./renewal.ts";
import {
  countStates,
  type HubJson,
  hubJson,
  type LinkJson,
  linkJson,
  shadowedOf,
  type StatusJson,
} from "./status.ts";
import { Witnesses } from "./witnesses/witnesses.ts";
import { Works } from "./works.ts";

export type { Base } from "./base.ts";
export type { Daemon, DaemonOptions, EmbeddedHub } from "./options.ts";
export { BadFile } from "./reload.ts";
export type { ReloadAnswer } from "./reload.ts";

/** Whoever starts a daemon, or asks for a link, wants URLs: so long a hub may take to give them. */
const GRANT_MS = 3_000;

/**
 * Starts a daemon. Resolves when the file is applied, the control API answers and hubs that are there know the links.
 * Throws Failure; BadFile for a file that is refused.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const daemon = new RunningDaemon(options);
  try {
    await daemon.start();
    return daemon;
  } catch (error) {
    await daemon.close();
    throw error;
  }
}

class RunningDaemon implements Daemon, ControlState {
  readonly clock: Clock;
  readonly events = new Events();
  readonly witnesses: Witnesses;
  readonly sessions: Sessions;
  readonly #o: DaemonOptions;
  readonly #file: string | null;
  readonly #instance = randomBytes(12).toString("base64url");
  readonly #startedAt: number;
  #watch: Watch | null = null;
  #works!: Works;
  #maker!: Maker;
  #asks!: Asks;
  #outside!: Outside;
  readonly #course: Course;
  /** One change of what runs at a time, in the order in which they were asked for. */
  #turn: Promise<unknown> = Promise.resolve();
  /** It drains or closes: nothing is begun any more. */
  #ending = false;
  #closed: Promise<void> | null = null;

  constructor(options: DaemonOptions) {
    this.#o = options;
    this.clock = options.clock ?? systemClock;
    this.sessions = new Sessions(this.clock);
    this.witnesses = new Witnesses(this.events, this.clock, options.log);
    this.#startedAt = this.clock.now();
    this.#file = options.file === null ? null : resolve(options.file);
    this.#course = new Course({
      file: this.#file,
      base: options.base ?? { ...NO_BASE, dir: this.#file === null ? Deno.cwd() : dirname(this.#file) },
      ...{ clock: this.clock, log: options.log, events: this.events, witnesses: this.witnesses },
      works: () => this.#works,
      outside: () => this.#outside,
    });
  }

  get hub(): string | null {
    return this.#outside.embedded?.url ?? this.#course.base.hubs[0]?.url ?? null;
  }

  get audit(): DaemonAudit {
    return this.#works.audit;
  }

  get exposed(): Exposed {
    return this.#works.exposed;
  }

  get control(): string | null {
    return this.#outside.control;
  }

  get socket(): string | null {
    return this.#outside.socket;
  }

  async start(): Promise<void> {
    await this.#inTurn(async () => {
      // Watched before it is read, so that a change between the two is seen.
      if (this.#file !== null) {
        this.#watch = watchFile(this.#file, { clock: this.clock }, () => this.#reloadChanged());
      }
      const loaded = this.#file === null ? null : await readFile(this.#file, this.clock, 0);
      if (loaded !== null && loaded.config === null) {
        throw new BadFile(`${this.#file} can not be taken: nothing was started`, loaded.problems);
      }
      await this.#open();
      await this.#course.begin(loaded);
    });
    await this.#works.line.settle(GRANT_MS);
    // Whoever reads the ready line may count on what it says.
    await this.#works.records.written();
  }

  links(): LinkJson[] {
    const hubs = this.#works.line.hubs.status();
    return [...this.#works.life.all.values()].sort((a, b) => a.name < b.name ? -1 : 1)
      .map((link) => linkJson(link, hubs));
  }

  link(name: string): LinkJson | undefined {
    const link = this.#works.life.all.get(name);
    return link && this.#json(link);
  }

  hubs(): HubJson[] {
    return this.#works.line.hubs.status().map(hubJson);
  }

  get reloads(): Applied["reloads"] {
    return this.#course.applied.reloads;
  }

  metrics(): Family[] {
    return this.#outside.metrics.families();
  }

  states(): Partial<Record<LinkState, number>> {
    return countStates(this.#works.life.all.values(), this.#works.line.hubs.status());
  }

  status(): StatusJson {
    const links: Record<string, number> = {}, all = this.links();
    for (const { state } of all) links[state] = (links[state] ?? 0) + 1;
    return {
      version: VERSION,
      instance: this.#instance,
      startedAt: new Date(this.#startedAt).toISOString(),
      config: this.#course.applied.json(),
      hubs: this.hubs(),
      links,
      shadowed: shadowedOf(all),
    };
  }

  explain(wish: ExplainWish): Promise<ExplainJson> {
    const { clock } = this;
    return explainRequest(wish, {
      life: this.#works.life,
      hubs: this.#works.line.hubs,
      applied: this.#course.applied,
      clock,
    });
  }

  reload(
    { allowEmpty = this.#o.allowEmpty ?? false, by = "process" }: { allowEmpty?: boolean; by?: string } = {},
  ): Promise<ReloadAnswer> {
    return this.#inTurn(async () => {
      if (this.#file === null || this.#ending) {
        return { plan: [], settings: [], applied: !this.#ending, problems: [] };
      }
      using _told = this.#o.reloading?.();
      return await this.#course.again(this.#file, allowEmpty, by);
    });
  }

  async plan(text: string | null = null): Promise<Omit<ReloadAnswer, "applied">> {
    if (this.#file === null) return { plan: [], settings: [], problems: [] };
    const { allowEmpty = false } = this.#o;
    const { steps, settings, problems } = await this.#course.foresee(this.#file, allowEmpty, text);
    return { plan: steps, settings, problems };
  }

  async create(body: unknown, by = "process"): Promise<LinkJson> {
    const link = await this.#maker.make((base, now) => readOneOff(body, base, now), by);
    await this.#works.line.settleLink(link, GRANT_MS);
    const { life } = this.#works;
    await this.#inTurn(() => keepOneOff(link, life.stored(link), life));
    return this.#json(link);
  }

  async revoke(name: string, by = "process"): Promise<LinkJson> {
    const link = this.#named(name);
    await this.audit.by(by, () => this.#works.life.revoke(link, this.clock.now()));
    return this.#json(link);
  }

  async renew(name: string, wish: Renewal, by = "process"): Promise<LinkJson> {
    const link = this.#named(name);
    checkRenewal(link.served.entry, wish);
    await this.audit.by(by, () => this.#works.life.renew(link, wish));
    await this.#works.line.settleLink(link, GRANT_MS);
    await this.#works.life.stored(link);
    return this.#json(link);
  }

  ended(name: string): Promise<void> {
    return this.#works.life.all.get(name)?.whenEnded ?? Promise.resolve();
  }

  async drain(): Promise<void> {
    this.#ending = true;
    this.#watch?.close();
    this.#works.life.hurry();
    await this.#outside.drain(this.#course.base.drainTimeoutMs);
    await this.close();
  }

  close(): Promise<void> {
    this.#ending = true;
    // After a reload that is under way: it would open again what was closed.
    this.#closed ??= this.#inTurn(() => this.#close());
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#watch?.close();
    await this.#outside?.close();
    await this.#works?.close();
  }

  async #open(): Promise<void> {
    const { clock, events } = this, { log, state } = this.#o;
    const mayManage = () => this.#course.applied.config?.remote === "manage";
    const works = this.#works = await Works.open({
      state,
      file: this.#file,
      clock,
      log,
      instance: this.#instance,
      events,
      observer: this.witnesses.observer,
      access: this.witnesses.access,
      json: (link) => this.#json(link),
      services: () => this.#course.base.services,
      mayRevoke: () => this.#course.applied.config?.remote !== "none",
      mayManage,
      asked: (hub, ask) => this.#asks.answer(hub, ask),
    });
    const base = () => this.#course.base;
    const maker = this.#maker = new Maker({
      ...{ clock, base, audit: works.audit, life: works.life, parts: works.parts, records: works.records },
      ending: () => this.#ending,
      inTurn: (act) => this.#inTurn(act),
      carryOut: (steps, desired) => this.#course.carryOut(steps, desired),
    });
    const renew = (name: string, wish: Renewal, by: string) => this.renew(name, wish, by);
    this.#asks = new Asks({ log, base, life: works.life, line: works.line, maker, mayManage, renew });
    const { controlToken: token, metricsToken } = works.dir;
    const control = { state: this, token, metricsToken, clock, log };
    const served = (name: string) => works.life.all.get(name)?.served;
    this.#outside = new Outside(this.#o, works.line.hubs, control, served);
  }

  #reloadChanged(): void {
    this.reload({ by: "file" }).catch((error) => {
      this.#o.log.error("the changed file could not be applied", { error: (error as Error).message });
    });
  }

  #named(name: string): ManagedLink {
    const link = this.#works.life.all.get(name);
    if (link === undefined) throw new ApiProblem(404, "not_found", `There is no link ${name}.`);
    return link;
  }

  #json(link: ManagedLink): LinkJson {
    return linkJson(link, this.#works.line.hubs.status());
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {});
    return done;
  }
}

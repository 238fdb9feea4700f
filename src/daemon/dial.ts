/** One hub, dialled: so many sessions to it, each kept up for ever, until the hub says that dialling again is no use. */
import type { Clock, Timer } from "../clock.ts";
import { attemptMs, redialDelay } from "../core/backoff.ts";
import { Failure } from "../core/errors.ts";
import type { Control } from "../wire/hello.ts";
import type { Session } from "../wire/session.ts";
import { closeReason, type Wire } from "../wire/wire.ts";
import { Line } from "./line.ts";
import type { HubState } from "./hub_status.ts";
import type { Serving } from "./serve.ts";

/** The control line's part in the talk with a hub. */
export interface Talk {
  /** What a new session says first: hello, and `links` where one message can not hold them. */
  hello(hub: string, connection: number): readonly Control[];
  /** The hub said something: welcome, granted, revoke, refused. */
  heard(hub: string, message: Control): void;
  /** State or lastError of the hub changed. */
  changed(hub: string): void;
}

export interface DialOptions {
  /** The hub's key: its URL. */
  readonly hub: string;
  readonly connections: number;
  /** A new wire to it, within `limitMs`. Throws Failure; `permanent`: dialling again can't help. */
  connect(limitMs: number): Promise<Wire>;
  readonly serving: Serving;
  readonly talk: Talk;
  readonly clock: Clock;
  /** From 0, less than 1. */
  random(): number;
}

/** So long may a hub take to welcome a session. */
const WELCOME_MS = 5_000;

/** A session that ends sooner was no success: the next attempt waits its turn, or two would chase each other. */
const STEADY_MS = 5_000;

/** Whoever replaced us would be replaced by us at once. */
const REPLACED_MS = 60_000;

/** One of the connections. */
class Slot {
  /** The session that serves. */
  line: Line | null = null;
  /** The session that has said hello and is not yet welcome. */
  greeting: Line | null = null;
  dialling = false;
  /** Something changed while it was dialled: what comes of that is out of date. */
  stale = false;
  attempts = 0;
  dialledAt = 0;
  downSince = 0;
  welcomedAt = 0;
  /** Of its last session. */
  rttMs: number | null = null;
  constructor(readonly index: number, readonly timer: Timer) {}
}

export class Dialler {
  lastError: string | null = null;
  /** Sessions that were welcomed, and attempts that came to nothing. */
  readonly counted = { begun: 0, failed: 0 };
  /** ms since 1970 when `state` became what it is. */
  since: number;
  readonly #options: DialOptions;
  readonly #slots: Slot[] = [];
  /** Sessions that take no new streams and go when theirs are done. */
  readonly #leaving = new Set<Line>();
  readonly #pause: Timer;
  #state: HubState = "connecting";
  #held: "refused" | "replaced" | "closed" | null = null;

  constructor(options: DialOptions) {
    this.#options = options;
    this.since = options.clock.now();
    this.#pause = options.clock.timer(() => this.redial());
    this.resize(options.connections);
  }

  get state(): HubState {
    return this.#state;
  }

  /** Sessions that are up. */
  get connections(): number {
    return this.#slots.filter(({ line }) => line !== null).length;
  }

  /** Sessions that are up, and those that go when their streams are done. */
  sessions(): Session[] {
    return [...this.#slots.flatMap(({ line }) => line ?? []), ...this.#leaving].map(({ session }) => session);
  }

  get rttMs(): number | null {
    return this.#slots.find(({ line }) => line !== null)?.line?.session.rttMs ?? null;
  }

  /**
   * Sends a control message by the oldest session, or behind the hello of one that is not yet welcome, which did not say
   * it. False: there is none, and the next hello will say it all.
   */
  send(message: Control): boolean {
    const line = this.#slots.find(({ line }) => line !== null)?.line ??
      this.#slots.find(({ greeting }) => greeting !== null)?.greeting ?? null;
    line?.session.control(message);
    return line !== null;
  }

  /** Keeps `connections` sessions from now on. */
  resize(connections: number): void {
    for (const slot of this.#slots.splice(connections)) {
      slot.timer.drop();
      slot.stale = true;
      slot.greeting?.session.close("closed", "one session less is wanted");
      if (slot.line !== null) this.#retire(slot.line);
    }
    while (this.#slots.length < connections) {
      const slot: Slot = new Slot(this.#slots.length, this.#options.clock.timer(() => this.#due(slot)));
      slot.downSince = this.#options.clock.mono();
      this.#slots.push(slot);
      if (this.#held === null) void this.#dial(slot);
    }
  }

  /** Dials anew, since address, trust or token changed; sessions that are up go when the new ones are. */
  redial(): void {
    if (this.#held === "closed") return;
    this.#held = null;
    this.#pause.clear();
    for (const slot of this.#slots) {
      slot.attempts = 0;
      slot.greeting?.session.close("closed", "dialled anew");
      if (slot.dialling) slot.stale = true;
      else void this.#dial(slot);
    }
    this.#settle();
  }

  /** Dials no more, and tells the hub to open no streams; resolves when those that are open have ended, or after `ms`. */
  async drain(ms: number): Promise<void> {
    this.#hold("closed");
    const lines = [...this.#slots.flatMap(({ line }) => line ?? []), ...this.#leaving];
    await Promise.all(lines.map((line) => line.drain(ms)));
  }

  /** Ends every session. */
  close(): void {
    this.#hold("closed");
    this.#pause.drop();
    for (const slot of this.#slots) {
      slot.timer.drop();
      slot.greeting?.session.close("closed", "the daemon ends");
      slot.line?.session.close("closed", "the daemon ends");
    }
    for (const line of this.#leaving) line.session.close("closed", "the daemon ends");
  }

  async #dial(slot: Slot): Promise<void> {
    slot.timer.clear();
    slot.dialling = true;
    slot.stale = false;
    const now = slot.dialledAt = this.#options.clock.mono();
    let wire: Wire | null = null, failure: Failure | null = null;
    try {
      wire = await this.#options.connect(attemptMs(now - slot.downSince, slot.rttMs));
    } catch (error) {
      failure = error instanceof Failure ? error : new Failure(String(error), { cause: error });
    }
    slot.dialling = false;
    if (slot.stale || this.#held !== null) {
      wire?.close(closeReason("closed", "dialled in vain"));
      if (slot.stale && this.#held === null && this.#slots.includes(slot)) void this.#dial(slot);
    } else if (wire !== null) this.#greet(slot, wire);
    else this.#failed(slot, told(failure!), failure!.permanent);
  }

  #greet(slot: Slot, wire: Wire): void {
    const { serving, clock, talk, hub } = this.#options;
    const line = new Line(wire, serving, clock, {
      welcome: (message) => this.#welcome(slot, line, message),
      heard: (message) => talk.heard(hub, message),
      draining: () => this.#draining(slot, line),
      closed: (reason) => this.#closed(slot, line, reason),
    });
    slot.greeting = line;
    slot.timer.set(WELCOME_MS);
    for (const message of talk.hello(hub, slot.index)) line.session.control(message);
  }

  #welcome(slot: Slot, line: Line, message: Control): void {
    if (slot.greeting !== line) return;
    const before = slot.line;
    this.counted.begun++;
    slot.timer.clear();
    slot.greeting = null;
    slot.line = line;
    slot.welcomedAt = this.#options.clock.mono();
    if (before !== null) this.#retire(before);
    this.lastError = null;
    this.#settle();
    this.#options.talk.heard(this.#options.hub, message);
  }

  /** The timer of a slot: its turn to be dialled, or no welcome came. */
  #due(slot: Slot): void {
    if (slot.greeting !== null) {
      slot.greeting.session.close("welcome_timeout", "the hub did not welcome the session");
    } else if (this.#held === null && !slot.dialling) void this.#dial(slot);
  }

  /** The hub will end soon. First a session elsewhere, so that no visitor finds the links away. */
  #draining(slot: Slot, line: Line): void {
    if (slot.line === line && slot.greeting === null && !slot.dialling && this.#held === null) {
      this.#useless(slot, line);
      void this.#dial(slot);
    }
  }

  #closed(slot: Slot, line: Line, reason: { code: string; message: string; permanent: boolean }): void {
    if (this.#leaving.delete(line)) return;
    const wasUp = slot.line === line;
    if (slot.greeting === line) slot.greeting = null;
    if (wasUp) {
      slot.line = null;
      this.#useless(slot, line);
    }
    if (this.#held === "closed") return;
    const message = reason.message || reason.code;
    if (reason.code === "replaced") {
      this.lastError = message;
      this.#hold("replaced");
      this.#pause.set(REPLACED_MS);
      for (const { line } of this.#slots) line?.session.close("replaced", "another process uses this state");
    } else if (!wasUp || reason.permanent) this.#failed(slot, message, reason.permanent);
    else {
      this.lastError = message;
      this.#again(slot);
    }
    this.#settle();
  }

  /** From now on the slot is without a session, or soon will be. */
  #useless(slot: Slot, line: Line): void {
    const now = this.#options.clock.mono();
    slot.rttMs = line.session.rttMs;
    slot.downSince = now;
    if (now - slot.welcomedAt >= STEADY_MS) slot.attempts = 0;
    else slot.attempts++;
  }

  #failed(slot: Slot, message: string, permanent: boolean): void {
    this.lastError = message;
    this.counted.failed++;
    slot.attempts++;
    if (permanent) this.#hold("refused");
    else this.#again(slot);
    this.#settle();
    this.#options.talk.changed(this.#options.hub);
  }

  #again(slot: Slot): void {
    if (this.#held !== null || slot.dialling || slot.greeting !== null || !this.#slots.includes(slot)) return;
    const { clock, random } = this.#options;
    const { attempts, dialledAt, downSince } = slot;
    const delay = redialDelay(attempts, dialledAt - downSince, random()) - (clock.mono() - dialledAt);
    if (delay <= 0) void this.#dial(slot);
    else slot.timer.set(delay);
  }

  #hold(why: "refused" | "replaced" | "closed"): void {
    this.#held = why;
    for (const slot of this.#slots) slot.timer.clear();
    this.#settle();
  }

  #retire(line: Line): void {
    this.#leaving.add(line);
    void line.drain(Infinity).then(() => line.session.close("closed", "another session took over"));
  }

  #settle(): void {
    const up = this.#slots.some(({ line }) => line !== null);
    const state = up
      ? "connected"
      : this.#held === null || this.#held === "closed"
      ? "connecting"
      : this.#held;
    if (state === this.#state) return;
    this.#state = state;
    this.since = this.#options.clock.now();
    this.#options.talk.changed(this.#options.hub);
  }
}

/** What happened, and what to do where that is known: `lastError` has one text for both. */
function told({ message, hint }: Failure): string {
  return hint === null ? message : `${message}; ${hint}`;
}

/** What a hub asks of daemons for somebody who may not change it itself: the daemon owns its links. */
import { ApiProblem } from "../api/problem.ts";
import type { Clock } from "../clock.ts";
import type { Ask, AskProblem, Reply } from "../wire/hello.ts";
import type { Peer } from "./peer.ts";
import { byChance, type Draw } from "./random.ts";

/** So long a daemon may take; it waits a few seconds itself, until its link has an address. */
const DEADLINE_MS = 10_000;

/** So many of one daemon may be waited for. */
const PENDING = 100;

interface Pending {
  readonly peer: Peer;
  readonly done: PromiseWithResolvers<AskProblem | null>;
}

/** What is asked. */
export type Question = Omit<Ask, "type" | "id" | "at">;

/** A daemon takes who asks as one word of so many characters. */
const BY_MAX = 128;

/** The daemon's own word: it has not done it, and whoever asks again asks for something else. */
export class AskRefused extends ApiProblem {}

/** The daemon was asked, and nobody knows what came of it. */
export class AskUnanswered extends ApiProblem {}

export class Asks {
  readonly #pending = new Map<string, Pending>();

  constructor(private readonly clock: Clock) {}

  /**
   * Resolves when the daemon has done it, and has declared what it did; what it did by an ask of the same `draw` it does not
   * do again. Throws AskRefused, AskUnanswered, ApiProblem where it was not asked.
   */
  async ask(peer: Peer, question: Question, draw: Draw = byChance): Promise<void> {
    const problem = await this.#tell(peer, { id: draw("ask", 20), ...question });
    if (problem === null) return;
    const { status, code, detail, errors } = problem;
    const Kind = problem === TIMEOUT || problem === DRAINING ? AskUnanswered : AskRefused;
    throw new Kind(status, code, detail, [], errors);
  }

  /** The first answer of the daemon that was asked counts. */
  answered(peer: Peer, { id, problem }: Reply): void {
    const pending = this.#pending.get(id);
    if (pending?.peer === peer) pending.done.resolve(problem);
  }

  /** Whoever waits is told that the hub ends. */
  close(): void {
    for (const { done } of this.#pending.values()) done.resolve(DRAINING);
  }

  async #tell(peer: Peer, ask: Omit<Ask, "type">): Promise<AskProblem | null> {
    if (!peer.online) throw new ApiProblem(503, "daemon_offline", "The daemon is not connected just now.");
    if ([...this.#pending.values()].filter((other) => other.peer === peer).length >= PENDING) {
      throw new ApiProblem(503, "daemon_busy", "The daemon has too much to do just now.");
    }
    const done = Promise.withResolvers<AskProblem | null>();
    this.#pending.set(ask.id, { peer, done });
    const timer = this.clock.timer(() => done.resolve(TIMEOUT));
    timer.set(DEADLINE_MS);
    try {
      const by = ask.by.replaceAll(/[^\x21-\x7e]/g, "_").slice(0, BY_MAX);
      peer.tell({ type: "ask", ...ask, by, at: this.clock.now() });
      return await done.promise;
    } finally {
      timer.drop();
      this.#pending.delete(ask.id);
    }
  }
}

const TIMEOUT: AskProblem = {
  status: 503,
  code: "daemon_timeout",
  detail: "The daemon gave no answer in time: look whether it has done it before you ask again.",
  errors: [],
};

const DRAINING: AskProblem = { status: 503, code: "hub_draining", detail: "The hub ends.", errors: [] };

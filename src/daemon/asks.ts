/** What hubs ask for: done where the file allows it, once however often it is told, and answered with what came of it. */
import { ApiProblem } from "../api/problem.ts";
import { Failure } from "../core/errors.ts";
import type { Log } from "../log.ts";
import type { Ask, AskProblem } from "../wire/hello.ts";
import { readRenewal } from "./control/links.ts";
import { editAsked, readAsked, remoteService } from "./asked_links.ts";
import type { HubLine } from "./hub_line.ts";
import type { Life } from "./life.ts";
import type { Maker } from "./maker.ts";
import type { ManagedLink } from "./managed.ts";
import type { Base } from "./base.ts";
import type { Renewal } from "./renewal.ts";

export interface AskMeans {
  readonly log: Log;
  readonly life: Life;
  readonly line: HubLine;
  readonly maker: Maker;
  base(): Base;
  /** Whether the file says `remote: manage`. */
  mayManage(): boolean;
  renew(name: string, wish: Renewal, by: string): Promise<unknown>;
}

/** So many of one hub are done at a time; whoever waits longer than its deadline has been told so. */
const AT_ONCE = 100;

/** The answers to so many are known again. */
const KEPT = 1000;

/** A hub that is asked for an address gives it so soon, or says why not. */
const GRANT_MS = 5_000;

export class Asks {
  /** By hub and id. */
  readonly #answers = new Map<string, Promise<AskProblem | null>>();
  readonly #busy = new Map<string, number>();

  constructor(private readonly means: AskMeans) {}

  /** Does what `hub` asks for, or did. Null: it is done. Throws nothing. */
  answer(hub: string, ask: Ask): Promise<AskProblem | null> {
    const key = `${hub} ${ask.id}`;
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const busy = this.#busy.get(hub) ?? 0;
    if (busy >= AT_ONCE) return Promise.resolve(BUSY);
    this.#busy.set(hub, busy + 1);
    const answer = this.#answer(hub, ask).finally(() => this.#busy.set(hub, this.#busy.get(hub)! - 1));
    this.#answers.set(key, answer);
    if (this.#answers.size > KEPT) this.#answers.delete(this.#answers.keys().next().value!);
    return answer;
  }

  async #answer(hub: string, ask: Ask): Promise<AskProblem | null> {
    const { log } = this.means;
    try {
      await this.#do(hub, ask);
      return null;
    } catch (error) {
      const problem = problemOf(error as Error);
      const { op, name: link, by } = ask;
      if (problem.status === 403) {
        log.warn("a hub asked for what the file does not allow", { hub, op, link, by });
      } else if (problem.code === "internal_error") {
        log.error("what a hub asked for failed", { hub, op, error: String(error) });
      }
      return problem;
    }
  }

  async #do(hub: string, { id, op, name, by: who, at, body }: Ask): Promise<void> {
    const { life, line, maker, mayManage } = this.means;
    if (!mayManage()) {
      throw new ApiProblem(403, "not_managed", "The daemon's file does not say `remote: manage`.");
    }
    const by = `hub:${hub} ${who}`;
    if (op === "create") {
      const link = await maker.make((base, now) => readAsked(name, body, base, now), by, `${hub} ${id}`);
      await line.settleAt(hub, link, GRANT_MS);
      const grant = link.grants.get(hub);
      if (grant === undefined || "url" in grant) return await life.stored(link);
      // Whoever asked has no link, and the daemon must not keep one for them.
      await maker.unmake(link);
      const { code, message } = grant.refused;
      throw new ApiProblem(409, code, `The hub refused the link: ${message}.`);
    }
    const link = this.#managed(name);
    if (op === "edit") return await maker.edit(link, (base, now) => editAsked(link, body, base, now), by);
    await this.means.renew(name, { ...readRenewal({ ...body }), askedAt: at ?? null }, by);
  }

  /** A link that a hub may change. Throws ApiProblem. */
  #managed(name: string): ManagedLink {
    const link = this.means.life.all.get(name);
    if (link === undefined) throw new ApiProblem(404, "not_found", `The daemon has no link ${name}.`);
    remoteService(link.served.entry.service, this.means.base());
    return link;
  }
}

function problemOf(error: Error): AskProblem {
  if (error instanceof ApiProblem && isTold(error.status)) {
    const { status, code, message: detail, errors } = error;
    return { status, code, detail, errors };
  }
  if (error instanceof Failure) return { ...BUSY, code: "unavailable", detail: error.message };
  return { ...BUSY, code: "internal_error", detail: "The daemon failed: its log says why." };
}

function isTold(status: number): status is AskProblem["status"] {
  return [403, 404, 409, 422, 503].includes(status);
}

const BUSY: AskProblem = {
  status: 503,
  code: "daemon_busy",
  detail: "The daemon has too much to do just now.",
  errors: [],
};

/** Links that no file names: made while the daemon runs, kept over a restart, forgotten a while after their end. */
import { ApiProblem } from "../api/problem.ts";
import type { Clock } from "../clock.ts";
import { readEntry } from "../config/oneoff.ts";
import type { Entry } from "../core/entry.ts";
import type { LinkRecord } from "../core/link.ts";
import type { Step } from "../core/plan.ts";
import type { Life } from "./life.ts";
import type { ManagedLink } from "./managed.ts";
import type { Base } from "./base.ts";
import { ONE_OFFS, type Records } from "./records.ts";

/** Those that ended so long ago are forgotten: until then `renew` brings them back. */
const ENDED_KEPT_MS = 7 * 24 * 3_600_000;

/** Reads the JSON of a one-off. Throws ApiProblem that points at what is wrong. */
export function readOneOff(body: unknown, base: Base, now: number): Entry {
  const home = Deno.env.get("HOME");
  const { entry, errors } = readEntry(body, {
    now,
    source: "oneoff",
    config: base,
    dir: base.dir,
    ...(home ? { home } : {}),
  });
  if (entry === null) throw new ApiProblem(422, "invalid", "The link can not be made.", [], errors);
  return entry;
}

/**
 * The steps that make `entry` a link; those that ended long ago go at this occasion. Throws ApiProblem where its name is
 * a link's that has not ended, or the file's.
 */
export function stepsFor({ name }: Entry, running: ReadonlyMap<string, ManagedLink>, now: number): Step[] {
  const make = (step: "open" | "close", name: string): Step => ({
    step,
    name,
    changes: [],
    cuts: { streams: 0 },
  });
  const before = running.get(name);
  if (before !== undefined && (before.scope !== ONE_OFFS || before.ended === null)) {
    throw new ApiProblem(409, "name_taken", `There is a link ${name} already: choose another name.`);
  }
  const gone = [...running.values()].filter((link) =>
    link.scope === ONE_OFFS && (link === before || isOver(link.record, now))
  );
  return [...gone.map((link) => make("close", link.name)), make("open", name)];
}

/** It ended so long ago that nobody will renew it. */
function isOver({ revokedAt, expiredAt }: LinkRecord, now: number): boolean {
  return (revokedAt ?? expiredAt ?? Infinity) < now - ENDED_KEPT_MS;
}

/** Resolves when what is `stored` of `link` is durable; closes it again where that can't be. Throws Failure. */
export async function keepOneOff(link: ManagedLink, stored: Promise<void>, life: Life): Promise<void> {
  const { name } = link;
  try {
    await stored;
  } catch (error) {
    if (life.all.get(name) === link) {
      life.apply([{ step: "close", name, changes: [], cuts: { streams: 0 } }], new Map());
    }
    throw error;
  }
}

/** Forgets one-offs that ended long ago, and those whose names the file has now. */
export async function dropOneOffs(
  records: Records,
  links: ReadonlyMap<string, Entry>,
  clock: Clock,
): Promise<void> {
  for (const name of [...records.oneOffs.keys()]) {
    const record = records.get(ONE_OFFS, name);
    if (links.has(name) || (record !== undefined && isOver(record, clock.now()))) {
      await records.forgetOneOff(name);
    }
  }
}

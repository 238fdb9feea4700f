/** From the file to what is wanted: read, checked, and held against what runs. Decides; `daemon.ts` applies. */
import { loadConfig, type Loaded } from "../config/load.ts";
import type { Config } from "../config/links.ts";
import { type Problem, problemAt } from "../config/problem.ts";
import type { Clock } from "../clock.ts";
import type { Entry } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { plan, type Step } from "../core/plan.ts";
import type { SettingChange } from "../core/settings.ts";
import { followServices } from "./asked_links.ts";
import type { Applied } from "./applied.ts";
import type { Life } from "./life.ts";
import { ONE_OFFS } from "./records.ts";
import { changedSettings } from "./settings.ts";

/** The file that a daemon was to start from is missing or refused (exit 2). */
export class BadFile extends Failure {
  constructor(message: string, readonly problems: readonly Problem[], cause?: unknown) {
    super(message, { permanent: true, ...(cause === undefined ? {} : { cause }) });
  }
}

/** What a reload did, as `POST /v1/reload` prints it. */
export interface ReloadAnswer {
  readonly plan: readonly Step[];
  /** What else is another way than before. */
  readonly settings: readonly SettingChange[];
  readonly applied: boolean;
  readonly problems: readonly Problem[];
}

/** What a reload would do. */
export interface Proposal {
  readonly config: Config | null;
  readonly desired: ReadonlyMap<string, Entry>;
  readonly steps: readonly Step[];
  readonly settings: readonly SettingChange[];
  /** With an error among them nothing may be done. */
  readonly problems: readonly Problem[];
}

/** Reads the file; one that can not be read is a problem like any other. */
export async function readFile(path: string, clock: Clock, stillMs: number): Promise<Loaded<Config>> {
  try {
    return await loadConfig(path, clock.now(), stillMs);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { config: null, problems: [wholeFile(path, error.message, error.hint)] };
  }
}

/** What a file is held against. */
export interface Present {
  readonly life: Life;
  readonly oneOffs: ReadonlyMap<string, Entry>;
  readonly applied: Applied;
}

/** Holds what was read against what runs. */
export function propose(
  { config, problems }: Loaded<Config>,
  path: string,
  { life, oneOffs, applied }: Present,
  allowEmpty: boolean,
): Proposal {
  const running = life.running();
  const none = { config: null, desired: running, steps: [], settings: [] };
  if (config === null) return { ...none, problems };
  const fileLinks = [...life.all.values()].filter(({ scope }) => scope !== ONE_OFFS).length;
  if (config.links.size + config.services.size === 0 && fileLinks > 0 && !allowEmpty) {
    const message = `no link and no service stands in the file, and ${fileLinks} of its links run`;
    const hint = "save it whole, or reload with --allow-empty";
    return { ...none, problems: [...problems, wholeFile(path, message, hint)] };
  }
  const desired = withOneOffs(config, oneOffs);
  const steps = plan(desired, running, (name, entry) => life.cuts(name, entry));
  const touched = new Set(steps.map(({ name }) => name));
  const revoked = [...config.links.values()].filter(({ name }) => life.isRevoked(name))
    .map((entry) => ({ name: entry.name, warning: stillRevoked(config, entry) }))
    // What was said of a text stays said while it is read again: a watch follows most reloads.
    .filter(({ name, warning }) => touched.has(name) || isAmong(applied, config, warning));
  const settings = applied.config === null ? [] : changedSettings(applied.config, config);
  const warnings = revoked.map(({ warning }) => warning);
  return { config, desired, steps, settings, problems: [...problems, ...warnings] };
}

function isAmong({ config, problems }: Applied, { hash }: Config, warning: Problem): boolean {
  return config?.hash === hash &&
    problems.some((known) => JSON.stringify(known) === JSON.stringify(warning));
}

/** The file's links and those that no file names, as its services have them; where both want a name the file has it. */
export function withOneOffs(
  { links, services }: Pick<Config, "links" | "services">,
  oneOffs: ReadonlyMap<string, Entry>,
): Map<string, Entry> {
  return new Map([...followServices(oneOffs, services), ...links]);
}

/** A setting of the file that could not be carried out. */
export function settingProblem(config: Config, key: "listen" | "control" | "hub", why: Failure): Problem {
  const lines = config.text.split(/\r?\n/);
  const at = lines.findIndex((line) => line.startsWith(`${key}:`));
  const source = lines[at] ?? "";
  const column = at < 0 ? 1 : source.slice(key.length + 1).search(/\S|$/) + key.length + 2;
  return problemAt(config.file, { line: Math.max(1, at + 1), column }, source, {
    code: "bad_address",
    message: why.message,
    ...(why.hint === null ? {} : { hint: why.hint }),
  });
}

function stillRevoked({ file, text }: Config, { name, line, column }: Entry): Problem {
  return problemAt(file, { line, column }, text.split(/\r?\n/)[line - 1] ?? "", {
    severity: "warning",
    code: "revoked",
    message: `the link ${name} was revoked, and no edit brings it back`,
    hint: `connectd renew ${name}`,
  });
}

function wholeFile(path: string, message: string, hint: string | null): Problem {
  return problemAt(path, { line: 1, column: 1 }, "", {
    code: "missing",
    message,
    ...(hint === null ? {} : { hint }),
  });
}

/** hub.yaml of a hub that runs: read anew when somebody asks or the file has changed, and taken whole or not at all. */
import type { Clock } from "../clock.ts";
import type { HubConfig } from "../config/hub.ts";
import { type Loaded, loadHubConfig } from "../config/load.ts";
import { type Problem, problemAt, refused } from "../config/problem.ts";
import { type Watch, watchFile } from "../config/watch.ts";
import { Failure } from "../core/errors.ts";
import { printSetting, type SettingChange } from "../core/settings.ts";
import type { Log } from "../log.ts";
import { type HubSettings, Unchangeable } from "./settings.ts";

export interface HubFileOptions {
  /** As the hub was started with it, and what was said of it then. */
  readonly config: HubConfig;
  readonly problems: readonly Problem[];
  /** What a file means to this hub: flags go before it. */
  readonly settings: (config: HubConfig) => HubSettings;
  /** Called when the file is read anew; what it returns is disposed of when that is over. */
  readonly reloading?: () => Disposable;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a reload did, as `POST /v1/reload` prints it. */
export interface ReloadAnswer {
  readonly changes: readonly SettingChange[];
  readonly applied: boolean;
  readonly problems: readonly Problem[];
}

/** The file as the hub's status shows it. */
export interface HubFileJson {
  readonly file: string;
  /** RFC 3339 UTC. */
  readonly appliedAt: string;
  /** SHA-256 of what is applied, hex. */
  readonly hash: string;
  /** Of the last reading. */
  readonly problems: readonly Problem[];
}

/** Makes the hub be as `settings` say, or throws Unchangeable and has changed nothing. */
export type Change = (settings: HubSettings) => Promise<readonly SettingChange[]>;

/** Who asks for a reload looks at the file now: an editor may be in the middle of it. */
const STILL_MS = 25;

export class HubFile {
  readonly #o: HubFileOptions;
  #change: Change | null = null;
  #watch: Watch | null = null;
  #applied: HubConfig;
  #appliedAt: number;
  #problems: readonly Problem[];
  /** One reload at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: HubFileOptions) {
    this.#o = options;
    this.#applied = options.config;
    this.#problems = options.problems;
    this.#appliedAt = options.clock.now();
  }

  /** Follows the file from now on, and makes its changes by `change`. */
  async follow(change: Change): Promise<void> {
    const { file, hash } = this.#applied;
    this.#change = change;
    this.#watch = watchFile(file, { clock: this.#o.clock }, () => void this.#reloadChanged());
    // It may have changed since the hub was started with it.
    if ((await read(file, 0)).config?.hash !== hash) await this.#reloadChanged();
  }

  /** Reads the file and applies it; a bad one changes nothing. */
  reload(): Promise<ReloadAnswer> {
    const answer = this.#turn.then(() => this.#reload());
    this.#turn = answer.catch(() => {});
    return answer;
  }

  json(): HubFileJson {
    const { file, hash } = this.#applied;
    return { file, appliedAt: new Date(this.#appliedAt).toISOString(), hash, problems: this.#problems };
  }

  /** Resolves when no reload is under way any more. */
  async close(): Promise<void> {
    this.#watch?.close();
    this.#change = null;
    await this.#turn;
  }

  async #reload(): Promise<ReloadAnswer> {
    const change = this.#change, { file } = this.#applied;
    if (change === null) return { changes: [], applied: false, problems: [] };
    using _told = this.#o.reloading?.();
    const { config, problems } = await read(file, STILL_MS);
    if (config === null) return this.#refuse(problems);
    let changes: readonly SettingChange[];
    try {
      changes = await change(this.#o.settings(config));
    } catch (error) {
      if (!(error instanceof Unchangeable)) throw error;
      return this.#refuse([...problems, settingProblem(config, error)]);
    }
    for (const each of changes) this.#o.log.info(`changed ${printSetting(each)}`);
    if (config.hash !== this.#applied.hash) this.#appliedAt = this.#o.clock.now();
    this.#applied = config;
    this.#say(problems);
    return { changes, applied: true, problems };
  }

  #refuse(problems: readonly Problem[]): ReloadAnswer {
    if (this.#say(problems)) {
      const { file } = this.#applied;
      this.#o.log.error("the file was not taken, and the hub goes on as before: mend it and save it", {
        file,
      });
    }
    return { changes: [], applied: false, problems };
  }

  /** Logs what is new among `problems`: a file is read more often than it changes. Returns whether anything is. */
  #say(problems: readonly Problem[]): boolean {
    const known = new Set(this.#problems.map((problem) => JSON.stringify(problem)));
    const fresh = problems.filter((problem) => !known.has(JSON.stringify(problem)));
    this.#problems = problems;
    for (const { severity, file, line, column, message, hint } of fresh) {
      const place = `${file}:${line}:${column}: ${message}`;
      const text = hint === undefined ? place : `${place} (${hint})`;
      if (severity === "error") this.#o.log.error(text);
      else this.#o.log.warn(text);
    }
    return refused(fresh);
  }

  async #reloadChanged(): Promise<void> {
    try {
      await this.reload();
    } catch (error) {
      this.#o.log.error("the changed file could not be applied", { error: (error as Error).message });
    }
  }
}

/** A file that can not be read is a problem like any other. */
async function read(path: string, stillMs: number): Promise<Loaded<HubConfig>> {
  try {
    return await loadHubConfig(path, stillMs);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { message, hint } = error;
    const finding = { code: "missing" as const, message, ...(hint === null ? {} : { hint }) };
    return { config: null, problems: [problemAt(path, { line: 1, column: 1 }, "", finding)] };
  }
}

/** A setting of the file that could not be carried out, where it stands; a key that is gone stands nowhere. */
function settingProblem({ file, text, places }: HubConfig, { key, message, hint }: Unchangeable): Problem {
  const place = places.get(key) ?? { line: 1, column: 1 };
  const source = places.has(key) ? text.split(/\r?\n/)[place.line - 1] : "";
  return problemAt(file, place, source, {
    code: key === "listen" ? "bad_address" : "conflict",
    message: places.has(key) ? message : `${key}: ${message}`,
    ...(hint === null ? {} : { hint }),
  });
}

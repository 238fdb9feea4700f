/** What of the file is applied, and what there is to say about it. */
import type { Clock } from "../clock.ts";
import type { Config } from "../config/links.ts";
import type { Problem } from "../config/problem.ts";
import type { Log } from "../log.ts";
import type { StatusJson } from "./status.ts";

export class Applied {
  /** As it was applied last; null: there is no file. */
  config: Config | null = null;
  /** Of the last reading, until a good one is applied; warnings stay. */
  problems: readonly Problem[] = [];
  /** How often the file was read, by what became of it. */
  readonly reloads = { applied: 0, refused: 0 };
  #generation = 0;
  #at: number | null = null;

  constructor(
    private readonly file: string | null,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** The file is refused: what ran before goes on. */
  refuse(problems: readonly Problem[]): void {
    this.reloads.refused++;
    if (this.#say(problems)) {
      this.log.error("the file was not taken, and what ran before runs on: mend it and save it", {
        file: this.file,
      });
    }
    this.problems = problems;
  }

  /** `config` is what runs from now on. */
  take(config: Config, problems: readonly Problem[]): void {
    this.reloads.applied++;
    if (config.hash !== this.config?.hash) this.#at = this.clock.now();
    this.config = config;
    this.#say(problems);
    this.problems = problems;
  }

  /** Links were opened, closed or changed, by the file or without it. */
  changed(): void {
    this.#generation++;
    this.#at = this.clock.now();
  }

  json(): StatusJson["config"] {
    return {
      file: this.file,
      generation: this.#generation,
      appliedAt: this.#at === null ? null : new Date(this.#at).toISOString(),
      hash: this.config?.hash ?? null,
      problems: this.problems,
    };
  }

  /** Logs what is new among `problems`: a file is read more often than it changes. Returns whether anything is. */
  #say(problems: readonly Problem[]): boolean {
    const known = new Set(this.problems.map((problem) => JSON.stringify(problem)));
    const fresh = problems.filter((problem) => !known.has(JSON.stringify(problem)));
    for (const { severity, file, line, column, message, hint } of fresh) {
      const place = `${file}:${line}:${column}: ${message}`;
      const text = hint === undefined ? place : `${place} (${hint})`;
      if (severity === "error") this.log.error(text);
      else this.log.warn(text);
    }
    return fresh.length > 0;
  }
}

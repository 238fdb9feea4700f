/** The daemon's access log: `access.log` in the state directory. */
import type { Clock } from "../../clock.ts";
import { KEEP_ACCESS_MS } from "../../core/limits.ts";
import type { Log } from "../../log.ts";
import type { Access } from "../../store/access_line.ts";
import { AccessLog } from "../../store/access_log.ts";
import type { Page, Search } from "../../store/access_reader.ts";
import { accessOf } from "./live.ts";
import type { Seen, Witness } from "./recorder.ts";

export class RequestLog implements Witness {
  /** Null: the state directory is not ours yet. */
  #log: AccessLog | null = null;
  #keepMs: number | null = KEEP_ACCESS_MS;

  constructor(private readonly clock: Clock, private readonly log: Log) {}

  /** From now on it is written to `folder`. */
  open(folder: string): void {
    const { clock, log } = this;
    this.#log = new AccessLog({ folder, name: "access", clock, log, keepMs: this.#keepMs });
  }

  /** Lines are kept so long; null: none is written. */
  keep(ms: number | null): void {
    this.#keepMs = ms;
    this.#log?.keep(ms);
  }

  saw(seen: Seen): void {
    this.#log?.add(accessOf(seen));
  }

  /** Adds what nobody saw go by. */
  add(access: Access): void {
    this.#log?.add(access);
  }

  /** The newest lines that are wanted. Rejects with the runtime's error. */
  async read<T>(search: Search<T>): Promise<Page<T>> {
    return await this.#log?.read(search) ?? { items: [], next: null };
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    await this.#log?.close();
  }
}

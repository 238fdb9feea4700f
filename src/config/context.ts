/** What surrounds a value that is being read. */
import type { Place } from "./lines.ts";
import type { At } from "./node.ts";
import type { Finding } from "./problem.ts";

export interface Context {
  /** Wall time, ms: what a passed `until` is measured by. */
  readonly now: number;
  /** Absolute folder that relative paths start from. */
  readonly dir: string;
  /** What `~` stands for; null: it is not known. */
  readonly home: string | null;
  /** `missing` is the key that is not there, for places that have one (JSON pointers). */
  report(at: At, finding: Finding & { missing?: string }): void;
  place(at: At): Place;
  /** What stands there may be a credential: no message shows it. */
  hide(at: At): void;
  /** A key of a table as it is written here: as it is, or in camelCase. */
  spell(key: string): string;
}

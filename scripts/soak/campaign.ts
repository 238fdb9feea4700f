/** What every campaign is given and gives. */
import type { Rig } from "../../tests/e2e/rig.ts";

/** How long and which. A campaign that counts in rounds takes no seconds, one that lasts takes no rounds. */
export interface Wish {
  readonly seconds: number;
  readonly rounds: number;
  readonly seed: number;
}

/** Promises that broke and figures that were seen. */
export class Report {
  readonly broken: string[] = [];
  readonly figures: string[] = [];

  breaks(what: string): void {
    this.broken.push(what);
  }

  /** One line of what was measured, printed at once. */
  figure(line: string): void {
    this.figures.push(line);
    console.log(line);
  }
}

export interface Campaign {
  /** One line for who asks what there is. */
  readonly about: string;
  /** What it takes when nothing is said. */
  readonly usual: { readonly seconds: number } | { readonly rounds: number };
  /** Ms after which it can only hang. */
  limitMs(wish: Wish): number;
  /** Every process and file of it belongs to `rig`, which ends whatever happens. What it throws is a promise broken. */
  run(wish: Wish, rig: Rig, report: Report): Promise<void>;
}

/** What a process holds: resident memory, and descriptors by number. */
export function held(pid: number): { rssMiB: number; files: number } {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return { rssMiB: Number(kib) / 1024, files: openFiles(pid) };
}

/** The access log is opened when there is something to write, and is no file that is left behind. */
function openFiles(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return [...Deno.readDirSync(folder)].filter(({ name }) => !isAccessLog(`${folder}/${name}`)).length;
}

function isAccessLog(link: string): boolean {
  try {
    return Deno.readLinkSync(link).endsWith("access.log");
  } catch {
    // Closed meanwhile.
    return false;
  }
}

/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((over) => setTimeout(over, ms));
}

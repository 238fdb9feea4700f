/** One fuzzer in a thread of its own, watched: it must not break, hang, or grow. */
import { FUZZERS } from "./fuzzers.ts";
import type { Message, Progress, Wish } from "./thread.ts";

/** So long at one case: it hangs. Ten times what a case may take, on a machine that may be busy with other things. */
const HUNG_MS = 10_000;
const WATCH_MS = 250;
/** What memory may differ by from the second quarter of a campaign to its end: a collector's moods, no leak. */
const GROWTH = 48 * 1024 * 1024;
/** Fewer samples say nothing about growth. */
const SAMPLES = 40;

interface Sample {
  readonly heap: number;
  /** What the process has besides the thread's heap, such as native objects: it counts where nothing else runs in it. */
  readonly outside: number;
}

/** How a campaign ended. */
export interface Outcome {
  readonly cases: number;
  readonly taken: number;
  readonly ms: number;
  /** At its end, in octets. */
  readonly heap: number;
  readonly rss: number;
  /** Null: all held. Else from which case on, and how many of them show it again. */
  readonly broken: { readonly from: number; readonly cases: number; readonly why: string } | null;
}

/** Runs the fuzzer of `wish`. `alone`: the process's memory is its own. `told` hears how far it is. */
export function campaign(
  wish: Omit<Wish, "at">,
  alone: boolean,
  told: (cases: number) => void,
): Promise<Outcome> {
  if (FUZZERS[wish.name] === undefined) throw new RangeError(`no fuzzer ${wish.name}`);
  // Before the first case modules are loaded.
  const at = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  const thread = new Worker(new URL("./thread.ts", import.meta.url), { type: "module" });
  const start = performance.now();
  const samples: Sample[] = [];
  let last: Progress = { kind: "progress", cases: 0, taken: 0, heap: 0, room: 0 };

  return new Promise<Outcome>((resolve) => {
    let seen = at[0], since = start;
    const watch = setInterval(() => {
      const now = performance.now();
      if (at[0] !== seen) [seen, since] = [at[0], now];
      else if (seen >= 0 && now - since > HUNG_MS) {
        end({ from: seen, cases: 1, why: `a case did not end in ${HUNG_MS} ms` });
      }
    }, WATCH_MS);
    const end = (broken: Outcome["broken"]) => {
      clearInterval(watch);
      thread.terminate();
      const grown = broken ?? growth(samples, last.cases, alone);
      const { cases, taken, heap } = last;
      resolve({ cases, taken, ms: performance.now() - start, heap, rss: rss(), broken: grown });
    };
    thread.onerror = (event) => {
      event.preventDefault();
      // It comes when the thread's loop has its next turn, some cases later.
      const from = Math.min(last.cases, at[0]);
      end({ from, cases: at[0] - from + 1, why: `an error that nobody caught: ${event.message}` });
    };
    thread.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.kind === "broken") return end({ from: data.at, cases: 1, why: data.why });
      last = data;
      samples.push({ heap: data.heap, outside: rss() - data.room });
      told(data.cases);
      if (data.kind === "done") end(null);
    };
    thread.postMessage({ ...wish, at } satisfies Wish);
  });
}

function rss(): number {
  return Deno.memoryUsage().rss;
}

/** Memory late is held to memory early, by the least that was seen late: what comes back after a collection is no growth. */
function growth(samples: readonly Sample[], cases: number, alone: boolean): Outcome["broken"] {
  if (samples.length < SAMPLES) return null;
  const quarter = samples.length >> 2;
  const early = samples.slice(quarter, 2 * quarter), late = samples.slice(-quarter);
  for (const what of alone ? ["heap", "outside"] as const : ["heap"] as const) {
    const before = Math.max(...early.map((sample) => sample[what]));
    const after = Math.min(...late.map((sample) => sample[what]));
    if (after > before + GROWTH) {
      return { from: 0, cases, why: `memory grew: ${what}, from ${mib(before)} to ${mib(after)} MiB` };
    }
  }
  return null;
}

/** Whole MiB. */
export function mib(octets: number): number {
  return Math.round(octets / 2 ** 20);
}

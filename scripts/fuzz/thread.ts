/** A thread of scripts/fuzz.ts: runs one fuzzer, case by case, and tells how far it is. */
import { inspect } from "node:util";
import type { Case } from "../../tests/pure/fuzz.ts";
import { Random } from "../../tests/pure/random.ts";
import { FUZZERS } from "./fuzzers.ts";

/** What a thread is to run. */
export interface Wish {
  readonly name: string;
  readonly seed: number;
  readonly cases: number;
  /** Ends it before its last case; Infinity: never. */
  readonly seconds: number;
  /** One Int32: which case it is at. Whoever waits for a thread that hangs reads it here. */
  readonly at: Int32Array;
}

/** How far it is. */
export interface Progress {
  readonly kind: "progress" | "done";
  readonly cases: number;
  /** How many of them were let through. */
  readonly taken: number;
  /** Octets on the thread's heap and in its buffers. */
  readonly heap: number;
  /** Octets that its heap has taken from the system, garbage and room included. */
  readonly room: number;
}

/** A promise broke in case `at`. */
export interface Broken {
  readonly kind: "broken";
  readonly at: number;
  readonly why: string;
}

export type Message = Progress | Broken;

/** No case may take longer. */
const SLOW_MS = 1_000;
const TELL_MS = 250;

/** The thread's own end of the channel to whoever made it; the library's types are of a window's. */
const thread = globalThis as unknown as {
  onmessage: ((event: MessageEvent<Wish>) => void) | null;
  postMessage(message: Message): void;
};

thread.onmessage = async ({ data }) => {
  thread.postMessage(await campaign(data, await FUZZERS[data.name]()));
};

/** Refusals are errors: a stack for each of them would take a good part of the time. */
const STACK = Error.stackTraceLimit;

async function campaign({ seed, cases, seconds, at }: Wish, run: Case): Promise<Message> {
  const start = performance.now(), until = start + seconds * 1000;
  let taken = 0, before = start, told = start;
  Error.stackTraceLimit = 0;
  for (let i = 0; i < cases; i++) {
    at[0] = i;
    try {
      // Each case has a seed of its own, so that one of them can be run again alone.
      if (await outcome(run, seed + i)) taken++;
      let now = performance.now();
      if (now - before > SLOW_MS) {
        // A machine that was busy with other things is so once, a case that is slow is so again.
        await outcome(run, seed + i);
        const again = performance.now() - now;
        if (again > SLOW_MS) throw new Error(`a case took ${Math.round(again)} ms`);
        now = performance.now();
      }
      if (now > until) {
        await turn();
        return progress("done", i + 1, taken);
      }
      if (now - told > TELL_MS) {
        await turn();
        thread.postMessage(progress("progress", i + 1, taken));
        told = now = performance.now();
      }
      before = now;
    } catch (error) {
      return { kind: "broken", at: i, why: inspect(await again(run, seed + i) ?? error) };
    }
  }
  await turn();
  return progress("done", cases, taken);
}

/** A turn of the loop: a promise that a case left rejected ends the thread in it. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** What a case throws when it is run again, with its stack; null: nothing this time. */
async function again(run: Case, seed: number): Promise<unknown> {
  Error.stackTraceLimit = STACK;
  try {
    await outcome(run, seed);
    return null;
  } catch (error) {
    return error;
  }
}

function outcome(run: Case, seed: number): boolean | Promise<boolean> {
  return run(new Random(seed));
}

function progress(kind: "progress" | "done", cases: number, taken: number): Message {
  const { heapUsed, external, heapTotal } = Deno.memoryUsage();
  return { kind, cases, taken, heap: heapUsed + external, room: heapTotal };
}

/** `connectd status --watch`: the daemon and its links on a terminal, as they change. */
import { oneLine } from "../log.ts";
import { ApiClient, Unanswered } from "./client.ts";
import { followEvents } from "./event_feed.ts";
import type { LinkJson, StatusJson } from "./links.ts";
import { coarse } from "./print.ts";
import { daemonAddress, withDaemon } from "./reach.ts";
import { coloured, draw } from "./terminal.ts";
import type { Given } from "./verb.ts";
import { frame, Rates, type View } from "./watch_frame.ts";

/** Countdowns are in seconds. */
const BEAT_MS = 1_000;

/** Events that come in a burst are drawn together. */
const BURST_MS = 100;

/** A daemon that is asked and says nothing for so long stands still. */
const STILL_MS = 3_000;

/** The other screen, without a cursor; and back to what was there before. */
const OPEN = "\x1b[?1049h\x1b[?25l", CLOSE = "\x1b[?25h\x1b[?1049l";

const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Something happened, or it is time to end. */
class Bell {
  #rung = false;
  #wake = () => {};

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  /** Resolves when it was rung since the last time, or after `ms`. */
  async heard(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#rung = false;
  }
}

/** Draws until a signal ends it; a daemon that goes is waited for. Throws a Failure where none answers to begin with. */
export async function watch(given: Given): Promise<number> {
  await withDaemon(given, (api) => api.call("GET", "/v1/status"));
  const api = new ApiClient(daemonAddress(given));
  const end = new AbortController(), bell = new Bell();
  const ring = () => bell.ring();
  const finish = () => {
    end.abort();
    ring();
  };
  for (const signal of END_SIGNALS) Deno.addSignalListener(signal, finish);
  Deno.addSignalListener("SIGWINCH", ring);
  void hear(api, ring, end.signal);
  draw(OPEN);
  try {
    await redraw(api, bell, end.signal);
  } finally {
    draw(CLOSE);
    for (const signal of END_SIGNALS) Deno.removeSignalListener(signal, finish);
    Deno.removeSignalListener("SIGWINCH", ring);
  }
  return 0;
}

/** Looks and draws: each second, and when the bell rings. */
async function redraw(api: ApiClient, bell: Bell, end: AbortSignal): Promise<void> {
  const rates = new Rates();
  const ended = new Promise<null>((resolve) => end.addEventListener("abort", () => resolve(null)));
  let view: View | null = null, trouble: string | null = null, since = 0;
  let looking: ReturnType<typeof look> | null = null;
  while (!end.aborted) {
    // One call at a time: a daemon that stands still must not find a heap of them when it goes on.
    looking ??= look(api);
    const seen = await Promise.race([looking, sleep(STILL_MS), ended]);
    if (end.aborted) return;
    const now = Date.now();
    if (seen !== null) looking = null;
    if (seen !== null && "status" in seen) {
      view = seen;
      trouble = null;
      rates.take(seen.links, performance.now());
    } else {
      if (trouble === null) since = now;
      trouble = seen?.trouble ?? "the daemon does not answer";
    }
    const told = trouble === null ? null : `${oneLine(trouble)} since ${coarse(now - since)}: waiting for it`;
    draw(frame({ view, trouble: told, rates, now, size: sizeOf(), colours: coloured() }));
    if (seen === null) continue;
    await sleep(BURST_MS);
    await bell.heard(BEAT_MS - BURST_MS);
  }
}

function sleep(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), ms));
}

/** What is to be seen now, or why nothing is. */
async function look(api: ApiClient): Promise<View | { readonly trouble: string }> {
  try {
    const status = await api.call<StatusJson>("GET", "/v1/status");
    // No more than may be shown: with ten thousand links the rest would be work for nobody.
    const limit = Math.min(1000, sizeOf().rows);
    const { items } = await api.call<{ items: LinkJson[] }>("GET", `/v1/links?limit=${limit}`);
    return { status, links: items };
  } catch (error) {
    return {
      trouble: error instanceof Unanswered
        ? error.message
        : `the daemon refuses: ${(error as Error).message}`,
    };
  }
}

/** Says of every event that there was one, of each daemon that comes. */
async function hear(api: ApiClient, again: () => void, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    try {
      await followEvents(api.address, again, end);
    } catch {
      // There is none just now; the table says so.
    }
    if (!end.aborted) await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
  }
}

function sizeOf(): { columns: number; rows: number } {
  const { columns, rows } = Deno.consoleSize();
  // A terminal that does not know its size says 0.
  return { columns: columns || 80, rows: rows || 24 };
}

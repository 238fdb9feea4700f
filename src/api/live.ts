/** What keeps a page up to date while somebody looks at it: server-sent events that carry regions of the page itself. */
import type { Context } from "hono";
import type { Clock } from "../clock.ts";

/** So often something may change before a person's eyes. */
const TURN_MS = 1_000;

/** Regions that nothing was told of are looked at again: counters move without an event. */
const LOOK_TURNS = 2;

/** A hundredth of the time, at most, is spent on looking: a thousand links are looked at less often than ten. */
const SHARE = 100;

/** A comment so often keeps the connection known to be alive. */
const BEAT_TURNS = 15;

/** New rows that wait for the next turn; of more than these a person sees nothing. */
const ROWS_MAX = 100;

/** Where a page hears of things. Both are called once, and what they return when nobody looks any more. */
export interface LiveSource<T> {
  /** Of the style and script that its regions go with: a page that was made with others begins anew. */
  readonly build: string;
  readonly clock: Clock;
  /** Whether who looks would still be let in. */
  admitted(): boolean;
  /** Calls `changed` whenever something has happened. */
  listen(changed: () => void): () => void;
  /** Calls `seen` with each request that is over. */
  watch(seen: (request: T) => void): () => void;
}

/** What a page shows live. `T`: a request, where it lists them. */
export interface Live<T> {
  /** Its regions as they are now, one after another. */
  regions(): string | Promise<string>;
  /** Whether regions also change without an event. Absent: they don't. */
  readonly counts?: boolean;
  /** New rows of a list of requests. Absent: the page has none. */
  readonly rows?: {
    /** Asked of each request that goes by: it has to cost nothing. */
    wants(request: T): boolean;
    print(request: T): string;
  };
}

/** Whether the script of a page asks for its events rather than a browser for the page. */
export function wantsEvents(context: Context): boolean {
  return context.req.header("Accept") === "text/event-stream";
}

/** The events of one page. They end when who looks is let in no more. */
export function livePage<T>(source: LiveSource<T>, live: Live<T>): Response {
  const { clock } = source;
  const encoder = new TextEncoder();
  let end = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      let changed = true, turns = 0, next = 0, last = "", busy = false, missed = 0;
      let rows: T[] = [];
      const send = (type: string, data: unknown) =>
        controller.enqueue(encoder.encode(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`));
      const seen = (request: T) => {
        if (!live.rows!.wants(request)) return;
        rows.push(request);
        if (rows.length <= ROWS_MAX) return;
        rows.shift();
        missed++;
      };
      const look = async () => {
        changed = false;
        // The list shows them by itself.
        [rows, missed] = [[], 0];
        const began = clock.mono();
        const regions = await live.regions();
        next = turns + Math.ceil((clock.mono() - began) * SHARE / TURN_MS);
        if (regions !== last) send("patch", regions);
        last = regions;
      };
      const turn = async () => {
        if (!source.admitted()) return close();
        turns++;
        // Who has not taken what there was gets one change instead of many, later.
        if ((controller.desiredSize ?? 0) <= 0) return;
        if (turns % BEAT_TURNS === 0) controller.enqueue(encoder.encode(": still here\n\n"));
        const due = changed || (live.counts === true && turns % LOOK_TURNS === 0);
        if (due && turns >= next) await look();
        if (rows.length === 0) return;
        send("rows", { html: rows.reverse().map((row) => live.rows!.print(row)).join(""), missed });
        [rows, missed] = [[], 0];
      };
      const close = () => {
        end();
        controller.close();
      };
      const timer = clock.timer(() => {
        timer.set(TURN_MS);
        if (busy) return;
        busy = true;
        turn().catch(close).finally(() => busy = false);
      });
      // Before the page is looked at, so that nothing falls between the two.
      const deaf = source.listen(() => changed = true);
      const unwatch = live.rows === undefined ? () => {} : source.watch(seen);
      end = () => {
        end = () => {};
        timer.drop();
        deaf();
        unwatch();
      };
      controller.enqueue(encoder.encode("retry: 1000\n\n"));
      send("build", source.build);
      busy = true;
      look().catch(close).finally(() => busy = false);
      timer.set(TURN_MS);
    },
    cancel: () => end(),
  }, { highWaterMark: 4 });
  return new Response(body, {
    headers: { "Content-Type": "text/event-stream", "X-Content-Type-Options": "nosniff" },
  });
}

/** `GET /v1/events`: what happens, as server-sent events that a client can resume. */
import type { Context } from "hono";
import type { Clock } from "../clock.ts";
import type { Documentation } from "./documentation.ts";
import type { Happened, Journal } from "./journal.ts";
import { ApiProblem } from "./problem.ts";

/** A client that takes nothing while so many events wait has lost its place, and is better off resuming. */
const BEHIND = 1000;

/** A comment so often keeps proxies from taking the stream for dead. */
const BEAT_MS = 15_000;

export const EVENTS_DOC: Documentation & { readonly method: "GET"; readonly path: string } = {
  method: "GET",
  path: "/v1/events",
  summary: "What happens, as server-sent events",
  query: { requests: { doc: "`true`: each request too.", schema: { type: "boolean", default: false } } },
  fields: {
    "Last-Event-ID": {
      doc: "Go on after this event; the last 1,000 are kept.",
      schema: { type: "string", pattern: "^[0-9]{1,15}$" },
    },
  },
  answers: {
    200: {
      doc: "Events with `id`, `event` and `data`: the JSON object concerned.",
      media: "text/event-stream",
      schema: { type: "string" },
    },
  },
};

export interface EventSource {
  readonly journal: Pick<Journal<string>, "since" | "listen">;
  readonly clock: Clock;
  /** Somebody wants requests from now on; call what it returns when nobody does any more. */
  watchRequests(): () => void;
  /** Whether the caller may still hear of it; absent: always. */
  readonly allowed?: () => boolean;
}

/** Answers with the events since `Last-Event-ID`, where it is given, and all that follow. Throws ApiProblem. */
export function eventStream(
  context: Context,
  { journal, clock, watchRequests, allowed = () => true }: EventSource,
): Response {
  const withRequests = context.req.query("requests") === "true";
  const last = context.req.header("Last-Event-ID");
  if (last !== undefined && !/^\d{1,15}$/.test(last)) {
    throw new ApiProblem(400, "bad_request", "Last-Event-ID is not one of these events.");
  }
  const headers = { "Content-Type": "text/event-stream" };
  // Nobody would read, or cancel, a body.
  if (context.req.raw.method === "HEAD") return context.body(null, 200, headers);
  const encoder = new TextEncoder();
  let end = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string) => {
        if ((controller.desiredSize ?? 0) <= -BEHIND || !allowed()) {
          end();
          return controller.close();
        }
        controller.enqueue(encoder.encode(text));
      };
      const tell = (event: Happened<string>) => {
        if (event.type !== "request" || withRequests) send(print(event));
      };
      const beat = clock.timer(() => {
        beat.set(BEAT_MS);
        send(": still here\n\n");
      });
      beat.set(BEAT_MS);
      // Something at once: a client knows that it is heard.
      send("retry: 1000\n\n");
      for (const event of last === undefined ? [] : journal.since(Number(last))) tell(event);
      const deaf = journal.listen(tell);
      const unwatch = withRequests ? watchRequests() : () => {};
      end = () => {
        end = () => {};
        beat.drop();
        deaf();
        unwatch();
      };
    },
    cancel: () => end(),
  });
  return context.body(body, 200, headers);
}

/** JSON has no line feeds: one `data` line holds it. */
function print({ id, type, data }: Happened<string>): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

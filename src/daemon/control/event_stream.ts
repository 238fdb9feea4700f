/** `GET /v1/events`: what happens, as server-sent events that a client can resume. */
import type { Context } from "hono";
import type { CallEnv, Operation } from "../../api/app.ts";
import { ApiProblem } from "../../api/problem.ts";
import type { DaemonEvent } from "../events.ts";
import type { ControlState } from "./state.ts";

/** A client that takes nothing while so many events wait has lost its place, and is better off resuming. */
const BEHIND = 1000;

/** A comment so often keeps proxies from taking the stream for dead. */
const BEAT_MS = 15_000;

/** The operation that tells of what happens. */
export function eventOperations(state: ControlState): Operation<CallEnv>[] {
  return [{
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
    run: (context) => eventStream(context, state),
  }];
}

/** Answers with the events since `Last-Event-ID`, where it is given, and all that follow. */
function eventStream(context: Context, { events, witnesses, clock }: ControlState): Response {
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
        if ((controller.desiredSize ?? 0) <= -BEHIND) {
          end();
          return controller.close();
        }
        controller.enqueue(encoder.encode(text));
      };
      const tell = (event: DaemonEvent) => {
        if (event.type !== "request" || withRequests) send(print(event));
      };
      const beat = clock.timer(() => {
        beat.set(BEAT_MS);
        send(": still here\n\n");
      });
      beat.set(BEAT_MS);
      // Something at once: a client knows that it is heard.
      send("retry: 1000\n\n");
      for (const event of last === undefined ? [] : events.since(Number(last))) tell(event);
      const deaf = events.listen(tell);
      if (withRequests) witnesses.live.watchers++;
      end = () => {
        end = () => {};
        beat.drop();
        deaf();
        if (withRequests) witnesses.live.watchers--;
      };
    },
    cancel: () => end(),
  });
  return context.body(body, 200, headers);
}

/** JSON has no line feeds: one `data` line holds it. */
function print({ id, type, data }: DaemonEvent): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Figures as an answer of an API, of hub and daemon alike. */
import { type Family, METRICS_TYPE, printParts } from "../core/metrics.ts";
import type { AnswerDoc } from "./documentation.ts";

/** So much text is made in one go. */
const TURN = 32 * 1024;

export const METRICS_ANSWER: AnswerDoc = {
  doc: "Text, exposition format 0.0.4.",
  media: "text/plain",
  schema: { type: "string" },
};

/** What Prometheus reads. It is made while it is sent: of a thousand links it is megabytes, and others want their turn. */
export function metricsResponse(families: readonly Family[]): Response {
  const parts = printParts(families), encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text = "", next = parts.next();
      while (!next.done) {
        text += next.value;
        if (text.length >= TURN) break;
        next = parts.next();
      }
      if (text !== "") controller.enqueue(encoder.encode(text));
      if (next.done) return controller.close();
      await new Promise((turn) => setTimeout(turn));
    },
  }, { highWaterMark: 0 });
  return new Response(body, { headers: { "Content-Type": METRICS_TYPE } });
}

/** A secret that was just made: on this page, and never again. */
import { Command, Notice } from "../../pages/parts.tsx";
import type { Visit } from "./board.ts";

/** What the `?made=` of the URL stands for. `what`: `token`, `code`. */
export function MadeOnce({ visit, what, how }: { visit: Visit; what: string; how: string }) {
  const key = visit.context.req.query("made");
  if (key === undefined) return null;
  // HEAD is what looks a URL over: it must not use the only look up.
  const made = visit.context.req.raw.method === "GET" ? visit.board.takeOnce(key, visit.caller) : null;
  return (
    <Notice tone="wait">
      {made === null ? <p>The {what} was shown once, and is not kept: make another if it is lost.</p> : (
        <>
          <p>The {what} of {made.name}. Copy it now: it is shown this once. {how}</p>
          <Command text={made.secret} />
        </>
      )}
    </Notice>
  );
}

/** A few seeds of what scripts/fuzz.ts runs by the million. */
import assert from "node:assert/strict";
import { type Case, taken } from "../pure/fuzz.ts";
import { controlCase } from "./control_fuzz.ts";
import { sessionCase } from "./session_fuzz.ts";
import { websocketCase } from "./websocket_fuzz.ts";

const PROMISES: readonly (readonly [title: string, run: Case, cases: number])[] = [
  ["WebSocket messages cut anywhere are those that ws reads, or refused", websocketCase, 10_000],
  [
    "a session whose peer sends anything goes on or ends with a reason, wherever it was cut",
    sessionCase,
    2_500,
  ],
  ["a control message is what its type says, ignored, or refused", controlCase, 10_000],
];

for (const [title, run, cases] of PROMISES) {
  Deno.test(title, async () => {
    const n = await taken(run, cases);
    // Inputs that are all refused would prove nothing, and neither would inputs that are all right.
    assert.ok(n > cases / 5 && n < cases * 9 / 10, `${n} of ${cases} were let through`);
  });
}

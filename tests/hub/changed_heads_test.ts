/** A hub reads heads of what its daemons' links add to those of targets. */
import assert from "node:assert/strict";
import { EDIT_LIMITS } from "../../src/core/field_edits.ts";
import { LIMITS } from "../../src/core/http1/types.ts";
import { HubRig, link } from "./rig.ts";

/** How many fields an answer has, and the octets of one more, and what the visitor gets. */
const HEADS: [fields: number, octets: number, status: number][] = [
  [LIMITS.fields + EDIT_LIMITS.fields - 1, 0, 200],
  [LIMITS.fields + EDIT_LIMITS.fields, 0, 502],
  [0, LIMITS.head + EDIT_LIMITS.octets - 100, 200],
  [0, LIMITS.head + EDIT_LIMITS.octets, 502],
];

for (const [fields, octets, status] of HEADS) {
  Deno.test(`an answer with ${fields + 1} fields, one of them ${octets} octets long, is ${status}`, async () => {
    await using rig = await HubRig.start();
    const daemon = rig.attached({
      serve(stream) {
        const lines = Array.from({ length: fields }, (_, i) => `X-${i}: a\r\n`).join("");
        stream.sendHead(`HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(octets)}\r\n${lines}\r\n`, true);
      },
    });
    const welcome = await daemon.hello([link("demo")]);
    assert.equal((await rig.visit(welcome.links[0].id)).status, status);
  });
}

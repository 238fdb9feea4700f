import assert from "node:assert/strict";
import { createLog, oneLine } from "../../src/log.ts";

function capture(format: "text" | "json"): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = [];
  return {
    lines,
    log: createLog({ format, level: "info", write: (line) => lines.push(line), now: () => 0 }),
  };
}

Deno.test("a log line is one line, whatever a visitor sent", () => {
  const hostile = "a\nb\r\u001b[31m\u202e\u2028\u0000\u009b";
  for (const format of ["text", "json"] as const) {
    const { lines, log } = capture(format);
    log.info(hostile, { path: hostile, [hostile]: 1 });
    assert.equal(lines.length, 1);
    assert.equal(oneLine(lines[0]), lines[0], format);
    if (format === "json") assert.equal(JSON.parse(lines[0]).path, hostile);
  }
});

Deno.test("what is not there is in lines for machines alone", () => {
  const [text, json] = (["text", "json"] as const).map((format) => {
    const { lines, log } = capture(format);
    log.info("opened", { address: null, links: 0 });
    return lines[0];
  });
  assert.equal(text, "00:00:00.000 info  opened links=0");
  assert.equal(JSON.parse(json).address, null);
});

Deno.test("a level keeps what is below it out", () => {
  const { lines, log } = capture("text");
  log.debug("no");
  log.warn("yes", { link: "demo", ms: 3, why: "a b" });
  assert.deepEqual(lines, ['00:00:00.000 warn  yes link=demo ms=3 why="a b"']);
});

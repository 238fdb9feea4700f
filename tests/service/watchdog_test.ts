/** When a watchdog is told that all is well. */
import assert from "node:assert/strict";
import { startWatchdog, watchdogLimit } from "../../src/cli/watchdog.ts";
import { createLog } from "../../src/log.ts";

const ROWS: [env: Record<string, string>, limit: number | null][] = [
  [{}, null],
  [{ WATCHDOG_USEC: "30000000" }, 30_000],
  [{ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" }, 30_000],
  [{ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "" }, 30_000],
  // Inherited from a service that started this process.
  [{ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "8" }, null],
  [{ WATCHDOG_USEC: "0" }, null],
  [{ WATCHDOG_USEC: "-5" }, null],
  [{ WATCHDOG_USEC: "soon" }, null],
  [{ WATCHDOG_USEC: "" }, null],
];

Deno.test("a watchdog waits for this process only when the environment says so", () => {
  for (const [env, limit] of ROWS) {
    assert.equal(watchdogLimit({ get: (name) => env[name] }, 7), limit, JSON.stringify(env));
  }
});

Deno.test("one answer that is lost is asked for again within the limit; it is logged once", async () => {
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line) });
  const answers = [true, false, false, true, true];
  const asked: number[] = [];
  let well = 0;
  const done = Promise.withResolvers<void>();
  const limitMs = 800;
  const stop = startWatchdog({
    limitMs,
    probe() {
      asked.push(performance.now());
      return answers.shift() ? Promise.resolve() : Promise.reject(new Error("gone"));
    },
    well() {
      well++;
      if (answers.length === 0) done.resolve();
    },
    log,
  });
  await done.promise;
  stop();
  assert.equal(well, 3);
  // Twice in vain, and long before the limit was over.
  const [first, , , fourth] = asked;
  assert.ok(fourth - first < limitMs, `${fourth - first} ms`);
  assert.equal(lines.filter((line) => line.includes("gone")).length, 1);
});

Deno.test("an answer that takes a quarter of the limit comes too late", async () => {
  const late = Promise.withResolvers<void>();
  const stop = startWatchdog({
    limitMs: 40,
    probe: (signal) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          late.resolve();
          reject(signal.reason);
        })
      ),
    well: () => assert.fail("nothing has answered"),
    log: createLog({ write: () => {} }),
  });
  await late.promise;
  stop();
});

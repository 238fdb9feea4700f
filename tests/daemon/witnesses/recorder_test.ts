import assert from "node:assert/strict";
import { TestClock } from "../../../src/clock.ts";
import type { ResponseHead } from "../../../src/core/http1/types.ts";
import type { Followed, Outcome } from "../../../src/daemon/follow.ts";
import { Recorder, type Seen, type Tape } from "../../../src/daemon/witnesses/recorder.ts";

const OUTCOME: Outcome = { status: 200, code: null, bytesIn: 1, bytesOut: 2 };

/** A request that came `waited` ms ago. */
function followed(clock: TestClock, waited: number): Followed {
  return { requestId: "r", since: clock.mono() - waited } as Followed;
}

Deno.test("every witness learns once how a request ended and where its time went", () => {
  const clock = new TestClock(), seen: Seen[] = [];
  const witness = { saw: (one: Seen) => void seen.push(one) };
  const recorder = new Recorder(clock, [witness, witness], null);
  const request = followed(clock, 3), came = clock.now() - 3;
  const follower = recorder.follow(request);
  clock.advance(4);
  follower.connected();
  clock.advance(5);
  follower.response({} as ResponseHead);
  clock.advance(6);
  follower.done(OUTCOME);
  assert.deepEqual(seen.length, 2);
  assert.deepEqual(seen[0], {
    request,
    at: came,
    times: { judged: 3, connected: 7, answered: 12, over: 18 },
    outcome: OUTCOME,
  });
});

Deno.test("a request without a connection or an answer of its own has no times for them", () => {
  const clock = new TestClock(), seen: Seen[] = [];
  new Recorder(clock, [{ saw: (one) => void seen.push(one) }], null).follow(followed(clock, 0)).done(OUTCOME);
  assert.deepEqual(seen[0].times, { judged: 0, connected: null, answered: null, over: 0 });
});

Deno.test("a tape hears all that goes by, and is complete before any witness is told", () => {
  const clock = new TestClock(), heard: string[] = [];
  const tape: Tape = {
    requestBody: (bytes) => void heard.push(`in ${bytes.length}`),
    requestEnd: (trailers) => void heard.push(`end ${trailers}`),
    response: () => void heard.push("head"),
    responseBody: (bytes) => void heard.push(`out ${bytes.length}`),
    over: ({ outcome }) => void heard.push(`over ${outcome.status}`),
  };
  const recorder = new Recorder(clock, [{ saw: () => void heard.push("seen") }], { follow: () => tape });
  const follower = recorder.follow(followed(clock, 0));
  follower.requestBody(new Uint8Array(1));
  follower.requestEnd("A: b");
  follower.connected();
  follower.response({} as ResponseHead);
  follower.responseBody(new Uint8Array(2));
  follower.done(OUTCOME);
  assert.deepEqual(heard, ["in 1", "end A: b", "head", "out 2", "over 200", "seen"]);
});

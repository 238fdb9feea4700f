/** Credit over a session: who stalls holds up himself alone, and what is held for him is bounded. */
import assert from "node:assert/strict";
import { INITIAL_WINDOW, MAX_WINDOW, NEWCOMER_WINDOW, SESSION_CAP } from "../../src/core/flow.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import { promise, type Reader, Sessions, TCP, turns, until } from "./session_rig.ts";

promise(
  "a reader that stalls holds up its own stream, and no more than its window is held for it",
  async (sessions) => {
    const { acceptor, dialler } = sessions;
    dialler.onOpen = (reader) => reader.stalled = dialler.readers.length === 1;
    const stalled = acceptor.ask(TCP);
    stalled.give(2_000_000);
    await until(() => dialler.readers[0]?.held === INITIAL_WINDOW);
    const lively = acceptor.ask(TCP);
    lively.give(600_000);
    await until(() => dialler.readers[1]?.ended === "");
    assert.equal(dialler.readers[1].octets, 600_000);
    // Neither here nor there is more of it than the window.
    assert.deepEqual([stalled.taken, dialler.readers[0].held], [INITIAL_WINDOW, INITIAL_WINDOW]);
    // Its other direction goes on too.
    dialler.readers[0].give(300_000);
    await until(() => stalled.ended === "");
    dialler.readers[0].stalled = false;
    dialler.readers[0].release();
    await until(() => dialler.readers[0].ended === "");
    assert.equal(dialler.readers[0].octets, 2_000_000);
  },
);

promise("a writer is told when there is room again, and not before", async (sessions) => {
  const { acceptor, dialler } = sessions;
  dialler.onOpen = (reader) => reader.stalled = true;
  const asked = acceptor.ask(TCP);
  let told = 0;
  asked.writable = () => {
    told++;
    asked.pump();
  };
  asked.give(INITIAL_WINDOW + 1);
  await until(() => dialler.readers[0]?.held === INITIAL_WINDOW);
  const before = told;
  await turns(5);
  assert.equal(told, before);
  dialler.readers[0].release();
  await until(() => dialler.readers[0].ended === "");
  assert.equal(told, before + 1);
});

promise(
  "what is dealt with after the end, or after a reset, gives no credit to anybody",
  async (sessions) => {
    const { acceptor, dialler } = sessions;
    dialler.onOpen = (reader) => reader.stalled = true;
    const asked = acceptor.ask(TCP), cut = acceptor.ask(TCP);
    asked.give(200_000);
    cut.give(900_000);
    await until(() => dialler.readers[0]?.ended === "" && dialler.readers[1]?.held === INITIAL_WINDOW);
    dialler.readers[0].release();
    cut.stream.reset("visitor_left");
    await until(() => dialler.readers[1].codes.length > 0);
    dialler.readers[1].release();
    const next = acceptor.ask(TCP);
    next.give(10);
    await until(() => dialler.readers[2]?.ended === "");
    assert.deepEqual([acceptor.closings, dialler.closings], [[], []]);
  },
);

/** Two sessions in memory, for what only counts. */
function counted(title: string, run: (sessions: Sessions) => Promise<void>): void {
  Deno.test(title, async () => {
    const sessions = new Sessions({ ends: memoryPair(), cut: null }, 10_000);
    await run(sessions);
    sessions.close();
  });
}

counted(
  "a window grows to 4 MiB while its reader keeps up, and that is all that is held when it stalls",
  async (sessions) => {
    const { acceptor } = sessions;
    const asked = acceptor.ask(TCP);
    asked.give(64 * 1024 * 1024);
    const reader = await opened(sessions);
    await until(() => reader.ended === "");
    assert.equal(reader.stream.window, MAX_WINDOW);
    assert.equal(reader.octets, 64 * 1024 * 1024);
  },
);

counted("a reader that stalls later holds its grown window and no more", async (sessions) => {
  const { acceptor, dialler } = sessions;
  dialler.onOpen = (reader) => {
    const { data } = reader;
    reader.data = (bytes) => {
      reader.stalled = reader.octets > 40_000_000;
      data.call(reader, bytes);
    };
  };
  const asked = acceptor.ask(TCP);
  asked.give(1024 * 1024 * 1024);
  const reader = await opened(sessions);
  await until(() => reader.stalled);
  await turns(20);
  assert.equal(reader.stream.window, MAX_WINDOW);
  assert.ok(reader.held <= MAX_WINDOW && reader.held > MAX_WINDOW / 2, String(reader.held));
  assert.ok(asked.taken - (reader.octets - reader.held) <= MAX_WINDOW);
});

counted(
  "where half a window takes longer than two round trips, windows stay as they are",
  async (sessions) => {
    const { acceptor, clock } = sessions;
    const asked = acceptor.ask(TCP);
    const reader = await opened(sessions);
    const half = new Uint8Array(INITIAL_WINDOW / 2);
    for (let i = 0; i < 100; i++) {
      assert.equal(asked.stream.send(half, 0, half.length), half.length);
      clock.advance(300);
      await turns(1);
    }
    assert.equal(reader.stream.window, INITIAL_WINDOW);
  },
);

counted(
  "above the session's cap a new stream begins with 16 KiB, windows shrink to 64 KiB, and both recover",
  async (sessions) => {
    const { acceptor, dialler } = sessions;
    dialler.onOpen = (reader) => reader.stalled = true;
    const most = SESSION_CAP / INITIAL_WINDOW;
    const asked = Array.from({ length: most + 1 }, () => acceptor.ask(TCP));
    // The other side says so, a round trip later.
    await until(() => dialler.readers.length === most + 1);
    await turns(5);
    const late = acceptor.ask(TCP);
    late.stalled = true;
    late.give(1_000_000);
    await until(() => dialler.readers[most + 1]?.held === NEWCOMER_WINDOW);
    asked[0].give(2_000_000);
    const [first] = dialler.readers;
    await until(() => first.held === INITIAL_WINDOW);
    await turns(5);
    assert.deepEqual([late.taken, asked[0].taken], [NEWCOMER_WINDOW, INITIAL_WINDOW]);
    first.release();
    await until(() => first.held === 64 * 1024);
    await turns(5);
    assert.deepEqual([first.stream.window, first.held], [64 * 1024, 64 * 1024]);
    // The other direction of a stream begins as small: its opener holds as many windows.
    const newest = dialler.readers[most + 1];
    newest.give(1_000_000);
    await turns(5);
    assert.equal(newest.taken, NEWCOMER_WINDOW);
    for (const { stream } of asked.slice(1)) stream.reset("done");
    await turns(5);
    first.stalled = newest.stalled = late.stalled = false;
    first.release();
    newest.release();
    late.release();
    await until(() => first.ended === "" && newest.ended === "" && late.ended === "");
    const fresh = acceptor.ask(TCP);
    fresh.give(1_000_000);
    await turns(5);
    assert.equal(fresh.taken, INITIAL_WINDOW);
  },
);

counted(
  "a thousand streams that stall hold no more than the session's cap and what each is promised",
  async (sessions) => {
    const { acceptor, dialler } = sessions;
    dialler.onOpen = (reader) => reader.stalled = true;
    const asked: Reader[] = [];
    for (let i = 0; i < 1000; i++) {
      asked.push(acceptor.ask(TCP));
      asked[i].give(1_000_000);
      await turns(1);
    }
    await turns(20);
    const held = dialler.readers.reduce((sum, reader) => sum + reader.held, 0);
    const most = SESSION_CAP + INITIAL_WINDOW + 1000 * NEWCOMER_WINDOW;
    assert.ok(held <= most, `${held} > ${most}`);
    assert.ok(dialler.readers.every((reader) => reader.held >= NEWCOMER_WINDOW));
  },
);

/** The reader of the one stream that the acceptor opened. */
async function opened({ dialler }: Sessions): Promise<Reader> {
  await until(() => dialler.readers.length > 0);
  return dialler.readers[0];
}

/** What must hold of a session whatever its peer sends, right frames and wrong ones, straight or as WebSocket messages. */
import assert from "node:assert/strict";
import type { Clock, Timer } from "../../src/clock.ts";
import { INITIAL_WINDOW } from "../../src/core/flow.ts";
import { Type } from "../../src/core/frame.ts";
import { latin1 } from "../../src/core/latin1.ts";
import { type CloseReason, Session } from "../../src/wire/session.ts";
import type { Stream, StreamSink } from "../../src/wire/stream.ts";
import { cuts, spoiled } from "../pure/octets.ts";
import { Random } from "../pure/random.ts";
import { type Carrier, Framed, Straight } from "./fuzz_carriers.ts";
import { HTTP, TCP } from "./session_rig.ts";
import { aStory, frame, type Story, text } from "./session_stories.ts";

/** How many streams the peer may have open. */
const STREAMS = 3;

/** Nobody waits here for time to pass: a timer fires when the case says so. */
class StillClock implements Clock {
  readonly set = new Set<() => void>();
  ms = 0;
  now(): number {
    return this.ms;
  }
  mono(): number {
    return this.ms;
  }
  timer(fire: () => void): Timer {
    const off = () => void this.set.delete(fire);
    return { set: () => void this.set.add(fire), clear: off, drop: off };
  }
}

/** Reads a stream in one of four manners, by its id: holds all, takes all, answers, cuts it at its first octets. */
class Sink implements StreamSink {
  stream!: Stream;
  held = 0;
  over = false;
  ended = false;
  #headed = false;

  constructor(private readonly log: string[], private readonly manner: number) {}

  head(bytes: Uint8Array, last: boolean): void {
    this.#hears(`head ${latin1(bytes, 0, bytes.length)} ${last}`);
    this.#headed = true;
    if (last) this.ended = true;
    if (this.manner === 2) this.stream.sendHead("HTTP/1.1 200 OK\r\n\r\n", false);
    if (this.manner === 3) this.#cuts();
  }
  data(bytes: Uint8Array): void {
    this.#hears(`data ${latin1(bytes, 0, bytes.length)}`);
    this.held += bytes.length;
    assert.ok(this.held <= INITIAL_WINDOW, "more than there was credit for");
    if (this.manner === 2) this.stream.send(bytes, 0, Math.min(bytes.length, 100));
  }
  end(trailers: string): void {
    this.#hears(`end ${trailers}`);
    this.ended = true;
    if (this.manner === 2) this.stream.end();
  }
  reset(code: string): void {
    this.#hears(`reset ${code}`);
    this.over = true;
  }
  writable(): void {}

  /** Between two messages. */
  settles(): void {
    if (this.manner === 0 || this.over) return;
    const { held } = this;
    this.held = 0;
    this.stream.consumed(held);
    if (this.manner === 3 && held > 0) this.#cuts();
  }

  #cuts(): void {
    this.over = true;
    this.stream.reset("bye");
  }

  #hears(what: string): void {
    assert.ok(!this.over, `a stream that was cut hears: ${what}`);
    assert.ok(!this.ended || what.startsWith("reset"), `a stream that ended hears: ${what}`);
    if (/^(data|end) /.test(what)) {
      assert.ok(this.#headed || this.stream.open.kind === "tcp", `${what} before a head`);
    }
    const { id } = this.stream, last = this.log.length - 1;
    if (what.startsWith("data ") && this.log[last]?.startsWith(`${id} data `)) {
      this.log[last] += what.slice(5);
    } else this.log.push(`${id} ${what}`);
  }
}

/** What a session told its handler and streams, and how it ended by itself, if it did. */
interface Heard {
  readonly log: string[];
  readonly closings: CloseReason[];
}

/** A session under one reading of a story. */
async function heardOf(
  story: Story,
  carrier: Carrier,
  places: (length: number) => number[],
): Promise<Heard> {
  const log: string[] = [], closings: CloseReason[] = [], sinks: Sink[] = [];
  const clock = new StillClock();
  const sinkOf = (id: number) => {
    const sink = new Sink(log, (id + story.manner >>> 1) & 3);
    sinks.push(sink);
    return sink;
  };
  const session: Session = new Session(
    carrier.wire,
    story.role,
    {
      open(stream) {
        log.push(`${stream.id} open ${JSON.stringify(stream.open)}`);
        const sink = sinkOf(stream.id);
        sink.stream = stream;
        return sink;
      },
      control: (message) => void log.push(`control ${JSON.stringify(message)}`),
      draining: () => void log.push("draining"),
      closed: (reason) => void closings.push(reason),
    },
    clock,
    { streams: STREAMS },
  );
  await settled();
  let own = 0;
  for (const message of story.messages) {
    if (closings.length === 0 && own < story.own) {
      const sink = sinkOf(own++);
      sink.stream = session.open(own & 1 ? HTTP : TCP, sink);
    }
    carrier.give(message, places);
    if (closings.length === 0) { for (const sink of sinks) sink.settles(); }
    await settled();
    assert.ok(session.streams <= STREAMS + own, `${session.streams} streams`);
    clock.ms += 7;
  }
  if (closings.length === 0 && story.ping) {
    carrier.give(frame(Type.PING, 0, text("still on")), places);
    await settled();
    if (closings.length === 0) {
      assert.ok(carrier.sent.pongs.includes("still on"), "it goes on, and answers no PING");
    }
  }
  const ended = closings.length > 0;
  const { messages } = carrier.sent;
  if (!ended) session.close("done", "");
  await settled();
  assert.equal(closings.length, 1, "it ends once");
  assert.equal(session.streams, 0);
  for (const { over, ended, stream } of sinks) {
    if (!over && !ended) assert.fail(`stream ${stream.id} never heard of the end`);
  }
  if (ended) assert.equal(carrier.sent.messages, messages, "it sends after its end");
  assert.ok(clock.set.size <= 1, "timers are left but that which forgets the wire");
  return { log, closings: ended ? closings : [] };
}

/** Of DATA that goes beyond its credit, what came before is heard where it came alone. */
function comparable({ log, closings }: Heard): string[] {
  const [, id] = /^DATA beyond the credit of stream (\d+)$/.exec(closings[0]?.message ?? "") ?? [];
  return id === undefined ? log : log.filter((line) => !line.startsWith(`${id} data `));
}

/** Whatever a peer sends: the session goes on, or ends with a reason, and cuts make no difference. True: it went on. */
export async function sessionCase(random: Random): Promise<boolean> {
  const told = aStory(random);
  const framed = random.below(3) === 0, seed = random.below(2 ** 31);
  const spoils = framed && random.below(2) === 0;
  const carrier = () => {
    // The same octets twice, whatever the cuts.
    const again = new Random(seed);
    return framed ? new Framed((bytes) => spoils ? spoiled(again, bytes) : bytes) : new Straight();
  };
  try {
    // A frame of the WebSocket that was made longer swallows what comes after it.
    const story = spoils ? { ...told, ping: false } : told;
    const whole = await heardOf(story, carrier(), (length) => [length]);
    const inCuts = new Random(seed + 1);
    const cut = await heardOf(story, carrier(), (length) => cuts(inCuts, length));
    assert.deepEqual(comparable(cut), comparable(whole));
    // A text that is no UTF-8 is refused as the one or as the other, as it comes.
    const reasons = ({ closings }: Heard) => framed ? closings.map(({ code }) => code) : closings;
    assert.deepEqual(reasons(cut), reasons(whole));
    for (const { code, message } of whole.closings) {
      // A Close that a spoiled frame makes has a word of the peer's own.
      if (!spoils) assert.equal(code, "protocol_error", message);
      assert.notEqual(code, "internal_error", message);
      if (code === "protocol_error") assert.notEqual(message, "");
    }
    return whole.closings.length === 0;
  } catch (error) {
    const hex = told.messages.map((message) => message.toHex()).join(" ");
    throw new Error(`${JSON.stringify({ ...told, messages: undefined })} ${hex}`, { cause: error });
  }
}

/** What waits for the end of this turn is done: batches go out a microtask later. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await null;
}

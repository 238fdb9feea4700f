/** What a peer may not do: its session ends with a reason, and nothing else comes of it. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { INITIAL_WINDOW, MAX_CREDIT, PROMISED_MOST } from "../../src/core/flow.ts";
import { LAST, MAX_PAYLOAD, MORE, Type } from "../../src/core/frame.ts";
import { openLength, writeOpen } from "../../src/core/open.ts";
import { Random } from "../pure/random.ts";
import { ascii, CARRIERS, Cheat, frame, HTTP, join, TCP, turns, until } from "./session_rig.ts";
import { sendBytes } from "./wires.ts";

/** One for all, where no time passes: each is thousands of slots. */
const clock = new TestClock();

const { OPEN, HEAD, DATA, END, RESET, CREDIT, PING, PONG, DRAIN, CONTROL } = Type;

function open(stream: number, fields = HTTP): Uint8Array {
  const bytes = new Uint8Array(openLength(fields));
  writeOpen(bytes, 0, fields);
  return frame(OPEN, stream, bytes);
}

const head = (stream: number, flags = 0, text = "GET") =>
  frame(HEAD, stream, String.fromCharCode(flags) + text);
const u32 = (value: number) =>
  String.fromCharCode(value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255);
const control = (json: string, flags = 0) => frame(CONTROL, 0, join([Uint8Array.of(flags), ascii(json)]));
const full = new Uint8Array(MAX_PAYLOAD);
const window = Array.from({ length: INITIAL_WINDOW / MAX_PAYLOAD }, () => frame(DATA, 2, full));

/** Each breaks the rules with its last frame. */
const BROKEN: readonly [why: string, message: RegExp, ...frames: Uint8Array[]][] = [
  ["a type that there is not", /type 11/, frame(11, 2, "x")],
  ["a stream of ours", /OPEN of stream 3/, open(3)],
  ["an id again", /OPEN of stream 2/, open(2), head(2), open(2)],
  ["an id that was passed over", /OPEN of stream 2/, open(4), open(2)],
  ["an id of a stream that is gone", /OPEN of stream 2/, open(2), frame(RESET, 2, "bye"), open(2)],
  ["an id more than half the circle away", /OPEN of stream/, open(0x80000002)],
  ["an OPEN of nonsense", /OPEN of kind/, frame(OPEN, 2, "\x09\x00\x00\x00\x00\x00")],
  ["an OPEN that breaks a line", /visible ASCII/, frame(OPEN, 2, "\x01\x00\x01\n\x00\x00\x00")],
  ["a HEAD for nobody", /nobody opened/, head(2)],
  ["DATA for nobody", /nobody opened/, frame(DATA, 2, "x")],
  ["an END for nobody", /nobody opened/, frame(END, 2)],
  ["a RESET for nobody", /nobody opened/, frame(RESET, 3, "bye")],
  ["CREDIT for nobody", /nobody opened/, frame(CREDIT, 3, u32(5))],
  ["a large frame for nobody", /nobody opened/, frame(HEAD, 2, full)],
  ["a HEAD with unknown flags", /HEAD where none/, open(2), head(2, MORE | LAST)],
  ["a HEAD on a connection", /HEAD where none/, open(2, TCP), head(2)],
  ["DATA before the head", /DATA where none/, open(2), frame(DATA, 2, "x")],
  ["an END before the head", /END where none/, open(2), frame(END, 2)],
  ["DATA within a head", /DATA where none/, open(2), head(2, MORE), frame(DATA, 2, "x")],
  ["an END within a head", /END where none/, open(2), head(2, MORE), frame(END, 2)],
  ["a HEAD after the end", /HEAD where none/, open(2), head(2), frame(END, 2), head(2)],
  ["DATA after the end", /DATA where none/, open(2), head(2), frame(END, 2), frame(DATA, 2, "x")],
  ["an END after the end", /END where none/, open(2, TCP), frame(END, 2), frame(END, 2)],
  ["DATA after the last head", /DATA where none/, open(2), head(2, LAST), frame(DATA, 2, "x")],
  ["an END after the last head", /END where none/, open(2), head(2, LAST), frame(END, 2)],
  [
    "a head of more than 128 KiB",
    /a head of more than/,
    open(2),
    ...[1, 2, 3].map(() => frame(HEAD, 2, full.with(0, MORE))),
  ],
  ["a RESET with a sentence", /no code/, open(2), frame(RESET, 2, "Good bye!")],
  ["a RESET with line ends", /no code/, open(2), frame(RESET, 2, "bye\r\n")],
  ["DATA beyond the credit", /beyond the credit of stream 2/, open(2, TCP), ...window, frame(DATA, 2, "x")],
  ["no CREDIT at all", /CREDIT where none/, open(2), frame(CREDIT, 2, u32(0))],
  ["CREDIT beyond counting", /CREDIT where none/, open(2), frame(CREDIT, 2, u32(MAX_CREDIT))],
  [
    "CREDIT beyond counting in sum",
    /CREDIT where none/,
    open(2),
    frame(CREDIT, 2, u32(MAX_CREDIT - INITIAL_WINDOW)),
    frame(CREDIT, 2, u32(1)),
  ],
  ["windows of nothing", /streams begin with 0/, frame(CREDIT, 0, u32(0))],
  ["windows beyond counting", /streams begin with/, frame(CREDIT, 0, u32(0xffffffff))],
  ["a CONTROL with unknown flags", /unknown flags/, control("{}", 2)],
  ["no JSON", /no JSON/, control("{")],
  ["JSON that is no UTF-8", /no JSON/, frame(CONTROL, 0, '\x00{"type":"\xff"}')],
  ["JSON that ends within a character", /no JSON/, control('{"', MORE), frame(CONTROL, 0, "\x00\xc3")],
  [
    "more than 1 MiB",
    /a control message of more than/,
    ...Array.from({ length: 17 }, () => frame(CONTROL, 0, full.with(0, MORE))),
  ],
  ["a list", /is no object/, control("[]")],
  ["nothing", /is no object/, control("null")],
  ["a message without a type", /type is missing/, control("{}")],
  ["a type that is no text", /type is missing/, control('{"type":{"toString":1}}')],
  ["a hello that says nothing", /version is missing/, control('{"type":"hello"}')],
  [
    "a bye for no known reason",
    /reason is missing/,
    control('{"type":"bye","reason":"constructor","message":""}'),
  ],
  [
    "a list as deep as a message is long",
    /is no object|no JSON/,
    control("[".repeat(60_000) + "]".repeat(5_000)),
  ],
];

/** Each is unusual and breaks no rule. */
const FINE: readonly [why: string, ...frames: Uint8Array[]][] = [
  ["ids that were passed over", open(8), open(10)],
  ["an id close to half the circle away, and so around it", open(0x7ffffffe), open(0xfffffffc), open(2)],
  [
    "frames for a stream that is gone",
    open(2),
    frame(RESET, 2, "bye"),
    head(2, 7),
    frame(DATA, 2, full),
    frame(END, 2),
    frame(CREDIT, 2, u32(0)),
  ],
  ["a RESET for a stream that is gone", open(2), frame(RESET, 2, "bye"), frame(RESET, 2, "bye")],
  ["DATA without octets", open(2, TCP), frame(DATA, 2)],
  ["a whole window", open(2, TCP), ...window],
  ["as much CREDIT as counts", open(2), frame(CREDIT, 2, u32(MAX_CREDIT - INITIAL_WINDOW))],
  ["a head of no octets in several frames", open(2), head(2, MORE, ""), head(2, MORE, ""), head(2, 0, "")],
  ["a PONG that nobody asked for", frame(PONG, 0, "\x00".repeat(8))],
  ["DRAIN again", frame(DRAIN, 0), frame(DRAIN, 0)],
  [
    "a message of a type to come",
    control('{"type":"__proto__"}'),
    control('{"type":"from_the_future","x":[1]}'),
  ],
  ["streams that begin small", frame(CREDIT, 0, u32(16 * 1024)), frame(CREDIT, 0, u32(INITIAL_WINDOW))],
];

for (const { name, make } of CARRIERS) {
  Deno.test(`${name}: a frame that breaks the rules ends the session with a reason`, async () => {
    for (const [why, message, ...frames] of BROKEN) {
      const cheat = new Cheat(await make(), clock);
      const { party, ear } = cheat;
      party.onOpen = (reader) => reader.stalled = true;
      const asked = party.ask(TCP);
      // All of them in one message: what breaks the rules stands among what does not.
      cheat.say(...frames, frame(PING, 0, "too late"));
      await until(() => ear.closings.length > 0);
      const [{ code, message: said, permanent }] = party.closings;
      assert.deepEqual([code, permanent, party.closings.length], ["protocol_error", false, 1], why);
      assert.match(said, message, why);
      assert.equal(ear.closings[0].code, "protocol_error", why);
      assert.deepEqual(asked.codes, ["session_closed"], why);
      assert.equal(party.session.streams, 0, why);
      assert.ok(!cheat.heard.some((line) => line.endsWith("too late")), why);
      cheat.close();
    }
  });

  Deno.test(`${name}: what is unusual breaks no rule`, async () => {
    for (const [why, ...frames] of FINE) {
      const cheat = new Cheat(await make(), clock);
      cheat.party.onOpen = (reader) => reader.stalled = true;
      cheat.say(...frames, frame(PING, 0, "still on"));
      await until(() => cheat.heard.includes(`${PONG} 0 still on`) || cheat.party.closings.length > 0);
      assert.deepEqual(cheat.party.closings, [], why);
      cheat.close();
    }
  });

  Deno.test(`${name}: a message that ends within a frame ends the session`, async () => {
    for (const octets of [1, 7, 8, 11]) {
      const cheat = new Cheat(await make(), clock);
      sendBytes(cheat.pair.ends[0], frame(PING, 0, "12345678").subarray(0, octets));
      await until(() => cheat.party.closings.length > 0);
      assert.match(cheat.party.closings[0].message, /ended within a frame/);
      cheat.close();
    }
  });

  Deno.test(`${name}: a frame for nobody is refused before it is whole`, async () => {
    for (const [type, stream] of [[HEAD, 2], [OPEN, 3], [END, 9]]) {
      const cheat = new Cheat(await make(), clock);
      sendBytes(cheat.pair.ends[0], frame(type, stream, new Uint8Array(700)).subarray(0, 20));
      await until(() => cheat.party.closings.length > 0);
      assert.match(cheat.party.closings[0].message, /nobody opened|OPEN of stream/);
      cheat.close();
    }
  });

  Deno.test(`${name}: what a handler throws ends its session, and the process goes on`, async () => {
    const cases: [frames: Uint8Array[], spoil: (cheat: Cheat) => void][] = [
      [[open(2)], ({ party }) => party.onOpen = fail],
      [[control('{"type":"bye","reason":"draining","message":""}')], ({ party }) => party.onControl = fail],
      [[open(2), head(2)], ({ party }) => party.onOpen = (reader) => reader.onHead = fail],
      [[open(2, TCP), frame(DATA, 2, "x")], ({ party }) => party.onOpen = (reader) => reader.data = fail],
      [[open(2, TCP), frame(RESET, 2, "x")], ({ party }) => party.onOpen = (reader) => reader.reset = fail],
      [[open(2, TCP), frame(11, 2)], ({ party }) => party.onOpen = (reader) => reader.reset = fail],
    ];
    for (const [frames, spoil] of cases) {
      const cheat = new Cheat(await make(), clock);
      spoil(cheat);
      const other = cheat.party.ask(TCP);
      cheat.say(...frames);
      await until(() => cheat.party.closings.length > 0);
      assert.equal(cheat.party.closings[0].code, "internal_error");
      assert.match(cheat.party.closings[0].message, /a defect of ours/);
      assert.deepEqual(other.codes, ["session_closed"]);
      cheat.close();
    }
  });
}

function fail(): never {
  throw new TypeError("a defect of ours");
}

Deno.test("frames with octets changed, left out or put in end a session with a reason or leave it be", async () => {
  const random = new Random(31);
  const fine = FINE.map(([, ...frames]) => join(frames)).filter(({ length }) => length < 2000);
  const broken = BROKEN.map(([, , ...frames]) => join(frames)).filter(({ length }) => length < 2000);
  for (let round = 0; round < 60; round++) {
    const cheats = await Promise.all(
      Array.from({ length: 50 }, async () => new Cheat(await CARRIERS[0].make(), clock)),
    );
    for (const cheat of cheats) {
      cheat.party.ask(TCP);
      const bytes = [...random.of(random.below(2) === 0 ? fine : broken)];
      for (let n = random.below(4); n >= 0; n--) {
        const at = random.below(bytes.length);
        bytes.splice(
          at,
          random.below(2),
          ...random.of([[], [random.below(256)], [bytes[at] ^ 1 << random.below(8)]]),
        );
      }
      cheat.say(Uint8Array.from(bytes));
    }
    await turns(1);
    for (const cheat of cheats) {
      const { party } = cheat;
      assert.ok(
        party.closings.every(({ code }) => code === "protocol_error"),
        JSON.stringify(party.closings),
      );
      cheat.close();
      assert.equal(party.closings.length, 1);
      assert.equal(party.session.streams, 0);
    }
  }
});

Deno.test("who opens streams with more credit than it was told it has gets no more than there is memory for", async () => {
  const cheat = new Cheat(await CARRIERS[0].make(), clock, 65_536);
  const most = PROMISED_MOST / INITIAL_WINDOW;
  for (let id = 2; id <= 2 * most + 20; id += 2) cheat.say(open(id));
  const refused = () => cheat.heard.filter((text) => text.endsWith("hub_busy")).length;
  await until(() => refused() === 9);
  assert.equal(cheat.party.session.streams, most + 1);
  cheat.say(frame(RESET, 2, "bye"), frame(RESET, 4, "bye"), open(2 * most + 22));
  await until(() => cheat.party.session.streams === most);
  assert.equal(refused(), 9);
  cheat.close();
});

/** Signs of life, ends that freeze, turns between streams, and a peer that takes nothing. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { Type } from "../../src/core/frame.ts";
import { Conn } from "../../src/net/conn.ts";
import { socketPair } from "../../src/net/socket.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import { Session } from "../../src/wire/session.ts";
import { WebSocketWire } from "../../src/wire/websocket.ts";
import {
  CARRIERS,
  Cheat,
  frame,
  join,
  Party,
  promise,
  Reader,
  Sessions,
  TCP,
  turns,
  until,
} from "./session_rig.ts";
import { sendBytes, WIRES } from "./wires.ts";

const pings = (cheat: Cheat) => cheat.heard.filter((line) => line.startsWith(`${Type.PING} `)).length;

for (const { name, make } of CARRIERS) {
  Deno.test(`${name}: after 5 s without a byte a session asks, after 12 s it is dead`, async () => {
    const cheat = new Cheat(await make());
    const { clock, party, ear } = cheat;
    const asked = party.ask(TCP);
    await turns(1);
    clock.advance(4_900);
    await turns(5);
    assert.equal(pings(cheat), 0);
    clock.advance(200);
    await until(() => pings(cheat) === 1);
    clock.advance(6_700);
    await turns(5);
    assert.deepEqual([pings(cheat), party.closings], [1, []]);
    clock.advance(300);
    assert.deepEqual(party.closings.map(({ code, permanent }) => [code, permanent]), [["dead", false]]);
    assert.deepEqual(asked.codes, ["session_closed"]);
    await until(() => ear.closings.length > 0);
    cheat.close();
  });

  Deno.test(`${name}: any byte is a sign of life`, async () => {
    const cheat = new Cheat(await make());
    const { clock, party } = cheat;
    cheat.say(frame(Type.DRAIN, 0));
    await until(() => party.drained === 1);
    const first = pings(cheat);
    for (let i = 2; i < 12; i++) {
      clock.advance(4_800);
      cheat.say(frame(Type.DRAIN, 0));
      await until(() => party.drained === i);
    }
    assert.equal(pings(cheat), first);
    clock.advance(5_100);
    await until(() => pings(cheat) === first + 1);
    // An answer that comes late is an answer.
    clock.advance(6_500);
    cheat.say(frame(Type.DRAIN, 0));
    await until(() => party.drained === 12);
    clock.advance(4_900);
    assert.deepEqual(party.closings, []);
    cheat.close();
  });
}

promise("two idle sessions stay, and know how long a round trip takes", async (sessions) => {
  const { acceptor, dialler, clock } = sessions;
  for (let s = 0; s < 40; s++) {
    clock.advance(1_000);
    await turns(5);
    // What crosses TCP may take more turns than these.
    await until(() => acceptor.session.rttMs !== null || s < 5);
  }
  assert.deepEqual([acceptor.closings, dialler.closings], [[], []]);
  assert.ok(acceptor.session.rttMs! < 12_000 && dialler.session.rttMs! < 12_000);
});

Deno.test("a connection whose other end takes nothing is dropped 5 s after its session was closed", async () => {
  const clock = new TestClock();
  const [client] = socketPair(8);
  const conn = new Conn(client);
  const party = new Party();
  party.session = new Session(new WebSocketWire(conn, "client"), "dialler", party, clock, { streams: 10 });
  conn.start();
  await turns(1);
  const asked = party.ask(TCP);
  asked.give(1_000_000);
  await turns(1);
  party.session.close("draining", "");
  clock.advance(4_900);
  await turns(1);
  assert.deepEqual([conn.destroyed, conn.queued > 0], [false, true]);
  clock.advance(200);
  assert.deepEqual([conn.destroyed, conn.queued], [true, 0]);
});

for (const { name, make } of WIRES) {
  // Eight octets at a time the megabytes would take too long.
  if (name.includes("8 octets")) continue;
  Deno.test(`${name}: bulk with the largest windows does not stall a small request, and takes turns`, async () => {
    const pair = await make();
    const sessions = new Sessions(pair);
    const { acceptor, dialler } = sessions;
    const octets = () => dialler.readers.slice(0, 4).map((reader) => reader.octets);
    const sum = () => octets().reduce((all, n) => all + n, 0);
    let before = 0, ahead = -1, shares: number[] = [];
    dialler.onOpen = (reader) => {
      if (dialler.readers.length < 5) return;
      reader.onHead = () => {
        ahead = sum() - before;
        shares = octets();
      };
    };
    // It is asked within the delivery of bulk, where all that waits is bulk's.
    const data = Reader.prototype.data;
    const bulk = Array.from({ length: 4 }, () => acceptor.ask(TCP));
    await until(() => dialler.readers.length === 4);
    for (const reader of dialler.readers) {
      reader.data = (bytes) => {
        data.call(reader, bytes);
        if (before > 0 || sum() < 60_000_000) return;
        before = sum();
        acceptor.ask().stream.sendHead("GET / HTTP/1.1\r\n\r\n", true);
      };
    }
    for (const reader of bulk) reader.give(1_000_000_000);
    await until(() => ahead >= 0);
    // A batch that waits, one on its way and one that is read; a kernel holds some megabytes more, and windows of
    // 4 MiB grow at different times there.
    const slack = name.includes("TCP") ? 8 * 1024 * 1024 : 0;
    assert.ok(ahead <= 3 * 256 * 1024 + slack, `${ahead} octets went first`);
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 512 * 1024 + slack, String(shares));
    sessions.close();
    pair.cut?.();
  });
}

Deno.test("a peer that asks for answers and takes none is cut, and little is held for it", async () => {
  // Nobody reads the other end.
  const [ours, theirs] = memoryPair();
  const party = new Party();
  party.session = new Session(theirs, "acceptor", party, new TestClock(), { streams: 10 });
  const many = join(Array.from({ length: 50_000 }, () => frame(Type.PING, 0, "answer !")));
  let said = 0;
  while (party.closings.length === 0) {
    sendBytes(ours, many);
    said += many.length;
    await turns(1);
    assert.ok(party.session.load <= 33 * 1024 * 1024);
    assert.ok(said < 64 * 1024 * 1024);
  }
  assert.equal(party.closings[0].code, "protocol_error");
  assert.match(party.closings[0].message, /takes nothing of what it asks for/);
});

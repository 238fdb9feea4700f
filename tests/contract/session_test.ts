/** What a session promises of its streams, over every wire and however the bytes are cut. */
import assert from "node:assert/strict";
import { MAX_HEAD } from "../../src/wire/stream.ts";
import { ascii, HTTP, promise, TCP, until } from "./session_rig.ts";

promise("a request and its answer pass, interim heads, bodies and trailers included", async (sessions) => {
  const { acceptor, dialler } = sessions;
  dialler.onOpen = (reader) => {
    assert.deepEqual(reader.stream.open, HTTP);
    reader.onHead = () => {
      reader.stream.sendHead("HTTP/1.1 103 Early Hints\r\n\r\n", false);
      reader.stream.sendHead(ascii("HTTP/1.1 200 OK\r\nX: e\r\n\r\n"), false);
      reader.stream.send(ascii("answer"), 0, 6);
      reader.stream.end("A: 1\r\nB: \xe9\r\n");
    };
  };
  const asked = acceptor.ask();
  asked.stream.sendHead("POST / HTTP/1.1\r\nX: \xff\r\n\r\n", false);
  asked.stream.send(ascii("..body.."), 2, 6);
  asked.stream.end();
  await until(() => asked.ended !== null && sessions.last.ended !== null);
  assert.deepEqual(sessions.last.heads, ["POST / HTTP/1.1\r\nX: \xff\r\n\r\n"]);
  assert.deepEqual([sessions.last.text, sessions.last.ended], ["body", ""]);
  assert.deepEqual(asked.heads, ["HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nX: e\r\n\r\n"]);
  assert.deepEqual([asked.text, asked.ended], ["answer", "A: 1\r\nB: \xe9\r\n"]);
  assert.deepEqual([acceptor.session.streams, dialler.session.streams], [0, 0]);
});

promise(
  "a message that is all head needs no end, and its stream is gone with the second",
  async (sessions) => {
    const { acceptor, dialler } = sessions;
    const asked = acceptor.ask();
    asked.stream.sendHead("GET", true);
    asked.stream.sendHead("again", true);
    asked.stream.end();
    await until(() => sessions.last?.heads.length === 1);
    assert.deepEqual([sessions.last.heads, sessions.last.ended], [["GET|"], null]);
    assert.equal(dialler.session.streams, 1);
    sessions.last.stream.sendHead("204", true);
    assert.equal(dialler.session.streams, 0);
    await until(() => asked.heads.length === 1);
    assert.equal(acceptor.session.streams, 0);
  },
);

promise("a head may take several frames, up to 128 KiB, as text or octets", async (sessions) => {
  const { acceptor } = sessions;
  const heads = [65_534, 65_535, 65_536, 131_070, MAX_HEAD].map((n) =>
    "a\xe9".repeat(n / 2) + "!".repeat(n % 2)
  );
  const asked = acceptor.ask();
  for (const head of heads) {
    asked.stream.sendHead(head, false);
    asked.stream.sendHead(Uint8Array.from(head, (c) => c.charCodeAt(0)), false);
  }
  assert.throws(() => asked.stream.sendHead("x".repeat(MAX_HEAD + 1), false), RangeError);
  asked.stream.end();
  await until(() => sessions.last?.ended === "");
  assert.ok(sessions.last.heads.every((head, i) => head === heads[i >>> 1]));
  assert.equal(sessions.last.heads.length, 2 * heads.length);
});

promise(
  "either side cuts a stream with a code, once, and nothing is heard of it afterwards",
  async (sessions) => {
    const { acceptor, dialler } = sessions;
    const one = acceptor.ask(), two = acceptor.ask();
    one.stream.sendHead("GET", false);
    two.stream.sendHead("GET", false);
    await until(() => dialler.readers.length === 2 && dialler.readers[1].heads.length === 1);
    const [first, second] = dialler.readers;
    assert.throws(() => one.stream.reset("No Code"), RangeError);
    assert.throws(() => one.stream.reset(""), RangeError);
    // Each is cut while the other side still sends.
    one.stream.reset("visitor_left");
    one.stream.reset("again");
    first.stream.send(ascii("late"), 0, 4);
    first.stream.end();
    second.stream.sendHead("200", false);
    second.stream.reset("target_closed");
    assert.equal(two.stream.send(ascii("more"), 0, 4), 4);
    two.stream.end("T: 1\r\n");
    await until(() => first.codes.length > 0 && two.codes.length > 0);
    const third = acceptor.ask();
    third.stream.sendHead("GET", true);
    await until(() => dialler.readers.length === 3 && dialler.readers[2].heads.length === 1);
    assert.deepEqual([first.codes, first.text, one.codes, one.text], [["visitor_left"], "", [], ""]);
    assert.deepEqual([two.codes, two.heads, second.codes, second.ended], [
      ["target_closed"],
      ["200"],
      [],
      null,
    ]);
    assert.equal(first.stream.send(ascii("x"), 0, 1), 1);
    first.stream.sendHead("x", false);
    first.stream.consumed(5);
    assert.deepEqual([acceptor.session.streams, dialler.session.streams], [1, 1]);
  },
);

promise("a connection ends one way and goes on the other", async (sessions) => {
  const { acceptor } = sessions;
  const asked = acceptor.ask(TCP);
  asked.stream.send(ascii("all I say"), 0, 9);
  asked.stream.end();
  assert.equal(asked.stream.send(ascii("late"), 0, 4), 4);
  await until(() => sessions.last?.ended === "");
  assert.equal(sessions.last.text, "all I say");
  for (const word of ["one ", "two ", "three"]) {
    sessions.last.stream.send(ascii(word), 0, word.length);
    await until(() => asked.text.endsWith(word));
  }
  sessions.last.stream.end();
  await until(() => asked.ended === "");
  assert.equal(asked.text, "one two three");
});

promise(
  "both sides open streams at once: even ids by the dialler, odd ones by the acceptor",
  async (sessions) => {
    const { acceptor, dialler } = sessions;
    const asked = Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? dialler : acceptor).ask());
    assert.deepEqual(asked.map(({ stream }) => stream.id), [2, 1, 4, 3, 6, 5]);
    for (const [i, { stream }] of asked.entries()) stream.sendHead(`stream ${i}`, true);
    await until(() =>
      [...acceptor.readers, ...dialler.readers].filter(({ heads }) => heads.length > 0).length === 6
    );
    assert.deepEqual(acceptor.readers.map(({ heads }) => heads[0]), ["stream 0|", "stream 2|", "stream 4|"]);
    assert.deepEqual(dialler.readers.map(({ heads }) => heads[0]), ["stream 1|", "stream 3|", "stream 5|"]);
  },
);

promise(
  "streams beyond the limit are refused with hub_busy, and admitted again when others have ended",
  async (sessions) => {
    const { acceptor, dialler } = sessions;
    const asked = Array.from({ length: 4 }, () => acceptor.ask());
    for (const { stream } of asked) stream.sendHead("GET", true);
    await until(() => asked[3].codes.length > 0);
    assert.deepEqual(asked.map(({ codes }) => codes), [[], [], [], ["hub_busy"]]);
    assert.deepEqual([dialler.readers.length, dialler.session.streams, acceptor.session.streams], [3, 3, 3]);
    // The limit is for what the other side opens.
    dialler.ask().stream.sendHead("GET", true);
    dialler.readers[0].stream.reset("target_closed");
    await until(() => asked[0].codes.length > 0);
    acceptor.ask().stream.sendHead("GET", true);
    await until(() => dialler.readers.length === 4);
  },
  3,
);

promise("bodies larger than every window pass both ways on several streams at once", async (sessions) => {
  const { acceptor, dialler } = sessions;
  const size = 300_000;
  dialler.onOpen = (reader) => reader.give(size + 3);
  const asked = [1, 2].map(() => acceptor.ask(TCP));
  for (const reader of asked) reader.give(size);
  await until(() => [...asked, ...dialler.readers].every(({ ended }) => ended === ""));
  assert.deepEqual(asked.map(({ octets }) => octets), [size + 3, size + 3]);
  assert.deepEqual(dialler.readers.map(({ octets }) => octets), [size, size]);
  assert.deepEqual([acceptor.session.streams, dialler.session.streams], [0, 0]);
});

promise(
  "a session that is closed sends what waits, cuts its streams and tells the other side why",
  async (sessions) => {
    const { acceptor, dialler } = sessions;
    const asked = acceptor.ask(), done = acceptor.ask();
    done.stream.sendHead("GET", true);
    await until(() => dialler.readers[1]?.heads.length === 1);
    done.stream.reset("visitor_left");
    asked.stream.sendHead("last words", false);
    acceptor.session.close("replaced", "another process uses this state");
    acceptor.session.close("again", "");
    await until(() => dialler.closings.length > 0);
    const reason = { code: "replaced", message: "another process uses this state", permanent: false };
    assert.deepEqual([acceptor.closings, dialler.closings], [[reason], [reason]]);
    assert.deepEqual([asked.codes, done.codes], [["session_closed"], []]);
    assert.deepEqual(dialler.readers[0].heads, ["last words"]);
    assert.deepEqual(dialler.readers.map(({ codes }) => codes), [["session_closed"], ["visitor_left"]]);
    for (const { session } of [acceptor, dialler]) {
      assert.equal(session.streams, 0);
      assert.throws(() => session.open(HTTP, asked), /the session is over/);
      session.control({ type: "later" });
      session.drain();
    }
  },
);

promise("whoever drains is heard, and what is open goes on", async (sessions) => {
  const { acceptor, dialler } = sessions;
  const asked = acceptor.ask();
  asked.stream.sendHead("GET", true);
  acceptor.session.drain();
  await until(() => dialler.drained === 1);
  sessions.last.stream.sendHead("200", true);
  await until(() => asked.heads.length === 1);
  assert.deepEqual([acceptor.drained, dialler.closings, asked.codes], [0, [], []]);
});

promise("an OPEN that can not be sent opens nothing", (sessions) => {
  const { acceptor } = sessions;
  assert.throws(() => acceptor.session.open({ ...HTTP, host: "a b" }, acceptor.ask()), RangeError);
  assert.throws(() => acceptor.session.open({ ...HTTP, link: "x".repeat(256) }, acceptor.ask()), RangeError);
  assert.equal(acceptor.session.streams, 2);
  return Promise.resolve();
});

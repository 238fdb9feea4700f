import assert from "node:assert/strict";
import { latin1, toBytes } from "../../src/core/latin1.ts";
import { Conn, type ConnHandler } from "../../src/net/conn.ts";
import { type Socket, socketPair } from "../../src/net/socket.ts";
import { TestVisitor, until } from "./visitor_rig.ts";

/** Hears everything, and consumes what it is told to. */
class Hearing implements ConnHandler {
  text = "";
  ends = 0;
  failures: string[] = [];
  flushedOctets = 0;
  consume = (bytes: Uint8Array): number => bytes.length;

  data(bytes: Uint8Array): number {
    const n = this.consume(bytes);
    this.text += latin1(bytes, 0, n);
    return n;
  }

  end(): void {
    this.ends++;
  }

  failed(error: Error): void {
    this.failures.push(error.message);
  }

  flushed(n: number): void {
    this.flushedOctets += n;
  }
}

function connected(capacity?: number): { conn: Conn; hearing: Hearing; peer: TestVisitor } {
  const [here, there] = socketPair(capacity);
  const conn = new Conn(here), hearing = new Hearing();
  conn.handler = hearing;
  conn.start();
  return { conn, hearing, peer: new TestVisitor(there) };
}

Deno.test("text and octets go out in the order they were written, each octet once", async () => {
  const { conn, hearing, peer } = connected(1000);
  let expected = "";
  // Sizes about those of the batches that they are gathered in.
  for (const size of [0, 1, 2_047, 2_048, 16_384, 65_535, 65_536, 65_537, 200_000]) {
    const ascii = "a".repeat(size), wide = "\xe9".repeat(size), octets = "\x00\x7f\x80\xff".repeat(size / 4);
    conn.writeText(ascii);
    conn.writeText(wide);
    conn.write(toBytes(octets));
    expected += ascii + wide + octets;
  }
  assert.equal(conn.queued, expected.length);
  conn.end();
  conn.writeText("after the end");
  assert.equal(await peer.rest(), expected);
  assert.equal(hearing.flushedOctets, expected.length);
  assert.equal(conn.queued, 0);
  conn.destroy();
});

Deno.test("what is not consumed is offered again, with what came since", async () => {
  const { conn, hearing, peer } = connected();
  const offered: number[] = [];
  hearing.consume = (bytes) => {
    offered.push(bytes.length);
    return bytes.length < 6 ? 0 : 6;
  };
  await peer.send("abc");
  await until(() => offered.length === 1);
  assert.equal(conn.held, 3);
  await peer.send("defgh");
  await until(() => hearing.text === "abcdef");
  hearing.consume = (bytes) => bytes.length;
  conn.resume();
  assert.equal(hearing.text, "abcdefgh");
  conn.destroy();
});

Deno.test("a connection whose reader stops takes no more than its buffer holds, and goes on where it stopped", async () => {
  const { conn, hearing, peer } = connected(1000);
  hearing.consume = () => 0;
  const sent = peer.send("0123456789".repeat(10_000));
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setTimeout(resolve));
  assert.ok(conn.held <= 2048, String(conn.held));
  hearing.consume = (bytes) => bytes.length;
  conn.resume();
  await sent;
  await until(() => hearing.text.length === 100_000);
  assert.equal(hearing.text, "0123456789".repeat(10_000));
  conn.destroy();
});

Deno.test("the end comes after all that came before it was consumed, once", async () => {
  const { conn, hearing, peer } = connected();
  hearing.consume = () => 0;
  await peer.send("last");
  await peer.end();
  await until(() => conn.atEnd);
  assert.equal(hearing.ends, 0);
  hearing.consume = (bytes) => bytes.length;
  conn.resume();
  conn.resume();
  assert.deepEqual([hearing.text, hearing.ends], ["last", 1]);
  conn.destroy();
});

Deno.test("a new handler gets what the old one left", async () => {
  const { conn, hearing, peer } = connected();
  const next = new Hearing();
  hearing.consume = () => {
    conn.handler = next;
    return 2;
  };
  await peer.send("abcd");
  await until(() => next.text !== "");
  assert.deepEqual([hearing.text, next.text], ["ab", "cd"]);
  conn.destroy();
});

Deno.test("a handler that throws breaks its connection and hears of it once", async () => {
  const { hearing, peer } = connected();
  hearing.consume = () => {
    throw new Error("a defect");
  };
  await peer.send("x");
  assert.equal(await peer.rest(), "");
  assert.deepEqual(hearing.failures, ["a defect"]);
});

Deno.test("a connection that breaks says so once, whichever way it was noticed", async () => {
  const { conn, hearing, peer } = connected(10);
  conn.writeText("x".repeat(100));
  peer.leave();
  await until(() => hearing.failures.length > 0);
  conn.writeText("y");
  conn.destroy();
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(hearing.failures.length, 1);
  assert.equal(conn.destroyed, true);
});

Deno.test("nothing is heard after destroy", async () => {
  const { conn, hearing, peer } = connected(10);
  conn.writeText("x".repeat(100));
  await peer.send("y");
  await until(() => hearing.text === "y");
  const { flushedOctets } = hearing;
  conn.destroy();
  await peer.rest();
  assert.deepEqual([hearing.ends, hearing.failures, hearing.flushedOctets], [0, [], flushedOctets]);
});

Deno.test("close lets what is queued go out first", async () => {
  const { conn, peer } = connected(10);
  conn.writeText("x".repeat(1000));
  conn.close();
  assert.equal(conn.destroyed, false);
  assert.equal((await peer.rest()).length, 1000);
  await until(() => conn.destroyed);
});

Deno.test("lingering takes what still comes, but not for ever", async () => {
  const { conn, hearing, peer } = connected();
  conn.writeText("bye");
  conn.linger();
  assert.equal(await peer.rest(), "bye");
  await assert.rejects(peer.send("x".repeat(2 * 1024 * 1024)), Deno.errors.BrokenPipe);
  assert.equal(hearing.text, "");
  assert.equal(hearing.failures.length, 1);
});

Deno.test("lingering for a peer that has ended closes once all is written", async () => {
  const { conn, hearing, peer } = connected(10);
  await peer.end();
  await until(() => hearing.ends === 1);
  conn.writeText("x".repeat(1000));
  conn.linger();
  assert.equal((await peer.rest()).length, 1000);
  await until(() => conn.destroyed);
  assert.equal(hearing.failures.length, 1);
});

Deno.test("what was not given to the kernel can be taken back, and goes out no more", async () => {
  const { conn, peer } = connected();
  conn.writeText("abc");
  conn.write(toBytes("def"));
  assert.equal(conn.reclaim().map((part) => latin1(part)).join(""), "abcdef");
  assert.equal(conn.queued, 0);
  conn.writeText("new");
  conn.close();
  assert.equal(await peer.rest(), "new");
});

Deno.test("writes of one turn go out in one operation", async () => {
  const batches: number[] = [];
  const never = new Promise<null>(() => {});
  const socket: Socket = {
    read: () => never,
    write: (p) => {
      batches.push(p.length);
      return Promise.resolve(p.length);
    },
    closeWrite: () => Promise.resolve(),
    close() {},
  };
  const conn = new Conn(socket), hearing = new Hearing();
  conn.handler = hearing;
  for (let i = 0; i < 100; i++) conn.writeText("0123456789");
  await until(() => hearing.flushedOctets === 1000);
  assert.deepEqual(batches, [1000]);
});

Deno.test("what is given goes out in its place among what is written, and is given back once the kernel has all of it", async () => {
  const { conn, hearing, peer } = connected(1000);
  const given: Uint8Array<ArrayBuffer>[] = [];
  let expected = "", out = 0;
  for (const size of [1, 70_000, 300_000, 20_000, 5]) {
    const buffer = new Uint8Array(size + 6).fill(33 + given.length);
    given.push(buffer);
    conn.writeText("<");
    // Whoever gets it back too early spoils what is still to go out.
    conn.give(buffer, 3, size + 3, () => {
      out++;
      buffer.fill(0);
    });
    conn.write(toBytes(">"));
    expected += "<" + latin1(buffer, 3, size + 3) + ">";
  }
  assert.deepEqual([conn.queued, out], [expected.length, 0]);
  conn.close();
  const late = new Uint8Array(10);
  conn.give(late, 0, 10, () => out++);
  assert.equal(out, 1, "nobody keeps what is given after the end");
  assert.equal(await peer.rest() === expected, true);
  assert.deepEqual([out, hearing.flushedOctets, conn.queued], [1 + given.length, expected.length, 0]);
});

Deno.test("a connection that is destroyed does not give back what the kernel may still read", async () => {
  const { conn, peer } = connected(1000);
  let out = 0;
  for (const size of [1_500, 20_000]) conn.give(new Uint8Array(size), 0, size, () => out++);
  await until(() => conn.queued < 21_500);
  conn.destroy();
  await peer.rest();
  assert.deepEqual([out, conn.queued], [0, 0]);
});

/** A tunnel that is up and stuck is told from one that is idle, and from one that is slow. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { Conn } from "../../src/net/conn.ts";
import { Progress } from "../../src/wire/progress.ts";
import { Session } from "../../src/wire/session.ts";
import { WebSocketWire } from "../../src/wire/websocket.ts";
import { eventually } from "../hub/rig.ts";
import { Party } from "./session_rig.ts";

Deno.test("what stands still is stuck for as long as nothing leaves, whatever else is added", () => {
  const progress = new Progress();
  const session = { progress: { queued: 0, sent: 0 } };
  for (
    const [now, queued, sent, due, why] of [
      [0, 0, 0, 0, "nothing waits"],
      [1000, 500, 100, 0, "it is new"],
      [2000, 500, 100, 1000, "nothing left"],
      [3000, 900, 90, 2000, "the wire added something of its own"],
      [9000, 900, 100, 8000, "still nothing"],
      [9500, 900, 101, 0, "an octet left"],
      [10000, 900, 101, 500, "and no other"],
      [11000, 0, 1001, 0, "all left"],
      [20000, 10, 1001, 0, "the time in which nothing waited does not count"],
    ] as const
  ) {
    session.progress = { queued, sent };
    assert.equal(progress.stuckMs(session, now), due, why);
  }
});

Deno.test("a session whose other end reads nothing is stuck, and is not once it reads", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, far] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port }),
    listener.accept(),
  ]);
  listener.close();
  const clock = new TestClock(), progress = new Progress();
  const join = (socket: Deno.TcpConn, role: "dialler" | "acceptor") => {
    const conn = new Conn(socket), party = new Party();
    const wire = new WebSocketWire(conn, role === "dialler" ? "client" : "server");
    party.session = new Session(wire, role, party, clock, { streams: 10 });
    conn.start();
    return { conn, party };
  };
  const { conn, party: sender } = join(near, "dialler");
  // More than any kernel keeps for a connection, and less than a session is cut for.
  for (let i = 0; i < 14; i++) sender.session.control({ type: "filler", text: "x".repeat(1_000_000) });
  let before = -1;
  await eventually(() => sender.session.progress, ({ queued, sent }) => {
    const same = sent === before && queued > 0;
    before = sent;
    return same;
  });
  assert.equal(progress.stuckMs(sender.session, 0), 0);
  assert.equal(progress.stuckMs(sender.session, 8_000), 8_000);
  assert.deepEqual(sender.closings, []);
  const reader = join(far, "acceptor");
  await eventually(() => sender.session.progress, ({ queued }) => queued === 0);
  assert.equal(progress.stuckMs(sender.session, 9_000), 0);
  assert.ok(sender.session.progress.sent > 14_000_000);
  sender.session.close("closed", "");
  reader.party.session.close("closed", "");
  conn.destroy();
  reader.conn.destroy();
});

import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { Failure } from "../../src/core/errors.ts";
import { Dialler, type Talk } from "../../src/daemon/dial.ts";
import type { Serving } from "../../src/daemon/serve.ts";
import type { Control } from "../../src/wire/hello.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import { type CloseReason, Session, type SessionHandler } from "../../src/wire/session.ts";
import type { Stream, StreamSink } from "../../src/wire/stream.ts";
import type { Wire } from "../../src/wire/wire.ts";

/** Lets everything that is due without the passing of time happen. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

const NOTHING: StreamSink = { head() {}, data() {}, end() {}, reset() {}, writable() {} };

/** The hub's end of one session. */
class HubEnd implements SessionHandler {
  readonly session: Session;
  readonly said: Control[] = [];
  drained = false;
  over: CloseReason | null = null;

  constructor(wire: Wire, clock: TestClock) {
    this.session = new Session(wire, "acceptor", this, clock, { streams: 100 });
  }
  open(_stream: Stream): StreamSink {
    return NOTHING;
  }
  control(message: Control): void {
    this.said.push(message);
  }
  draining(): void {
    this.drained = true;
  }
  closed(reason: CloseReason): void {
    this.over = reason;
  }
  async welcome(): Promise<void> {
    const message = {
      version: 1,
      hub: "h",
      limits: { streams: 10 },
      links: [],
      revoked: [],
      hubs: [],
      revision: 1,
    };
    this.session.control({ type: "welcome", ...message });
    await settle();
  }
  async bye(reason: string): Promise<void> {
    this.session.control({ type: "bye", reason, message: `said ${reason}` });
    this.session.close(reason, `said ${reason}`);
    await settle();
  }
}

/** A dialler, and the hub that it dials. */
class Rig implements Talk {
  readonly clock = new TestClock();
  readonly ends: HubEnd[] = [];
  readonly opened: Stream[] = [];
  readonly heardOf: Control[] = [];
  changes = 0;
  readonly dialledAt: number[] = [];
  /** What dialling comes to; null: a session. */
  refuse: Error | null = null;
  readonly dialler: Dialler;

  constructor(connections = 1) {
    const serving = { open: (stream: Stream) => (this.opened.push(stream), NOTHING) } as unknown as Serving;
    const connect = () => {
      this.dialledAt.push(this.clock.mono());
      if (this.refuse !== null) return Promise.reject(this.refuse);
      const [ours, theirs] = memoryPair();
      this.ends.push(new HubEnd(theirs, this.clock));
      return Promise.resolve(ours);
    };
    const options = { hub: "https://hub.test", connections, connect, serving, talk: this, clock: this.clock };
    this.dialler = new Dialler({ ...options, random: () => 0 });
  }

  static async start(connections = 1): Promise<Rig> {
    const rig = new Rig(connections);
    await settle();
    for (const end of rig.ends) await end.welcome();
    return rig;
  }

  hello(_hub: string, connection: number): Control[] {
    const hello = { version: 1, software: "t", features: [], daemon: "d", instance: "i", revision: 1 };
    return [{ type: "hello", ...hello, connection, services: [], links: [], more: false }];
  }
  heard(_hub: string, message: Control): void {
    this.heardOf.push(message);
  }
  changed(): void {
    this.changes++;
  }
  /** Time passes in steps: within one the sessions hear nothing of each other, and would take it for a loss. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      this.clock.advance(Math.min(left, 1_000));
      await settle();
    }
  }
  get dials(): number {
    return this.dialledAt.length;
  }
  get last(): HubEnd {
    return this.ends[this.ends.length - 1];
  }
}

const stream = {
  kind: "http",
  https: false,
  link: "l",
  address: "192.0.2.1",
  requestId: "r",
  host: "h",
} as const;

Deno.test("a daemon says hello by every connection and counts as connected when it is welcome", async () => {
  const rig = new Rig(2);
  await settle();
  assert.equal(rig.dialler.state, "connecting");
  assert.deepEqual(rig.ends.map(({ said }) => said.map((m) => m.type === "hello" && m.connection)), [[0], [
    1,
  ]]);
  await rig.ends[0].welcome();
  assert.equal(rig.dialler.state, "connected");
  assert.equal(rig.dialler.connections, 1);
  await rig.ends[1].welcome();
  assert.equal(rig.dialler.connections, 2);
  assert.deepEqual(rig.heardOf.map(({ type }) => type), ["welcome", "welcome"]);
  rig.dialler.close();
});

Deno.test("streams that the hub opens are served, and what it says is heard", async () => {
  const rig = await Rig.start();
  rig.last.session.open(stream, NOTHING);
  rig.last.session.control({ type: "revoke", name: "a", id: "b", at: 1 });
  await settle();
  assert.equal(rig.opened.length, 1);
  assert.equal(rig.heardOf.at(-1)?.type, "revoke");
  assert.equal(rig.dialler.send({ type: "links", revision: 2, set: [], remove: [], more: false }), true);
  await settle();
  assert.equal(rig.last.said.at(-1)?.type, "links");
  rig.dialler.close();
});

Deno.test("a session that is lost is dialled again at once, then after ever longer waits of at most 15 s", async () => {
  const rig = await Rig.start();
  await rig.pass(10_000);
  rig.refuse = new Error("connection refused");
  const before = rig.dials;
  rig.last.session.close("lost", "the hub crashed");
  await settle();
  assert.equal(rig.dials, before + 1, "at once");
  assert.equal(rig.dialler.state, "connecting");
  assert.match(rig.dialler.lastError ?? "", /connection refused/);
  for (let i = 0; i < 1_000; i++) await rig.pass(100);
  const gaps = rig.dialledAt.slice(before).map((at, i, all) => at - (all[i - 1] ?? all[0])).slice(1);
  assert.ok(gaps[0] <= 350 && gaps[1] <= 600 && gaps[2] <= 1_100, String(gaps));
  const inFirstMinute = gaps.slice(0, 15);
  assert.ok(Math.max(...inFirstMinute) <= 4_100 && Math.max(...gaps) <= 15_100, String(gaps));
  rig.refuse = null;
  while (rig.ends.length === 1) await rig.pass(100);
  await rig.last.welcome();
  assert.equal(rig.dialler.state, "connected");
  assert.equal(rig.dialler.lastError, null);
  rig.dialler.close();
});

Deno.test("a hub that welcomes and hangs up is not dialled in a tight loop", async () => {
  const rig = await Rig.start();
  for (let i = 0; i < 20; i++) {
    rig.last.session.close("lost", "again");
    await settle();
    if (rig.last.over === null) await rig.last.welcome();
  }
  assert.ok(rig.dials < 4, String(rig.dials));
  rig.dialler.close();
});

Deno.test("a permanent refusal stops the dialling and is shown, until something is changed", async () => {
  const rig = new Rig();
  rig.refuse = new Failure("the token is not valid", { permanent: true, hint: "make another one" });
  await settle();
  rig.dialler.redial();
  await settle();
  assert.equal(rig.dialler.state, "refused");
  assert.equal(rig.dialler.lastError, "the token is not valid; make another one");
  const { dials } = rig;
  await rig.pass(120_000);
  assert.equal(rig.dials, dials);
  rig.refuse = null;
  rig.dialler.redial();
  await settle();
  await rig.last.welcome();
  assert.equal(rig.dialler.state, "connected");
  rig.dialler.close();
});

Deno.test("a revoked token ends the session for good", async () => {
  const rig = await Rig.start();
  await rig.last.bye("revoked_token");
  assert.equal(rig.dialler.state, "refused");
  await rig.pass(60_000);
  assert.equal(rig.dials, 1);
  rig.dialler.close();
});

Deno.test("a daemon that another one replaced waits a minute, with all its connections", async () => {
  const rig = await Rig.start(2);
  await rig.ends[0].bye("replaced");
  assert.equal(rig.dialler.state, "replaced");
  assert.equal(rig.dialler.connections, 0);
  await rig.pass(59_000);
  assert.equal(rig.dials, 2);
  await rig.pass(2_000);
  assert.equal(rig.dials, 4);
  rig.dialler.close();
});

Deno.test("a hub that drains is left only when another session is up", async () => {
  const rig = await Rig.start();
  const [old] = rig.ends;
  old.session.open(stream, NOTHING);
  await settle();
  old.session.drain();
  await settle();
  assert.equal(rig.ends.length, 2, "dialled anew at once");
  assert.equal(old.over, null);
  assert.equal(old.drained, false);
  await rig.last.welcome();
  assert.equal(rig.dialler.state, "connected");
  assert.equal(rig.dialler.connections, 1);
  assert.equal(old.drained, true, "takes no new streams there");
  await rig.pass(60_000);
  assert.equal(old.over, null, "a stream is open there");
  rig.opened[0].reset("target_closed");
  await rig.pass(1_000);
  assert.notEqual(old.over, null);
  assert.equal(rig.dials, 2);
  rig.dialler.close();
});

Deno.test("however often a hub drained before, the daemon dials anew as soon as for a session that was lost", async () => {
  const rig = await Rig.start();
  for (let restarts = 0; restarts < 8; restarts++) {
    await rig.pass(70_000);
    rig.refuse = new Error("connection refused");
    const end = rig.last, { dials } = rig;
    end.session.drain();
    await rig.pass(1_000);
    rig.refuse = null;
    await rig.pass(1_000);
    assert.ok(rig.dials >= dials + 2, `${rig.dials - dials} attempts in 2 s at restart ${restarts}`);
    assert.notEqual(rig.last, end);
    await rig.last.welcome();
  }
  rig.dialler.close();
});

Deno.test("a new token is used by a new session before the old one goes", async () => {
  const rig = await Rig.start();
  rig.dialler.redial();
  await settle();
  assert.equal(rig.ends.length, 2);
  assert.equal(rig.dialler.state, "connected");
  assert.equal(rig.ends[0].over, null);
  await rig.last.welcome();
  await rig.pass(1_000);
  assert.notEqual(rig.ends[0].over, null);
  assert.equal(rig.dialler.connections, 1);
  rig.dialler.close();
});

Deno.test("a hub that does not welcome a session in 5 s is dialled again", async () => {
  const rig = new Rig();
  await settle();
  await rig.pass(4_900);
  assert.equal(rig.dials, 1);
  await rig.pass(1_000);
  assert.equal(rig.dials, 2);
  assert.equal(rig.ends[0].over?.code, "welcome_timeout");
  rig.dialler.close();
});

Deno.test("while the daemon drains it opens nothing, and waits for what is open no longer than it was told", async () => {
  const rig = await Rig.start();
  rig.last.session.open(stream, NOTHING);
  await settle();
  let drained = false;
  const done = rig.dialler.drain(5_000).then(() => drained = true);
  await settle();
  assert.equal(rig.last.drained, true);
  await rig.pass(4_000);
  assert.equal(drained, false);
  await rig.pass(1_500);
  await done;
  rig.dialler.close();
  await settle();
  assert.notEqual(rig.last.over, null);
  await rig.pass(60_000);
  assert.equal(rig.dials, 1);
});

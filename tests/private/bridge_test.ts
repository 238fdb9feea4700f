/** Two streams joined at a hub: every octet in order however slowly it is taken, ends, and cuts that lose nothing. */
import assert from "node:assert/strict";
import { systemClock, TestClock } from "../../src/clock.ts";
import { Bridge } from "../../src/hub/bridge.ts";
import { Usage } from "../../src/store/usage.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import { Session } from "../../src/wire/session.ts";
import type { Stream, StreamSink } from "../../src/wire/stream.ts";
import { Random } from "../pure/random.ts";

const FIELDS = { kind: "tcp" as const, https: false, link: "db", address: "", requestId: "", host: "" };

/** One end, which takes octets when it is told to. */
class End implements StreamSink {
  stream!: Stream;
  readonly got: number[] = [];
  owed = 0;
  ended = false;
  code: string | null = null;
  eager = true;
  #wake = Promise.withResolvers<void>();

  head(): void {}

  data(bytes: Uint8Array): void {
    for (const octet of bytes) this.got.push(octet);
    if (this.eager) this.stream.consumed(bytes.length);
    else this.owed += bytes.length;
    this.#happened();
  }

  end(): void {
    this.ended = true;
    this.#happened();
  }

  reset(code: string): void {
    this.code = code;
    this.#happened();
  }

  writable(): void {
    this.#happened();
  }

  take(): void {
    this.eager = true;
    this.stream.consumed(this.owed);
  }

  async until(is: () => boolean): Promise<void> {
    while (!is()) await this.#wake.promise;
  }

  async send(bytes: Uint8Array, random: Random): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const to = Math.min(bytes.length, at + 1 + random.below(100_000));
      const sent = this.stream.send(bytes, at, to);
      at += sent;
      if (sent === 0) await this.#wake.promise;
      if (random.below(4) === 0) await new Promise((turn) => setTimeout(turn));
    }
  }

  #happened(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers();
    resolve();
  }
}

/** A member and a daemon, and the hub between them; `over`: what the bridge ended with. */
function joined() {
  const member = new End(), daemon = new End();
  const over: (string | null)[] = [];
  const sessions: Session[] = [];
  const quiet = { control() {}, draining() {}, closed() {} };
  const [toHub, fromMember] = memoryPair(8), [toDaemon, fromHub] = memoryPair(8);
  const options = { streams: 10 };
  const hubToDaemon = new Session(
    toDaemon,
    "acceptor",
    { ...quiet, open: () => member },
    systemClock,
    options,
  );
  const hub = new Session(
    fromMember,
    "acceptor",
    {
      ...quiet,
      open(stream) {
        const bridge = new Bridge(stream, (code) => over.push(code));
        // The daemon is found a while later: what has come meanwhile waits.
        setTimeout(() => bridge.over || bridge.join(hubToDaemon.open(FIELDS, bridge.sink)));
        return bridge.sink;
      },
    },
    systemClock,
    options,
  );
  const opened = Promise.withResolvers<void>();
  const atDaemon = new Session(
    fromHub,
    "dialler",
    {
      ...quiet,
      open(stream) {
        daemon.stream = stream;
        opened.resolve();
        return daemon;
      },
    },
    systemClock,
    options,
  );
  const atMember = new Session(toHub, "dialler", { ...quiet, open: () => member }, systemClock, options);
  member.stream = atMember.open(FIELDS, member);
  sessions.push(hubToDaemon, hub, atDaemon, atMember);
  return {
    member,
    daemon,
    over,
    opened: opened.promise,
    [Symbol.dispose]: () => sessions.forEach((session) => session.close("done", "")),
  };
}

Deno.test("octets cross in order both ways at once, however they are cut and however late they are taken", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = new Random(seed);
    using way = joined();
    const { member, daemon, over, opened } = way;
    const bytes = (length: number) => Uint8Array.from({ length }, () => random.below(256));
    const up = bytes(300_000 + random.below(500_000)), down = bytes(300_000 + random.below(500_000));
    member.eager = daemon.eager = seed % 2 === 0;
    const sent = member.send(up, random).then(() => member.stream.end());
    await opened;
    const back = daemon.send(down, random).then(() => daemon.stream.end());
    await member.until(() => member.got.length >= Math.min(down.length, 200_000));
    if (!member.eager) {
      // Nobody has more of us than the windows say.
      assert.ok(member.got.length <= 256 * 1024 && daemon.got.length <= 256 * 1024);
      member.take();
      daemon.take();
    }
    await Promise.all([sent, back]);
    await Promise.all([member.until(() => member.ended), daemon.until(() => daemon.ended)]);
    assert.equal(Uint8Array.from(daemon.got).every((octet, i) => octet === up[i]), true, `seed ${seed}`);
    assert.equal(Uint8Array.from(member.got).every((octet, i) => octet === down[i]), true, `seed ${seed}`);
    assert.deepEqual([daemon.got.length, member.got.length, over], [up.length, down.length, [null]]);
  }
});

Deno.test("a cut takes the other side with it, but not what came before an end", async () => {
  const random = new Random(1), whole = new Uint8Array(400_000);
  {
    using way = joined();
    await way.opened;
    way.daemon.stream.reset("target_closed");
    await way.member.until(() => way.member.code !== null);
    assert.deepEqual([way.member.code, way.over], ["target_closed", ["target_closed"]]);
  }
  {
    using way = joined();
    way.member.stream.reset("member_left");
    way.member.stream.send(whole, 0, 10);
    await new Promise((turn) => setTimeout(turn, 20));
    assert.deepEqual(way.over, ["member_left"]);
  }
  using way = joined();
  const { member, daemon, opened } = way;
  await opened;
  member.eager = false;
  // More than the member has room for: the rest waits at the hub when the cut comes.
  await daemon.send(whole, random);
  daemon.stream.end();
  daemon.stream.reset("target_closed");
  await member.until(() => member.got.length === 256 * 1024);
  await new Promise((turn) => setTimeout(turn, 20));
  member.take();
  await member.until(() => member.code !== null);
  assert.deepEqual([member.got.length, member.ended, member.code], [whole.length, true, "target_closed"]);
});

Deno.test("connections of one member to one service are told as one use, until a minute went by without any", () => {
  const clock = new TestClock(), told: string[] = [];
  const usage = new Usage<string>({
    clock,
    began: (what) => told.push(`+${what}`),
    ended: (what, { connections, bytesIn, bytesOut, ms }) =>
      told.push(`-${what} ${[connections, bytesIn, bytesOut, ms].join(" ")}`),
  });
  const first = usage.begin("a", "a"), second = usage.begin("a", "a");
  first(1, 2);
  clock.advance(120_000);
  second(3, 4);
  clock.advance(30_000);
  usage.begin("a", "a")(5, 6);
  assert.deepEqual(told, ["+a"]);
  clock.advance(61_000);
  assert.deepEqual(told, ["+a", "-a 3 9 12 150000"]);
  const open = usage.begin("b", "b");
  usage.begin("c", "c")(1, 1);
  usage.close();
  open(7, 7);
  assert.deepEqual(told.slice(2), ["+b", "+c", "-c 1 1 1 0", "-b 1 7 7 0"]);
});

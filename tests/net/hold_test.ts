/** Requests that are held for a target that can't be connected to. */
import assert from "node:assert/strict";
import { systemClock, TestClock } from "../../src/clock.ts";
import { NoDescriptor } from "../../src/net/descriptors.ts";
import { TargetPool } from "../../src/net/pool.ts";
import type { Socket } from "../../src/net/socket.ts";
import { latin1 } from "../../src/core/latin1.ts";
import type { Target } from "../../src/core/target.ts";
import { Heard, Peer } from "./target_rig.ts";

/** Answers each request of each connection with its own first line; tells how many requests came. */
class Server implements Disposable {
  readonly lines: string[] = [];
  readonly #conns = new Set<Deno.Conn>();

  constructor(readonly listener: Deno.Listener) {
    void this.#accept();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.listener) {
      this.#conns.add(conn);
      void this.#serve(conn).catch(() => {}).finally(() => {
        if (this.#conns.delete(conn)) conn.close();
      });
    }
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const peer = new Peer(conn);
    for (let head; (head = await peer.readHead()) !== null;) {
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      const line = head.split("\r\n")[0] + await peer.read(length);
      this.lines.push(line);
      await peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${line}`);
    }
  }

  [Symbol.dispose](): void {
    this.listener.close();
    for (const conn of this.#conns) conn.close();
    this.#conns.clear();
  }
}

/** A port where nobody listens, and how often a pool has knocked there. */
class Door implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly port = this.#listener.addr.port;
  knocks = 0;
  readonly pool: TargetPool;
  #wake = Promise.withResolvers<void>();

  constructor(clock = systemClock) {
    this.#listener.close();
    const target: Target = { kind: "http", host: "127.0.0.1", port: this.port };
    this.pool = new TargetPool(target, {
      tls: null,
      clock,
      connect: async () => {
        try {
          return await Deno.connect({ hostname: "127.0.0.1", port: this.port });
        } finally {
          this.knocks++;
          this.#wake.resolve();
          this.#wake = Promise.withResolvers();
        }
      },
    });
  }

  open(): Server {
    return new Server(Deno.listen({ hostname: "127.0.0.1", port: this.port }));
  }

  /** Settles when it was knocked at so often, and whoever knocked knows what came of it. */
  async knocked(times: number): Promise<void> {
    // The clock's own timers keep no process alive.
    const alive = setInterval(() => {}, 1_000);
    while (this.knocks < times) await this.#wake.promise;
    clearInterval(alive);
    await new Promise((turn) => setTimeout(turn, 0));
  }

  [Symbol.dispose](): void {
    this.pool.close();
  }
}

Deno.test("a request waits for a target that starts, with its body, and arrives once", async () => {
  using door = new Door();
  const heard = Heard.ask(door.pool, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\n\r\n", {
    framing: { kind: "length", length: 6 },
    holdMs: 30_000,
  });
  heard.send("abc");
  await door.knocked(1);
  heard.send("def");
  heard.request.finish("");
  await door.knocked(3);
  using server = door.open();
  await heard.over;
  assert.equal(heard.text, "POST / HTTP/1.1abcdef");
  assert.deepEqual(server.lines, ["POST / HTTP/1.1abcdef"]);
});

Deno.test("a hundred requests wait at one door, one of them knocks, and all go in when it opens", async () => {
  using door = new Door();
  const all = Array.from({ length: 100 }, (_, i) => Heard.ask(door.pool, `GET /${i}`, { holdMs: 30_000 }));
  await door.knocked(103);
  using server = door.open();
  await Promise.all(all.map(({ over }) => over));
  assert.deepEqual(all.map(({ text }) => text), all.map((_, i) => `GET /${i} HTTP/1.1`));
  assert.equal(new Set(server.lines).size, 100);
  assert.equal(server.lines.length, 100);
  assert.ok(door.knocks < 320, `${door.knocks} attempts`);
});

Deno.test("a unix socket that is not there yet is waited for", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "connectd-hold-" });
  try {
    const path = `${folder}/app.sock`;
    const pool = new TargetPool({ kind: "unix", path }, { tls: null, clock: systemClock });
    const heard = Heard.ask(pool, "GET /", { holdMs: 30_000 });
    assert.equal(heard.request.hurry(), false);
    const again = Heard.ask(pool, "GET /again", { holdMs: 30_000 });
    await heard.over;
    assert.equal(heard.code, "target_refused", "it was told not to wait, and did not");
    using server = new Server(Deno.listen({ transport: "unix", path }));
    await again.over;
    assert.deepEqual(server.lines, ["GET /again HTTP/1.1"]);
    pool.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

/** A pool whose connections never come about for `why`, on a clock that is turned by hand. */
function refusing(why: () => Error) {
  const clock = new TestClock();
  const state = { attempts: 0 };
  const pool = new TargetPool({ kind: "http", host: "127.0.0.1", port: 1 }, {
    tls: null,
    clock,
    connect: (): Promise<Socket> => (state.attempts++, Promise.reject(why())),
  });
  const turn = () => new Promise((settled) => setTimeout(settled, 0));
  return {
    ...{ pool, state, turn },
    ask: (holdMs: number) => Heard.ask(pool, "GET /", { holdMs }),
    async pass(ms: number): Promise<void> {
      for (let left = ms; left > 0; left -= 50) {
        clock.advance(Math.min(50, left));
        await turn();
      }
    },
  };
}

Deno.test("without hold a target that can't be connected to is refused at once", async () => {
  const { ask, state, turn } = refusing(() => new Error("nobody there"));
  const heard = ask(0);
  await turn();
  assert.deepEqual([heard.code, state.attempts, heard.cause], ["target_refused", 1, "nobody there"]);
});

Deno.test("a hold ends in its time, says how long it was, and knocks less and less often", async () => {
  const { ask, state, pass } = refusing(() => new Error("nobody there"));
  const heard = ask(5_000);
  await pass(4_900);
  assert.equal(heard.code, null);
  // At 0, 100, 300, 700, then every half second.
  assert.ok(state.attempts >= 10 && state.attempts <= 13, `${state.attempts} attempts`);
  await pass(300);
  assert.equal(heard.code, "target_refused");
  assert.match(heard.cause!, /^nobody there, held for 5[01]\d\d ms$/);
  const { attempts } = state;
  await pass(5_000);
  assert.equal(state.attempts, attempts);
});

Deno.test("each that waits has its own time, and who leaves is not waited for", async () => {
  const { ask, state, pass } = refusing(() => new Error("nobody there"));
  const short = ask(1_000), long = ask(3_000), gone = ask(60_000);
  await pass(1_200);
  gone.request.abort();
  assert.deepEqual([short.code, long.code], ["target_refused", null]);
  await pass(2_000);
  assert.equal(long.code, "target_refused");
  const { attempts } = state;
  await pass(2_000);
  assert.deepEqual([gone.code, state.attempts], [null, attempts]);
});

Deno.test("who is told to hurry knows whether it waited", async () => {
  const { ask, pass } = refusing(() => new Error("nobody there"));
  const heard = ask(60_000);
  await pass(500);
  assert.equal(heard.request.hurry(), true);
  heard.request.abort();
  assert.equal(heard.request.hurry(), false);
});

Deno.test("for a descriptor nobody waits", async () => {
  const { ask, state, turn } = refusing(() => new NoDescriptor());
  const heard = ask(60_000);
  await turn();
  assert.deepEqual([heard.code, state.attempts], ["link_busy", 1]);
});

Deno.test("a connection that is lost under a request is not tried again", async () => {
  using door = new Door();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: door.port });
  const heard = Heard.ask(door.pool, "GET /", { holdMs: 30_000 });
  const conn = await listener.accept();
  const bytes = new Uint8Array(1024);
  assert.match(latin1(bytes, 0, (await conn.read(bytes))!), /^GET \//);
  conn.close();
  await heard.over;
  assert.deepEqual([heard.code, door.knocks], ["target_closed", 1]);
});

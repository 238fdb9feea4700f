/** A target that is hostile, behind a real daemon and hub: its visitor gets 502, 504 or a cut, and the next one its own answer. */
import assert from "node:assert/strict";
import { long, RESPONSES } from "../pure/http1_vectors.ts";
import { startPair } from "../e2e/pair.ts";
import { Rig } from "../e2e/rig.ts";
import { type Visit, visit } from "./hub_world.ts";
import { peakMemory } from "./process.ts";
import { each, gone } from "./rows.ts";
import { octets, readHead } from "./tunnel.ts";

/** What a target does with a request that it has read the head of; the connection is closed then, unless it says `keep`. */
interface Attack {
  readonly name: string;
  readonly method?: string;
  readonly act: (conn: Deno.Conn) => Promise<"keep" | void>;
  /** The next visitor comes when it is over: until then, nobody could tell what it says from an answer to them. */
  readonly first?: true;
  /** Throws where a visitor must not get that. */
  readonly judge: (got: Visit) => void;
}

/** A target by hand: it serves honest requests right, and the others by the row whose turn it is. */
class Target implements Disposable {
  attack: Attack["act"] = () => Promise.resolve();
  /** The attack that is under way, or was last. */
  acting: Promise<"keep" | void> = Promise.resolve();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();

  constructor() {
    void this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      this.#conns.add(conn);
      void this.#serve(conn).catch(() => {}).then(() => this.#close(conn));
    }
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    for (;;) {
      const mark = /^\S+ (\S*)/.exec(await readHead(conn))?.[1];
      if (mark === undefined) return;
      if (!mark.startsWith("/honest")) {
        this.acting = this.attack(conn);
        if (await this.acting !== "keep") return;
      } else await write(conn, `HTTP/1.1 200 OK\r\nContent-Length: ${mark.length}\r\n\r\n${mark}`);
    }
  }

  #close(conn: Deno.Conn): void {
    if (this.#conns.delete(conn)) conn.close();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#conns) this.#close(conn);
  }
}

async function write(conn: Deno.Conn, text: string): Promise<void> {
  const bytes = octets(text);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Never a clean end of what is no whole answer. */
function failed(got: Visit): void {
  assert.ok(got.whole ? got.status === 502 : got.status !== 0, JSON.stringify(got).slice(0, 300));
}

const gets = (status: number, body: string | null = null, whole = true) => (got: Visit) => {
  assert.deepEqual([got.status, got.whole, body ?? got.body], [status, whole, got.body]);
};

const pause = (ms: number) => new Promise<void>((over) => setTimeout(over, ms));
const OK = "HTTP/1.1 200 OK\r\n", RIGHT = `${OK}Content-Length: 2\r\n\r\nok`;
const POISON = `${OK}Content-Length: 6\r\n\r\npoison`;

/** The shared vectors, as answers of a real socket. Those of upgrades ask for what a link does not admit. */
const VECTORS = RESPONSES.filter(({ request }) => request.upgrade === undefined).map(
  ({ name, request, bytes, closes, expect }): Attack => ({
    name: `vector ${name}`,
    method: request.method,
    async act(conn) {
      await write(conn, long(bytes));
      if (expect.accept && expect.reusable && !closes) return "keep";
    },
    judge: expect.accept
      ? ({ status, whole, body }) =>
        assert.deepEqual([status, whole, body], [expect.status, true, expect.body])
      : failed,
  }),
);

/** Writes until the other side has had enough. */
function forever(name: string, first: string, then: string): Attack {
  return {
    name,
    async act(conn) {
      await write(conn, first);
      for (let n = 0; n < 5000; n++) {
        await write(conn, then);
        await pause(0);
      }
    },
    judge: gets(502),
  };
}

const ATTACKS: readonly Attack[] = [
  forever("a line without an end", "HTTP/1.1 200 ", "a".repeat(10_000)),
  forever("fields without an end", OK, "A: b\r\n".repeat(1000)),
  forever("interim answers without an end", "", "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"),
  forever("a field without an end", `${OK}A: `, "a".repeat(10_000)),
  {
    name: "a head an octet at a time",
    async act(conn) {
      for (const octet of `${OK}A: ${"a".repeat(100)}`) {
        await write(conn, octet);
        await pause(50);
      }
    },
    judge: gets(504),
  },
  { name: "silence", act: () => pause(3000), judge: gets(504) },
  {
    name: "interim answers one at a time",
    async act(conn) {
      for (let n = 0; n < 30; n++) {
        await write(conn, "HTTP/1.1 100 Continue\r\n\r\n");
        await pause(100);
      }
    },
    judge: gets(504),
  },
  { name: "an alert of TLS", act: (conn) => write(conn, "\x15\x03\x01\x00\x02\x02\x28"), judge: gets(502) },
  {
    name: "two answers",
    act: async (conn) => (await write(conn, RIGHT + POISON), "keep"),
    judge: gets(200, "ok"),
  },
  {
    name: "an answer after the answer",
    async act(conn) {
      await write(conn, RIGHT);
      await pause(20);
      await write(conn, POISON);
      await gone(conn, 5000);
    },
    first: true,
    judge: gets(200, "ok"),
  },
  {
    name: "octets behind the last chunk",
    act: async (
      conn,
    ) => (await write(conn, `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${POISON}`), "keep"),
    judge: gets(200, ""),
  },
  {
    name: "an answer after it said that it closes",
    act: async (
      conn,
    ) => (await write(conn, `${OK}Connection: close\r\nContent-Length: 2\r\n\r\nok${POISON}`), "keep"),
    judge: gets(200, "ok"),
  },
  {
    name: "a body for a HEAD",
    method: "HEAD",
    act: async (conn) => (await write(conn, RIGHT + POISON), "keep"),
    judge: gets(200, ""),
  },
  {
    name: "a 101 that nobody asked for",
    act: (conn) =>
      write(
        conn,
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${POISON}`,
      ),
    judge: gets(502),
  },
  {
    name: "a body that stops, and a connection that stays for a while",
    act: async (conn) => (await write(conn, `${OK}Content-Length: 10\r\n\r\nhalf`), await pause(300)),
    judge: gets(200, "half", false),
  },
];

/** An answer, cut after each of its octets. */
const WHOLE = `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n`;
const CUTS = Array.from({ length: WHOLE.length }, (_, at): Attack => ({
  name: `closed after ${at} octets`,
  act: (conn) => write(conn, WHOLE.slice(0, at)),
  judge: failed,
}));

Deno.test("a hostile target's visitor gets 502, 504 or a cut connection, and the next one nothing but its own answer", async () => {
  await using rig = new Rig();
  using target = new Target();
  using greeter = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  void (async () => {
    for await (const conn of greeter) void write(conn, RIGHT).catch(() => {}).then(() => conn.close());
  })();
  const { port, daemon, hub } = await startPair(
    rig,
    `  plain: { target: "127.0.0.1:${target.port}", subdomain: plain, timeout: 1s }\n` +
      `  secure: { target: "https://127.0.0.1:${greeter.addr.port}", subdomain: secure, timeout: 1s }\n`,
  );
  let visits = 0;
  await each([...VECTORS, ...CUTS, ...ATTACKS], async ({ method = "GET", act, first, judge }) => {
    target.attack = act;
    judge(await visit(port, "plain", `${method} /attack`));
    if (first) await target.acting;
    for (let n = 0; n < 2; n++) {
      const mark = `/honest/${visits++}`;
      assert.deepEqual(await visit(port, "plain", `GET ${mark}`), { status: 200, whole: true, body: mark });
    }
  });
  // TLS where there is none.
  assert.equal((await visit(port, "secure", "GET /attack")).status, 502);
  for (const { pid } of [daemon, hub]) {
    const most = await peakMemory(pid);
    assert.ok(most < 400, `${most} MiB`);
  }
});

/** Whoever stops reading 1 GiB holds up itself: no memory beyond a window, no other visitor. */
import assert from "node:assert/strict";
import { MAX_WINDOW } from "../../src/core/flow.ts";
import { type Pair, startPair } from "./pair.ts";
import { eventually, type Process, Rig } from "./rig.ts";
import { check, endingOf, piece, Talk } from "./talk.ts";

const MIB = 1024 * 1024;
const OFFERED = 1024 * MIB;

/** So much is read before the reader stops: a window grows to its most on the way. */
const READ = 64 * MIB;

/** `piece` gives no more at a time. */
const PIECE = 64 * 1000;

/**
 * A side holds what a window admits, and once more on the way into the kernel: a batch of the tunnel and a read buffer of
 * 256 KiB each, which are of no account. The rest is V8's: what carried the first octets is garbage it has not collected.
 */
const GROWTH = MAX_WINDOW + 16 * MIB;

/** Serves `act` on one connection after the other. */
function target(rig: Rig, act: (talk: Talk, first: string) => Promise<void>): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  rig.atEnd(() => listener.close());
  const serve = async (talk: Talk) => {
    for (let head = await talk.head(); head !== null; head = await talk.head()) await act(talk, head.first);
  };
  (async () => {
    for await (const conn of listener) {
      const talk = new Talk(conn);
      // Kept connections end with their daemon.
      serve(talk).catch(() => {}).finally(() => talk.close());
    }
  })();
  return (listener.addr as Deno.NetAddr).port;
}

const answer = (talk: Talk, text: string) =>
  talk.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);

const head = (method: string, port: number, fields = "") =>
  `${method} / HTTP/1.1\r\nHost: one.localhost:${port}\r\n${fields}\r\n`;

async function rss({ pid }: Process): Promise<number> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/status`] }).output();
  return Number(/VmRSS:\s+(\d+) kB/.exec(new TextDecoder().decode(stdout))![1]) * 1024;
}

/** Sends the octets [from, OFFERED) of body 1 and counts them. */
async function offer(talk: Talk, moved: (octets: number) => void): Promise<void> {
  for (let at = 0; at < OFFERED; at += PIECE) {
    const bytes = piece(1, at, Math.min(PIECE, OFFERED - at));
    await talk.write(bytes);
    moved(at + bytes.length);
  }
}

/** Reads the octets [from, to) of body 1. */
async function take(talk: Talk, from: number, to: number): Promise<void> {
  await talk.octets(to - from, (bytes) => {
    check(1, from, bytes);
    from += bytes.length;
  });
}

/** What the stall costs, once nothing moves any more, and while others are served. */
async function proveStall({ hub, daemon, port }: Pair, before: number[], sent: () => number): Promise<void> {
  let last = -1, same = 0;
  await eventually(() => {
    same = sent() === last ? same + 1 : 0;
    last = sent();
    return Promise.resolve(same);
  }, (same) => same >= 10);
  assert.ok(last < OFFERED, "the reader stopped and the sender did not");
  using other = await Talk.to(port);
  for (let i = 0; i < 100; i++) {
    await other.write(head("GET", port));
    const small = (await other.head())!;
    assert.match(small.first, /^HTTP\/1\.1 200 /);
    await other.body(endingOf(small, 0), () => {});
  }
  const after = [await rss(hub), await rss(daemon)];
  ["hub", "daemon"].forEach((side, i) => {
    const growth = after[i] - before[i];
    console.log(
      `${side}: ${(growth / MIB).toFixed(1)} MiB more, ${((last - READ) / MIB).toFixed(1)} MiB on the way`,
    );
    assert.ok(growth <= GROWTH, `the ${side} grew by ${growth} octets`);
  });
}

Deno.test("a visitor that stops reading 1 GiB costs a window, and others are served meanwhile", async () => {
  await using rig = new Rig();
  let sent = 0;
  const port = target(rig, async (talk, first) => {
    if (!first.startsWith("PUT")) return answer(talk, "small");
    await talk.write(`HTTP/1.1 200 OK\r\nContent-Length: ${OFFERED}\r\n\r\n`);
    await offer(talk, (octets) => sent = octets);
  });
  const pair = await startPair(rig, `  one:\n    target: localhost:${port}\n    subdomain: one\n`);
  const download = async () => {
    const talk = await Talk.to(pair.port);
    await talk.write(head("PUT", pair.port));
    assert.equal(endingOf((await talk.head())!, 0), OFFERED);
    await take(talk, 0, READ);
    return talk;
  };
  // One that leaves first: code and buffers that any download brings are there before it counts.
  (await download()).close();
  const before = [await rss(pair.hub), await rss(pair.daemon)];
  using talk = await download();
  await proveStall(pair, before, () => sent);
  await take(talk, READ, OFFERED);
});

Deno.test("a target that stops reading 1 GiB costs a window, and others are served meanwhile", async () => {
  await using rig = new Rig();
  let goOn = () => {};
  const port = target(rig, async (talk, first) => {
    if (!first.startsWith("PUT")) return answer(talk, "small");
    await take(talk, 0, READ);
    await new Promise<void>((go) => goOn = go);
    await take(talk, READ, OFFERED);
    await answer(talk, "whole");
  });
  const pair = await startPair(rig, `  one:\n    target: localhost:${port}\n    subdomain: one\n`);
  let sent = 0;
  const upload = async () => {
    const talk = await Talk.to(pair.port);
    await talk.write(head("PUT", pair.port, `Content-Length: ${OFFERED}\r\n`));
    sent = 0;
    const sending = offer(talk, (octets) => sent = octets);
    sending.catch(() => {});
    await eventually(() => Promise.resolve(sent), (sent) => sent >= READ);
    return { talk, sending };
  };
  (await upload()).talk.close();
  const before = [await rss(pair.hub), await rss(pair.daemon)];
  const { talk, sending } = await upload();
  await proveStall(pair, before, () => sent);
  goOn();
  await sending;
  const whole = (await talk.head())!;
  let text = "";
  await talk.body(endingOf(whole, 0), (bytes) => void (text += new TextDecoder().decode(bytes)));
  assert.equal(text, "whole");
  talk.close();
});

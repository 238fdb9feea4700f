/** A peer that sends faster than it is read has no more of the loop's time than others. */
import assert from "node:assert/strict";
import { Conn } from "../../src/net/conn.ts";
import type { Socket } from "../../src/net/socket.ts";

/** Reads are answered at once, as the runtime does where octets are there already, until `octets` were read. */
function gusher(octets: number): Socket {
  return {
    read(p) {
      if (octets <= 0) return Promise.resolve(null);
      octets -= p.length;
      return Promise.resolve(p.length);
    },
    write: (p) => Promise.resolve(p.length),
    closeWrite: () => Promise.resolve(),
    close() {},
  };
}

Deno.test("while a connection gushes, timers and other connections have their turns", async () => {
  const conn = new Conn(gusher(64 * 1024 * 1024), { maxRead: 256 * 1024 });
  let heard = 0, turns = 0, over = false;
  const ended = Promise.withResolvers<void>();
  conn.handler = {
    data: (bytes) => (heard += bytes.length, bytes.length),
    end: () => ended.resolve(),
    failed: (error) => ended.reject(error),
    flushed() {},
  };
  conn.start();
  const count = () => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await ended.promise;
  over = true;
  conn.destroy();
  assert.ok(heard >= 64 * 1024 * 1024);
  assert.ok(turns >= 100, `${turns} turns of the loop`);
});

Deno.test("a connection that is destroyed between two turns is read no more", async () => {
  let reads = 0;
  const socket = gusher(Infinity), { read } = socket;
  const conn = new Conn({ ...socket, read: (p) => (reads++, read(p)) }, { maxRead: 256 * 1024 });
  conn.handler = { data: (bytes) => bytes.length, end() {}, failed() {}, flushed() {} };
  conn.start();
  await new Promise((turn) => setTimeout(turn, 5));
  conn.destroy();
  const before = reads;
  await new Promise((turn) => setTimeout(turn, 5));
  assert.ok(reads <= before + 1, `${reads - before} reads`);
});

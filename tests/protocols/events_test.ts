/** Event streams through a link: each event is with the visitor before the next one is sent. */
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { latin1 } from "../../src/core/latin1.ts";
import { Rig } from "../e2e/rig.ts";
import { endingOf, Talk } from "../e2e/talk.ts";
import { onBoth, openWays, type Way } from "./ways.ts";

/** Of each stream. */
const EVENTS = 150;

/** What an event may be: as small as it gets, or with all fields. */
const KINDS: Readonly<Record<string, (i: number) => string>> = {
  "one octet": () => "\n",
  tiny: (i) => `data:${i}\n\n`,
  whole: (i) => `id: ${i}\nevent: tick\nretry: 10\ndata: {"i":${i}}\ndata: ☃\n\n`,
  comment: () => ":\n\n",
  large: (i) => `data: ${String(i).repeat(20_000)}\n\n`,
};

/** Sends event i of a kind when the visitor says that it has the one before, and tells who leaves. */
async function serveEvents(rig: Rig): Promise<{ port: number; left: () => Promise<string> }> {
  const streams = new Map<string, ServerResponse>();
  const leavers: string[] = [];
  let tell = () => {};
  const server = createServer((request, response) => {
    const [, what, id, event] = request.url!.split("/").map(decodeURIComponent);
    if (what === "confirm") {
      const kind = KINDS[id.split(" #")[0]], next = Number(event) + 1;
      response.writeHead(204).end();
      if (next < EVENTS) streams.get(id)!.write(kind(next));
      else streams.get(id)!.end();
      return;
    }
    const fields: Record<string, string> = {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
    };
    // The other framing of a body whose end is not known: the connection's.
    if (event === "close") {
      response.useChunkedEncodingByDefault = false;
      fields.Connection = "close";
    }
    response.writeHead(200, { ...fields, "X-Last": request.headers["last-event-id"] ?? "" });
    streams.set(id, response);
    response.write(KINDS[id.split(" #")[0]](0));
    response.once("close", () => {
      if (response.writableFinished) return;
      leavers.push(id);
      tell();
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  rig.atEnd(() => void server.close().closeAllConnections());
  return {
    port: (server.address() as AddressInfo).port,
    left: async () => {
      while (leavers.length === 0) await new Promise<void>((told) => tell = told);
      return leavers.shift()!;
    },
  };
}

async function ask(talk: Talk, { host }: Way, path: string, more = ""): Promise<void> {
  await talk.write(`GET ${encodeURI(path).replace("#", "%23")} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`);
}

/** Follows a stream, confirming each event on another connection, and returns how many there were. */
async function follow(way: Way, id: string, ending: "chunked" | "close"): Promise<number> {
  using events = await Talk.to(way.port);
  using confirming = await Talk.to(way.port);
  const kind = KINDS[id.split(" #")[0]];
  await ask(events, way, `/events/${id}/${ending}`, "Accept: text/event-stream\r\n");
  const head = (await events.head())!;
  assert.equal(head.fields.get("content-type"), "text/event-stream");
  const chunked = head.fields.get("transfer-encoding") === "chunked";
  // A link may choose chunks where its target did not.
  assert.equal(chunked, ending === "chunked" || way.name === "through");
  let got = "", count = 0;
  await events.body(endingOf(head, "close"), async (bytes) => {
    got += latin1(bytes);
    const due = latin1(new TextEncoder().encode(kind(count)));
    assert.ok(due.startsWith(got) || got === due, `event ${count} is ${JSON.stringify(got.slice(0, 100))}`);
    if (got !== due) return;
    got = "";
    await ask(confirming, way, `/confirm/${id}/${count++}`);
    assert.match((await confirming.head())!.first, / 204 /);
  });
  return count;
}

Deno.test("each event of a stream arrives before the next one is sent", async (t) => {
  await using rig = new Rig();
  const { port, left } = await serveEvents(rig);
  const ways = (await openWays(rig, { events: port }))("events");

  for (const kind of Object.keys(KINDS)) {
    for (const ending of ["chunked", "close"] as const) {
      await t.step(`${kind}, ${ending}`, async () => {
        assert.deepEqual(await onBoth(ways, (way) => follow(way, kind, ending)), {
          straight: EVENTS,
          through: EVENTS,
        });
      });
    }
  }

  await t.step("ten streams at once", async () => {
    const ids = Array.from({ length: 10 }, (_, i) => `tiny #${i}`);
    const { through } = await onBoth(ways, (way) => Promise.all(ids.map((id) => follow(way, id, "chunked"))));
    assert.deepEqual(through, ids.map(() => EVENTS));
  });

  await t.step(
    "a visitor that leaves ends its stream, and says where it was when it comes back",
    async () => {
      const { straight, through } = await onBoth(ways, async (way) => {
        using events = await Talk.to(way.port);
        await ask(events, way, "/events/whole/chunked");
        await events.head();
        events.close();
        const leaver = await left();
        using again = await Talk.to(way.port);
        await ask(again, way, "/events/tiny/chunked", "Last-Event-ID: 17\r\n");
        const last = (await again.head())!.fields.get("x-last");
        again.close();
        return [leaver, last, await left()];
      });
      assert.deepEqual(through, straight);
      assert.deepEqual(through, ["whole", "17", "tiny"]);
    },
  );
});

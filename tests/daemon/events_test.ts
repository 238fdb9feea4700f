import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { createControlApi } from "../../src/daemon/control/api.ts";
import type { ControlState } from "../../src/daemon/control/state.ts";
import { Events } from "../../src/daemon/events.ts";
import { Witnesses } from "../../src/daemon/witnesses/witnesses.ts";
import { createLog } from "../../src/log.ts";
import { eventually } from "../hub/rig.ts";
import { EventClient } from "../event_client.ts";
import { DaemonRig } from "./daemon_rig.ts";

Deno.test("everything that happens to links is told with the link, in order", async () => {
  await using rig = await DaemonRig.start("links: { a: { target: echo, ttl: 1h } }");
  using client = await EventClient.connect(rig.daemon.socket!);
  assert.match(client.text, /content-type: text\/event-stream/i);
  await rig.reload("links: { a: { target: echo, ttl: 1h, methods: [GET] }, b: { target: echo } }");
  await rig.leap(3_600_000);
  await rig.api("POST", "/v1/links/a/renew");
  await rig.api("DELETE", "/v1/links/a");
  await rig.reload("links: { a: { target: echo, ttl: 1h, methods: [GET] } }");
  assert.deepEqual(await client.first(8), [
    "link.retuned a",
    "link.opened b",
    "reload",
    "link.expired a",
    "link.renewed a",
    "link.revoked a",
    "link.closed b",
    "reload",
  ]);
  assert.equal(client.told[4].data.state, "active");
  assert.deepEqual(client.told[2].data.generation, 2);
});

Deno.test("sessions that come and go are told with the hub, and so are hubs that the file leaves", async () => {
  await using rig = await DaemonRig.start("links: {}");
  using client = await EventClient.connect(rig.daemon.socket!);
  rig.hub.drop();
  await rig.pass(2000);
  assert.deepEqual(await client.first(2), ["session.down", "session.up"]);
  assert.equal(client.told[1].data.url, "http://localhost:8080");
  await rig.reload("hub: http://127.0.0.1:9\nlinks: {}");
  assert.deepEqual((await client.first(3))[2], "session.down");
  assert.equal(client.told[2].data.connections, 0);
});

Deno.test("a client resumes behind the last event that it saw, and one from before a restart is told all", async () => {
  await using rig = await DaemonRig.start("links: {}");
  for (const name of ["a", "b", "c"]) await rig.daemon.create({ name, target: "echo" });
  using first = await EventClient.connect(rig.daemon.socket!, { fields: ["Last-Event-ID: 0"] });
  await first.until(() => first.told.some(({ data }) => data.name === "c"));
  const seen = first.told.find(({ data }) => data.name === "b")!;
  using second = await EventClient.connect(rig.daemon.socket!, { fields: [`Last-Event-ID: ${seen.id}`] });
  await second.until(() => second.told.some(({ data }) => data.name === "c"));
  assert.deepEqual(second.told, first.told.filter(({ id }) => id > seen.id));
  using other = await EventClient.connect(rig.daemon.socket!, { fields: ["Last-Event-ID: 999999"] });
  await other.until(() => other.told.some(({ data }) => data.name === "c"));
  assert.equal(other.told.some(({ data }) => data.name === "a"), true);
  assert.equal((await rig.api("GET", "/v1/events", undefined, ["Last-Event-ID: x"])).status, 400);
});

Deno.test("an event tells how things were, also to who comes late", async () => {
  await using rig = await DaemonRig.start("links: { a: { target: echo } }");
  await rig.hub.visit(rig.link("a").id!);
  using late = await EventClient.connect(rig.daemon.socket!, { fields: ["Last-Event-ID: 0"] });
  await late.until(() => late.told.some(({ type }) => type === "link.opened"));
  assert.equal(late.told.find(({ type }) => type === "link.opened")!.data.counters.allowed, 0);
});

Deno.test("requests are told to whoever asks for them, without their queries", async () => {
  await using rig = await DaemonRig.start("links: { a: { target: echo, methods: [GET] } }");
  using plain = await EventClient.connect(rig.daemon.socket!);
  const id = rig.link("a").id!;
  await rig.hub.visit(id, "GET /unseen");
  using client = await EventClient.connect(rig.daemon.socket!, { query: "?requests=true" });
  await rig.hub.visit(id, "GET /x?secret=1");
  await rig.hub.visit(id, "POST /y");
  await client.until(() => client.told.length >= 2);
  const [allowed, denied] = client.told;
  assert.equal(allowed.type, "request");
  assert.deepEqual(
    [allowed.data.link, allowed.data.method, allowed.data.path, allowed.data.status, allowed.data.code],
    ["a", "GET", "/x", 200, null],
  );
  assert.deepEqual([denied.data.path, denied.data.status, denied.data.code], ["/y", 405, "method_denied"]);
  await rig.daemon.create({ name: "b", target: "echo" });
  assert.equal((await plain.first(1))[0], "link.opened b");
});

/** The API over events alone. */
function stream() {
  const clock = new TestClock(), events = new Events();
  const witnesses = new Witnesses(events, clock, createLog({ write() {} }));
  const heard = new Set<unknown>();
  const listen = events.listen.bind(events);
  events.listen = (listener) => {
    const deaf = listen(listener);
    heard.add(listener);
    return () => {
      heard.delete(listener);
      deaf();
    };
  };
  const app = createControlApi(
    { clock, events, witnesses } as unknown as ControlState,
    () => {},
    createLog({ write() {} }),
  );
  const call = async (method = "GET") =>
    await app.fetch(new Request("http://x/v1/events?requests=true", { method }), {
      local: true,
      requestId: "r",
    });
  return { clock, events, witnesses, heard, call };
}

Deno.test("a client that leaves is forgotten, and one that only asks for the head is never known", async () => {
  const { witnesses, heard, call } = stream();
  const answer = await call();
  assert.deepEqual([heard.size, witnesses.live.watchers], [1, 1]);
  await answer.body!.cancel();
  assert.deepEqual([heard.size, witnesses.live.watchers], [0, 0]);
  assert.equal((await call("HEAD")).headers.get("Content-Type"), "text/event-stream");
  assert.deepEqual([heard.size, witnesses.live.watchers], [0, 0]);
});

Deno.test("a client on the socket that goes away is forgotten", async () => {
  await using rig = await DaemonRig.start("links: { a: { target: echo } }");
  const { live } = (rig.daemon as unknown as ControlState).witnesses;
  const client = await EventClient.connect(rig.daemon.socket!, { query: "?requests=true" });
  assert.equal(live.watchers, 1);
  client.leave();
  await eventually(() => live.watchers, (watchers) => watchers === 0);
});

Deno.test("a client that does not read is cut, gets what waited for it, and can resume", async () => {
  const { events, witnesses, heard, call } = stream();
  const answer = await call();
  for (let i = 0; i < 1500; i++) events.emit("link.opened", { i });
  assert.deepEqual([heard.size, witnesses.live.watchers], [0, 0]);
  const text = await answer.text();
  const last = Number([...text.matchAll(/^id: (\d+)$/gm)].at(-1)![1]);
  assert.equal(events.since(last).length, 1500 - last);
});

Deno.test("a stream on which nothing happens shows signs of life", async () => {
  const { clock, call } = stream();
  const reader = (await call()).body!.getReader();
  await reader.read();
  clock.advance(16_000);
  assert.equal(new TextDecoder().decode((await reader.read()).value), ": still here\n\n");
  await reader.cancel();
});

Deno.test("the last thousand events are kept, and requests push none of them out", () => {
  const events = new Events();
  for (let i = 0; i < 3500; i++) {
    events.emit("link.opened", i);
    events.emit("request", i);
  }
  const kept = events.since(0);
  assert.deepEqual([kept.length, kept[0].data, kept.at(-1)!.data], [1000, 2500, 3499]);
});

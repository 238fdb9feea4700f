/** The daemon's access log, and how the control API reads it. */
import assert from "node:assert/strict";
import type { EmbeddedHub } from "../../src/daemon/options.ts";
import { eventually } from "../hub/rig.ts";
import { request } from "../pure/http1_heads.ts";
import { DaemonRig } from "./daemon_rig.ts";

const FILE = `links:
  web: { target: echo, paths: [/ok, /slow] }
  tried: { target: echo, methods: [POST], shadow: true }`;

async function lines(rig: DaemonRig, query = ""): Promise<Record<string, unknown>[]> {
  const { status, json } = await rig.api("GET", `/v1/logs${query}`);
  assert.equal(status, 200);
  return json.items;
}

const ids = async (rig: DaemonRig, query: string) => (await lines(rig, query)).map(({ id }) => id);

async function visited(): Promise<DaemonRig> {
  const rig = await DaemonRig.start(FILE);
  for (
    const [link, line, requestId] of [
      ["web", "GET /ok?key=s3cret", "a"],
      ["web", "GET /no", "b"],
      ["tried", "GET /ok", "c"],
      ["web", "GET /ok?status=503", "d"],
    ]
  ) {
    await rig.hub.ask(rig.hub.id(link), line, { requestId }).over;
    rig.clock.jump(60_000);
  }
  return rig;
}

Deno.test("a line says who asked what of which link, what became of it, and never the query", async () => {
  await using rig = await visited();
  const file = `${rig.state}/access.log`;
  const read = await lines(rig);
  const first = JSON.parse(Deno.readTextFileSync(file).split("\n")[0]);
  const { bytesOut, ms, ...rest } = first;
  assert.deepEqual(first, read.at(-1));
  assert.ok(bytesOut > 0 && ms >= 0);
  assert.deepEqual(rest, {
    ...{ id: "a", at: "2026-01-01T00:00:00.000Z", link: "web", address: "192.0.2.7", method: "GET" },
    ...{ path: "/ok", status: 200, code: null, verdict: null, bytesIn: 0 },
  });
  assert.doesNotMatch(Deno.readTextFileSync(file), /s3cret/);
});

Deno.test("the log is read newest first, by link, code, status and time, page by page", async () => {
  await using rig = await visited();
  for (
    const [query, due] of [
      ["", "dcba"],
      ["?link=web", "dba"],
      ["?link=we", ""],
      ["?code=path_denied", "b"],
      ["?code=method_denied", "c"],
      ["?status=503", "d"],
      ["?status=2xx", "ca"],
      ["?since=2026-01-01T00:02:00Z", "dc"],
      ["?since=2027-01-01T00:00:00Z", ""],
      ["?link=web&status=4xx&code=path_denied", "b"],
    ]
  ) assert.equal((await ids(rig, query)).join(""), due, query);
  const { json: { items, nextCursor } } = await rig.api("GET", "/v1/logs?limit=3");
  assert.equal(items.length, 3);
  assert.deepEqual(await ids(rig, `?cursor=${nextCursor}`), ["a"]);
});

Deno.test("a restart goes on with the log, and a request that was in flight at the end is in it", async () => {
  await using rig = await visited();
  rig.hub.ask(rig.hub.id("web"), "GET /slow?delay=30s", { requestId: "cut" });
  await eventually(() => rig.link("web").counters.open, (open) => open === 1);
  await rig.restart();
  assert.equal((await ids(rig, "")).join(), "cut,d,c,b,a");
});

Deno.test("`keep: {access_log: none}` writes nothing, at once and until it is written again", async () => {
  await using rig = await visited();
  await rig.reload(`keep: { access_log: none }\n${FILE}`);
  await rig.hub.ask(rig.hub.id("web"), "GET /ok", { requestId: "e" }).over;
  assert.equal((await ids(rig, "")).join(""), "dcba");
  await rig.reload(`keep: { access_log: 1d }\n${FILE}`);
  await rig.hub.ask(rig.hub.id("web"), "GET /ok", { requestId: "f" }).over;
  assert.equal((await ids(rig, "")).join(""), "fdcba");
});

Deno.test("what the hub inside the process refuses itself is in the log", async () => {
  await using rig = await DaemonRig.start(FILE);
  const hub: EmbeddedHub = rig.hub;
  hub.onRefused!(
    {
      ...{ id: "x", at: rig.clock.now(), link: "web", address: "192.0.2.8", method: "GET", target: "/no?q" },
      ...{ status: 403, code: "path_denied", bytesIn: 0, bytesOut: 0, ms: 1 },
    },
    request(["GET /no?q HTTP/1.1", "Host: web.hub.test"]),
    false,
  );
  assert.deepEqual(await lines(rig, "?code=path_denied"), [{
    ...{ id: "x", at: "2026-01-01T00:00:00.000Z", link: "web", address: "192.0.2.8", method: "GET" },
    ...{
      path: "/no",
      status: 403,
      code: "path_denied",
      verdict: "path_denied",
      bytesIn: 0,
      bytesOut: 0,
      ms: 1,
    },
  }]);
});

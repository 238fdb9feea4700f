/** What a hub tells Prometheus of members and what they reach. */
import assert from "node:assert/strict";
import { curl, eventually } from "../e2e/rig.ts";
import { connect, echoing, ended, World, writeAll } from "../private/world.ts";
import { Metrics } from "./read.ts";

Deno.test("members, what they reach, what they are refused and the bytes both ways are counted, no name of theirs with them", async () => {
  using echo = echoing();
  const db = `  db: { target: "tcp://127.0.0.1:${echo.port}", access: private }\n`;
  await using world = await World.start(db);
  const read = async () => {
    const { body } = await curl(
      "http://localhost/metrics",
      "--unix-socket",
      `${world.rig.folder}/hub/hub.sock`,
    );
    assert.doesNotMatch(body, /laptop|\bdb\b/);
    return new Metrics(body);
  };
  const none = await read();
  assert.deepEqual(
    ["members", "reaches_total", "reaches_open"].map((name) => none.value(`connectd_hub_${name}`)),
    [
      0,
      0,
      0,
    ],
  );
  const { port } = await world.reach("db");
  const one = await connect(port);
  await writeAll(one, new Uint8Array(1000));
  for (let came = 0; came < 1000;) came += await one.read(new Uint8Array(1000)) ?? assert.fail("it was cut");
  const open = await read();
  assert.equal(open.value("connectd_hub_members"), 1);
  assert.equal(open.value("connectd_hub_reaches_open"), 1);
  await one.closeWrite();
  await ended(one);
  const over = await eventually(read, (read) => read.value("connectd_hub_reaches_open") === 0);
  assert.equal(over.value("connectd_hub_reaches_total"), 1);
  for (const direction of ["in", "out"]) {
    assert.equal(over.value("connectd_hub_reach_bytes_total", { direction }), 1000, direction);
  }
  world.write(`  other: { target: "tcp://127.0.0.1:${echo.port}", access: private }\n`);
  await eventually(
    () => world.api<{ items: { name: string }[] }>("GET", "/v1/services"),
    ({ items }) => items.every(({ name }) => name !== "db"),
  );
  await ended(await connect(port));
  const refused = await eventually(
    read,
    (read) => read.value("connectd_hub_reaches_refused_total", { code: "service_unknown" }) > 0,
  );
  assert.equal(refused.value("connectd_hub_reaches_refused_total", { code: "service_unknown" }), 1);
  assert.equal(refused.value("connectd_hub_reaches_total"), 1);
});

import assert from "node:assert/strict";
import { DaemonRig } from "./daemon_rig.ts";

const FILE = "links:\n  a: { target: echo, rate: 100/m }\n  b: { target: echo }";

Deno.test("what of the file is no link is in plan, log and trail where it changes", async () => {
  await using rig = await DaemonRig.start(`drain_timeout: 5s
services:
  db: { target: "tcp://localhost:5432", access: private, allow: [laptop] }
  old: echo
${FILE}`);
  const text = `keep: { access_log: 7d }
remote: manage
services:
  db: { target: "tcp://localhost:5432", access: private }
  api: { target: localhost:3000, remote: true }
${FILE}`;
  rig.write(text);
  const settings = [
    { key: "drain_timeout", from: "5s", to: "30s" },
    { key: "keep.access_log", from: "30d", to: "7d" },
    { key: "remote", from: "revoke", to: "manage" },
    {
      key: "services.db",
      from: "tcp://localhost:5432 private allow laptop",
      to: "tcp://localhost:5432 private",
    },
    { key: "services.api", from: "none", to: "http://localhost:3000 remote" },
    { key: "services.old", from: "echo", to: "none" },
  ];
  assert.deepEqual((await rig.api("GET", "/v1/plan")).json, { plan: [], settings, problems: [] });
  assert.equal(rig.lines.some((line) => line.includes("changed remote")), false);
  const { json } = await rig.api("POST", "/v1/reload");
  assert.deepEqual(json, { plan: [], settings, applied: true, problems: [] });
  assert.ok(rig.lines.some((line) => line.includes("changed remote: revoke → manage")), rig.lines.join("\n"));
  const [record] = (await rig.api("GET", "/v1/audit?type=reload.applied")).json.items;
  // The rig reads octets.
  assert.match(record.data.settings.remote, /^revoke .+ manage$/);
  assert.match(record.data.settings["services.old"], /^echo .+ none$/);
  assert.deepEqual((await rig.api("GET", "/v1/plan")).json.settings, []);
});

Deno.test("a text that is not the file yet is planned as if it were, and nothing of it is applied", async () => {
  await using rig = await DaemonRig.start(FILE);
  const asked = rig.hub.ask(rig.hub.id("b"), "GET /?delay=60s");
  await rig.api("GET", "/healthz");
  const before = rig.daemon.links();
  const draft = "remote: none\nlinks:\n  a: { target: echo, rate: 50/m }";
  const { status, json } = await rig.api(
    "POST",
    "/v1/plan",
    JSON.stringify({ text: `version: 1\n${draft}` }),
  );
  assert.equal(status, 200);
  // deno-lint-ignore no-explicit-any
  assert.deepEqual(json.plan.map(({ step, name, cuts }: any) => [step, name, cuts.streams]), [
    ["close", "b", 1],
    ["retune", "a", 0],
  ]);
  assert.deepEqual(json.settings, [{ key: "remote", from: "revoke", to: "none" }]);
  const bad = await rig.api("POST", "/v1/plan", JSON.stringify({ text: "version: 1\nlinkz: {}" }));
  assert.deepEqual([bad.status, bad.json.plan, bad.json.problems[0].code], [200, [], "unknown_key"]);
  const names = (links: typeof before) => links.map(({ name, policy }) => [name, policy]);
  assert.deepEqual(names(rig.daemon.links()), names(before));
  assert.deepEqual((await rig.api("GET", "/v1/status")).json.config.problems, []);
  assert.equal((await rig.api("POST", "/v1/reload")).json.plan.length, 0);
  asked.stream.reset("left");
});

Deno.test("a daemon without a file says that no text would change it", async () => {
  await using rig = await DaemonRig.start(null);
  const { status, json } = await rig.api("POST", "/v1/plan", JSON.stringify({ text: "version: 1" }));
  assert.deepEqual([status, json.code], [422, "no_file"]);
});

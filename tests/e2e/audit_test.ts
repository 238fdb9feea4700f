/** The trail as its operator meets it: kill −9, the verb on what runs and what does not, a tool for sqlite. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { audit as verb } from "../../src/cli/audit.ts";
import { ApiClient } from "../../src/cli/client.ts";
import { withTrail } from "../../src/cli/trail.ts";
import { readWords } from "../../src/cli/verb.ts";
import { Rig } from "./rig.ts";

const YAML = "version: 1\nlinks:\n  hello: { target: echo, ttl: 1d }\n";

function sql(path: string, statement: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(statement);
  } finally {
    db.close();
  }
}

Deno.test("over kills the trail is whole, and nothing that was acknowledged is missing in it", async () => {
  await using rig = new Rig();
  const due: string[] = [];
  let state = "";
  for (let round = 0; round < 3; round++) {
    const daemon = await rig.daemon(YAML);
    state = daemon.state;
    const api = new ApiClient({ socket: daemon.ready.socket });
    const acknowledged = (what: string, done: Promise<unknown>) =>
      done.then(() => void due.push(what), () => {});
    const calls: Promise<void>[] = [];
    const killed = Promise.withResolvers<void>();
    for (let i = 0; i < 20; i++) {
      const name = `try-${round}-${i}`;
      calls.push((async () => {
        await acknowledged(`link.opened ${name}`, api.call("POST", "/v1/links", { name, target: "echo" }));
        await acknowledged(`link.revoked ${name}`, api.call("DELETE", `/v1/links/${name}`));
        await acknowledged(
          `link.renewed ${name}`,
          api.call("POST", `/v1/links/${name}/renew`, { ttl: "1h" }),
        );
        if (due.length >= (round + 1) * 25) killed.resolve();
      })());
    }
    await killed.promise;
    await daemon.process.kill("SIGKILL");
    await Promise.all(calls);
  }
  const verified = await rig.run(["audit", "--verify", "--state", state]);
  assert.deepEqual(
    [verified.code, verified.stdout.split(":")[0]],
    [0, "the trail is whole"],
    verified.stderr,
  );
  assert.match(verified.stderr, /no daemon runs at .*: this is the trail in .*state\.db/);
  const listed = await rig.run(["audit", "--state", state, "--limit", "100000", "--json"]);
  const items: { type: string; subject: string }[] = JSON.parse(listed.stdout).items;
  const found = new Set(items.map(({ type, subject }) => `${type} ${subject}`));
  assert.ok(due.length >= 75);
  assert.deepEqual(due.filter((what) => !found.has(what)), []);
});

Deno.test("the verb shows and checks a trail, of a daemon that runs and of one that does not", async () => {
  await using rig = new Rig();
  const { process, ready, state } = await rig.daemon(YAML);
  const audit = (...args: string[]) => rig.run(["audit", "--state", state, ...args]);
  await new ApiClient({ socket: ready.socket }).call("DELETE", "/v1/links/hello");
  const [shown, whole, head] = await Promise.all([audit(), audit("--verify"), audit("--head")]);
  assert.match(shown.stdout, /^SEQ +TIME +TYPE +SUBJECT +BY\n\d+ .*link\.revoked +hello +cli:socket/);
  assert.equal(shown.stderr, "");
  assert.match(whole.stdout, /^the trail is whole: \d+ records, 1 to \d+\nhead \d+ [0-9a-f]{64}\n$/);
  const heads = rig.file("heads", head.stdout);
  const asked = readWords(verb, ["--control", ready.control, "--token-file", `${state}/control.token`]);
  const noted = [JSON.parse(head.stdout)];
  assert.deepEqual((await withTrail(asked, (desk) => desk.verify(noted))).broken, null);

  await process.kill("SIGKILL");
  const held = await audit("--verify", "--head", heads);
  assert.match(held.stdout, /1 of 1 heads checked/, held.stderr);
  await Deno.copyFile(`${state}/state.db`, `${rig.folder}/kept.db`);
  sql(`${state}/state.db`, "UPDATE audit SET actor = 'hub:https://elsewhere' WHERE seq = 2");
  const edited = await audit("--verify");
  assert.equal(edited.code, 1);
  assert.match(
    edited.stderr,
    /the trail is broken: record 2 is not as it was written.*\n +records 1 to 1 are as/,
  );
  const json = await audit("--verify", "--json");
  assert.deepEqual([json.code, JSON.parse(json.stdout).broken.seq], [1, 2]);
  await Deno.copyFile(`${rig.folder}/kept.db`, `${state}/state.db`);
  sql(
    `${state}/state.db`,
    "DELETE FROM audit WHERE seq > 2; UPDATE sqlite_sequence SET seq = 2 WHERE name = 'audit'",
  );
  const here = readWords(verb, ["--state", state]);
  assert.equal((await withTrail(here, (desk) => desk.verify([]))).ok, true, "only a head shows this");
  const cut = await audit("--verify", "--head", heads);
  assert.deepEqual(
    [cut.code, /a head of record \d+ was noted: what came after is missing/.test(cut.stderr)],
    [
      1,
      true,
    ],
  );
});

Deno.test("the verb reads a hub's trail, by its socket, by its URL with an admin's token, and from its store", async () => {
  await using rig = new Rig();
  const state = `${rig.folder}/hub`;
  const hub = rig.connectd(["hub", "--listen", "127.0.0.1:0", "--state", state, "--json"]);
  const { hub: url } = await hub.ready<{ hub: string }>();
  const made = await rig.run(["token", "create", "--scope", "admin", "--state", state]);
  const token = rig.file("token", made.stdout);
  const byUrl = ["--hub", url.replace("localhost", "127.0.0.1"), "--token-file", token];
  const verify = (args: string[]) => withTrail(readWords(verb, args), (desk) => desk.verify([]));
  assert.deepEqual([(await verify(["--state", state])).ok, (await verify(byUrl)).ok], [true, true]);
  const own = await rig.run(["audit", "--json", ...byUrl]);
  const types = JSON.parse(own.stdout).items.map(({ type }: { type: string }) => type);
  assert.ok(types.includes("token.created") && !types.includes("hub.started"), own.stdout);
  await hub.kill("SIGTERM");
  const dead = await rig.run(["audit", "--state", state]);
  assert.match(dead.stdout, /hub\.stopped/);
  assert.match(dead.stderr, /no hub runs/);
});

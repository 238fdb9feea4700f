/** The command line as a person types it: exit codes, sentences, one-off links. */
import assert from "node:assert/strict";
import { curl, freePort, Rig } from "./rig.ts";

Deno.test("what can't be understood exits 2, what can't be done exits 1, each with a sentence and no stack", async () => {
  await using rig = new Rig();
  const bad = rig.file("bad.yaml", "version: 1\nlinks:\n  a:\n    target: localhost:99999\n");
  const cases: [string[], number, RegExp][] = [
    [["nonsense"], 2, /no verb "nonsense"/],
    [["list", "--nonsense"], 2, /--nonsense/],
    [["revoke"], 2, /NAME/],
    [["run", "--config", `${rig.folder}/none.yaml`], 2, /none\.yaml/],
    [["run", "--config", bad], 2, /bad\.yaml:4:13/],
    [["check", bad], 2, /bad\.yaml:4:13/],
    [["check", "--config", `${rig.folder}/none.yaml`], 2, /none\.yaml/],
    [["list", "--state", `${rig.folder}/nobody`], 1, /no daemon answers/],
    [["link", "localhost:3000", "-e", "soon"], 2, /soon/],
    [["link", "localhost:3000", "-p", "api"], 2, /\//],
    [["link", "localhost:3000", "-m", "get"], 2, /get/],
    [["link", "localhost:3000", "-r", "0"], 2, /0|zero/],
    [["link", "no-such-service"], 1, /no-such-service/],
    [["link", "localhost:3000", "--detach", "--state", `${rig.folder}/nobody`], 1, /daemon/],
    [["hub", "--listen", "nowhere"], 2, /nowhere/],
    [["hub", "--state", rig.folder, "--listen", "127.0.0.1:0", "--domain", "a b"], 2, /a b/],
  ];
  for (const [args, code, sentence] of cases) {
    const run = await rig.run(args);
    assert.equal(run.code, code, `${args.join(" ")}\n${run.stderr}`);
    assert.match(run.stderr, sentence, args.join(" "));
    assert.doesNotMatch(run.stderr, /\n\s+at .*:\d+:\d+/, `a stack: ${args.join(" ")}`);
    assert.equal(run.stdout, "", args.join(" "));
  }
});

Deno.test("a one-off link goes through the running daemon and comes back after its restart", async () => {
  await using rig = new Rig();
  const { state, process, file, ready } = await rig.daemon(
    "version: 1\nservices:\n  my-api: echo\nlinks: {}\n",
  );
  const made = await rig.run([
    "link",
    "my-api",
    "-e",
    "1h",
    "-m",
    "GET",
    "-p",
    "/api",
    "-r",
    "60",
    "--state",
    state,
  ]);
  assert.equal(made.code, 0, made.stderr);
  const url = /http:\/\/[a-z2-7]{13}\.localhost:\d+/.exec(made.stdout)![0];
  for (const part of [/curl /, /GET/, /\/api/, /60\/m/, /this machine only/]) assert.match(made.stdout, part);
  assert.equal((await curl(`${url}/api`)).status, 200);
  assert.equal((await curl(`${url}/x`)).status, 403);
  assert.equal((await curl(`${url}/api`, "-X", "POST")).status, 405);
  const taken = await rig.run(["link", "my-api", "--state", state]);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /my-api/);
  await process.kill("SIGKILL");
  const again = rig.connectd([
    ...[
      "run",
      "--config",
      file,
      "--state",
      state,
      "--listen",
      `127.0.0.1:${new URL(ready.hub).port}`,
      "--control",
      "127.0.0.1:0",
      "--json",
    ],
  ]);
  await again.ready();
  assert.equal((await curl(`${url}/api`)).status, 200);
  assert.equal((await rig.run(["revoke", "my-api", "--state", state])).code, 0);
  assert.equal((await curl(`${url}/api`)).status, 410);
  const free = await rig.run(["link", "my-api", "--state", state]);
  assert.equal(free.code, 0, free.stderr);
});

Deno.test("without a daemon a one-off link serves in the foreground until a signal or its expiry, and exits 0", async () => {
  await using rig = new Rig();
  for (const ending of ["SIGINT", "SIGHUP", "expiry"] as const) {
    const link = rig.connectd([
      "link",
      "echo",
      "--name",
      "mine",
      ...(ending === "expiry" ? ["-e", "4s"] : []),
    ]);
    const url = await link.until(() => /http:\/\/[a-z2-7]{13}\.localhost:\d+/.exec(link.stdout)?.[0]);
    await link.until(() => link.stdout.includes("curl "));
    assert.equal((await curl(url)).status, 200);
    const run = ending === "expiry" ? await link.ended() : await link.kill(ending);
    assert.equal(run.code, 0, `${ending}: ${run.stderr}`);
  }
});

Deno.test("a target where nothing listens is a warning, and a visitor gets 502 until something does", async () => {
  await using rig = new Rig();
  const port = freePort();
  const link = rig.connectd(["link", `localhost:${port}`]);
  const url = await link.until(() => /http:\/\/[a-z2-7]{13}\.localhost:\d+/.exec(link.stdout)?.[0]);
  await link.until(() => /nothing listens/i.test(link.stderr));
  const answer = await curl(url);
  assert.deepEqual([answer.status, JSON.parse(answer.body).code], [502, "target_refused"]);
});

Deno.test("a second daemon on one state directory is told the first one's pid", async () => {
  await using rig = new Rig();
  const { state, file, process } = await rig.daemon("version: 1\nlinks:\n  one:\n    target: echo\n");
  const second = await rig.run(["run", "--config", file, "--state", state, "--listen", "127.0.0.1:0"]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`${process.pid}`));
  assert.match(second.stderr, /--state/);
});

Deno.test("a port that was asked for and is taken is an error that names it", async () => {
  await using rig = new Rig();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const file = rig.file("links.yaml", "version: 1\nlinks:\n  one:\n    target: echo\n");
  for (const flag of ["--listen", "--control"]) {
    const run = await rig.run([
      "run",
      "--config",
      file,
      "--state",
      `${rig.folder}/state`,
      flag,
      `127.0.0.1:${listener.addr.port}`,
    ]);
    assert.equal(run.code, 1, run.stderr);
    assert.match(run.stderr, new RegExp(`${listener.addr.port}`));
  }
  listener.close();
});

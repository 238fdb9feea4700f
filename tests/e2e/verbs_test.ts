/** The command line as a person types it: exit codes, sentences, one-off links. */
import assert from "node:assert/strict";
import { curl, eventually, freePort, type Ready, Rig } from "./rig.ts";
import deno from "../../deno.json" with { type: "json" };

const VERBS = [
  ...["run", "hub", "link", "list", "revoke", "renew", "status"],
  ...["check", "plan", "reload", "explain", "token", "version", "help"],
];

Deno.test("what can't be understood exits 2, what can't be done exits 1, each with a sentence and no stack", async () => {
  await using rig = new Rig();
  const bad = rig.file("bad.yaml", "version: 1\nlinks:\n  a:\n    target: localhost:99999\n");
  const token = rig.file("token", "connectd_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
  rig.file("partner.tokens", "long-enough-to-be-a-token\nshort\n");
  const keys = rig.file(
    "keys.yaml",
    "version: 1\nlinks:\n  a:\n    target: echo\n    auth: { bearer: { token_file: ./partner.tokens } }\n",
  );
  const services = rig.file(
    "services.yaml",
    "version: 1\nservices:\n  my-api: echo\n  inside: { target: localhost:1, access: private }\n",
  );
  const nobody = ["--state", `${rig.folder}/nobody`];
  const cases: [string[], number, RegExp][] = [
    [["nonsense"], 2, /no verb "nonsense"\n.*see: connectd help/],
    [["chek"], 2, /no verb "chek"\n.*did you mean check\?/],
    [["help", "nonsense"], 2, /no verb "nonsense"/],
    [["version", "now"], 2, /no word like "now"/],
    [["list", "--nonsense"], 2, /--nonsense'?\n.*see: connectd help list/],
    [["list", "--jsno"], 2, /did you mean --json\?/],
    [["run"], 2, /no links\.yaml or config\/links\.yaml here\n.*--config/],
    [["--listen"], 2, /--listen/],
    [["run", "--config", `${rig.folder}/none.yaml`], 2, /none\.yaml/],
    [["run", "--config", rig.folder], 2, /directory/],
    [["run", "--config", bad], 2, /bad\.yaml:4:13/],
    [["run", "--config", bad, "--listen", "nowhere"], 2, /--listen: "nowhere"/],
    [["run", "--config", bad, "--control", "0.0.0.0:0"], 2, /--control: .*loopback/],
    [["run", "--config", bad, "--log-format", "xml"], 2, /--log-format: "xml"/],
    [["run", "--config", bad, "--log-level", "wran"], 2, /--log-level: .*did you mean warn\?/],
    [["check"], 2, /no links\.yaml/],
    [["check", bad], 2, /bad\.yaml:4:13/],
    [["check", "--config", `${rig.folder}/none.yaml`], 2, /none\.yaml/],
    [["check", keys], 2, /partner\.tokens:2:1: error: .*16 bytes/],
    [["list", ...nobody], 1, /no daemon answers at .*\n.*connectd run/],
    [["status", ...nobody], 1, /no daemon answers/],
    [["plan", ...nobody], 1, /no daemon answers/],
    [["reload", ...nobody], 1, /no daemon answers/],
    [["revoke"], 2, /NAME/],
    [["revoke", "a", ...nobody], 1, /no daemon answers/],
    [["renew"], 2, /NAME/],
    [["renew", "a", "soon"], 2, /soon/],
    [["renew", "a", "1h", ...nobody], 1, /no daemon answers/],
    [["list", "--control", "elsewhere:1"], 2, /--control/],
    [["list", "--control", "127.0.0.1:1", ...nobody], 1, /control\.token can not be read/],
    [["list", "--hub", "nowhere"], 2, /--hub/],
    [["list", "--hub", "http://hub.example.com"], 2, /in the clear/],
    [["list", "--hub", "http://127.0.0.1:1"], 1, /asks for a token\b[^]*--token-file/],
    [
      ["list", "--hub", "http://127.0.0.1:1", "--token-file", token],
      1,
      /nobody answers at http:\/\/127\.0\.0\.1:1/,
    ],
    [["link", "localhost:3000", "-e", "soon"], 2, /soon/],
    [["link", "localhost:3000", "-p", "api"], 2, /\//],
    [["link", "localhost:3000", "-m", "get"], 2, /get/],
    [["link", "localhost:3000", "-r", "0"], 2, /0|zero/],
    [["link", "localhost:3000", "-n", "No"], 2, /--name: "No"/],
    [["link", "localhost:3000", "-p", "/a", "-p", "/b"], 2, /--paths is given twice/],
    [["link", "localhost:3000", "--qr", "--json"], 2, /--qr/],
    [["link", "localhost:3000", "--qt"], 2, /--qt/],
    [["link", "localhost:3000", "-c", bad], 2, /bad\.yaml:4:13/],
    [["link", "localhost:99999"], 2, /99999/],
    [["link", "tcp://localhost:5432"], 2, /raw TCP/],
    [["link", "no-such-service"], 1, /no-such-service/],
    [["link", "3000"], 1, /did you mean localhost:3000\?/],
    [["link", "inside", "-c", services], 1, /private/],
    [["link", "my-ap", "-c", services], 1, /did you mean my-api\?/],
    [["link", "localhost:3000", "--detach", ...nobody], 1, /daemon/],
    [["link", "localhost:3000", "--control", "127.0.0.1:1", "--token-file", token], 1, /no daemon answers/],
    [["hub", "--listen", "nowhere"], 2, /nowhere/],
    [["hub", "--state", rig.folder, "--listen", "127.0.0.1:0", "--domain", "a b"], 2, /a b/],
    [["hub", "--public-url", "hub.example.com"], 2, /--public-url/],
    [["hub", "--config", `${rig.folder}/none.yaml`], 2, /none\.yaml/],
    [["hub", "--config", bad], 2, /bad\.yaml:2:1: error: .*links/],
    [["completions", "fihs"], 2, /did you mean fish\?/],
    [["token"], 2, /create\|list\|rotate\|revoke/],
    [["token", "crate"], 2, /did you mean create\?/],
    [["token", "create"], 2, /--scope\n.*admin, daemon, member, viewer/],
    [["token", "create", "--scope", "root"], 2, /--scope: "root"/],
    [["token", "create", "--scope", "daemon", "--expires", "soon"], 2, /--expires: "soon"/],
    [["token", "create", "--scope", "daemon", "--workspace", "A B"], 2, /--workspace: "A B"/],
    [["token", "list", "--scope", "daemon"], 2, /--scope is for `token create`/],
    [["token", "list", "all"], 2, /no word like "all"/],
    [["token", "revoke"], 2, /ID/],
    [["token", "revoke", "nobody", ...nobody], 1, /no store lies at .*\n.*--state DIR/],
  ];
  await together(cases, async ([args, code, sentence]) => {
    const run = await rig.run(args);
    assert.equal(run.code, code, `${args.join(" ")}\n${run.stderr}`);
    assert.match(run.stderr, sentence, args.join(" "));
    assert.doesNotMatch(run.stderr, /\n\s+at .*:\d+:\d+/, `a stack: ${args.join(" ")}`);
    assert.equal(run.stdout, "", args.join(" "));
  });
});

/** Does `act` with all items, a few at a time: a program that starts waits more than it works. */
async function together<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item);
  }));
}

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
  // Of the daemon's own file a service goes on counting; another file's means what that file says.
  const elsewhere = rig.file("other.yaml", "version: 1\nservices:\n  my-api: localhost:1\n");
  const other = await rig.run(["link", "my-api", "-n", "other", "-c", elsewhere, "--state", state, "--json"]);
  const { service, target } = JSON.parse(other.stdout);
  assert.deepEqual([service, target], [null, "http://localhost:1"]);
  const { items } = JSON.parse((await rig.run(["list", "--state", state, "--json"])).stdout);
  assert.deepEqual([items[0].name, items[0].service, items[0].target], ["my-api", "my-api", "echo"]);
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

Deno.test("every verb tells what it does, and `help` lists them all", async () => {
  await using rig = new Rig();
  const overview = await rig.run(["help"]);
  assert.equal(overview.code, 0);
  assert.equal((await rig.run(["--help"])).stdout, overview.stdout);
  await together(VERBS, async (verb) => {
    assert.match(overview.stdout, new RegExp(`^  connectd ${verb}\\b`, "m"));
    const help = await rig.run([verb, "--help"]);
    assert.deepEqual([help.code, help.stderr], [0, ""], verb);
    assert.match(help.stdout, new RegExp(`^connectd ${verb}\\b`));
    assert.equal((await rig.run(["help", verb])).stdout, help.stdout);
  });
});

Deno.test("the version is that of the package, as text and as JSON", async () => {
  await using rig = new Rig();
  const { version } = deno;
  for (const args of [["version"], ["--version"], ["-V"]]) {
    assert.ok((await rig.run(args)).stdout.startsWith(`connectd ${version} (Deno `), args.join(" "));
  }
  assert.equal(JSON.parse((await rig.run(["version", "--json"])).stdout).connectd, version);
});

Deno.test("the verbs of a running daemon print tables for people and the API's objects for programs", async () => {
  await using rig = new Rig();
  const yaml = "version: 1\nlinks:\n  one:\n    target: echo\n    ttl: 1h\n    rate: 100/m\n";
  const { ready, file, state, process } = await rig.daemon(yaml);
  assert.deepEqual(Object.keys(ready), ["ready", "hub", "control", "socket", "links"]);
  assert.deepEqual(Object.keys(ready.links[0]), ["name", "url", "state"]);
  assert.equal(ready.links[0].state, "active");
  const at = ["--state", state];
  const tcp = ["--control", ready.control, "--token-file", `${state}/control.token`];
  const ask = async (...args: string[]) => {
    const run = await rig.run(args);
    assert.deepEqual([run.code, run.stderr], [0, ""], args.join(" "));
    return run.stdout;
  };
  for (const place of [at, tcp, ["--control", ready.control, ...at]]) {
    const { items, nextCursor } = JSON.parse(await ask("list", "--json", ...place));
    assert.deepEqual([items.length, items[0].name, nextCursor], [1, "one", null]);
  }
  assert.match(
    await ask("list", ...at),
    /^NAME +STATE +URL .*\none +active +http:\/\/[a-z2-7]{13}\.localhost:\d+ +echo +in /,
  );
  const status = JSON.parse(await ask("status", "--json", ...at));
  assert.deepEqual([status.config.file, status.config.generation, status.links.active], [file, 1, 1]);
  assert.match(await ask("status", ...at), /generation 1\n[^]*connected/);
  assert.match(await ask("check", file), /is fine: 1 link, 0 services/);
  assert.deepEqual(JSON.parse(await ask("check", "-c", file, "--json")), { ok: true, problems: [] });

  Deno.writeTextFileSync(file, yaml.replace("100/m", "50/m") + "  two:\n    target: echo\n");
  // The watcher may have been first: the log names the plan either way.
  const reloaded = JSON.parse(await ask("reload", "--json", ...at));
  assert.deepEqual([reloaded.applied, reloaded.problems], [true, []]);
  await process.until(() =>
    process.stderr.includes("~ one rate 100/m → 50/m") && process.stderr.includes("+ two")
  );
  assert.equal(await ask("plan", ...at), "nothing changes\n");
  assert.equal(await ask("reload", ...at), "nothing changes\n");

  const renewed = JSON.parse(await ask("renew", "one", "2h", "--json", ...at));
  assert.equal(Date.parse(renewed.expiresAt) - Date.parse(renewed.activatedAt), 7_200_000);
  const moved = JSON.parse(await ask("renew", "one", "--new-id", "--json", ...at));
  assert.notEqual(moved.id, renewed.id);
  assert.equal((await curl(renewed.url)).status, 410);
  assert.match(await ask("revoke", "one", "two", ...at), /^revoked one .*\nrevoked two /);
  assert.equal(JSON.parse(await ask("revoke", "one", "--json", ...at)).state, "revoked");
  const unknown = await rig.run(["revoke", "nobody", ...at]);
  assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
  const refused = await rig.run([
    "list",
    "--control",
    ready.control,
    "--token-file",
    rig.file("wrong", "x".repeat(43)),
  ]);
  assert.equal(refused.code, 1);
});

Deno.test("plan and reload show what is wrong with a file, and it changes nothing", async () => {
  await using rig = new Rig();
  const { file, state, process } = await rig.daemon("version: 1\nlinks:\n  one:\n    target: echo\n");
  Deno.writeTextFileSync(file, "version: 1\nlinks:\n  one:\n    target: ech0\n");
  await process.until(() => /links\.yaml:4:13/.test(process.stderr));
  for (const verb of ["plan", "reload"]) {
    const run = await rig.run([verb, "--state", state]);
    assert.deepEqual([run.code, run.stdout], [2, ""], verb);
    assert.match(run.stderr, /links\.yaml:4:13: error/, verb);
    const json = await rig.run([verb, "--state", state, "--json"]);
    assert.equal(json.code, 2);
    assert.equal(JSON.parse(json.stdout).problems[0].line, 4);
  }
  const { items } = JSON.parse((await rig.run(["list", "--state", state, "--json"])).stdout);
  assert.deepEqual([items.length, items[0].target, items[0].state], [1, "echo", "active"]);
});

Deno.test("tokens are made on the hub's machine and by an admin elsewhere, and a revoked one ends its session", async () => {
  await using rig = new Rig();
  const at = ["--state", `${rig.folder}/hub`];
  const first = await rig.run(["token", "create", "--scope", "admin", "--name", "boss", ...at]);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^connectd_[a-z2-7]{8}_[a-z2-7]{32}\n$/);
  assert.match(first.stderr, /boss.*admin.*default.*never/);
  assert.match(first.stderr, /no hub runs at .*\/hub: .*\/hub\/hub\.db/);
  const admin = rig.file("admin", first.stdout);
  const hub = rig.connectd(["hub", "--listen", "127.0.0.1:0", ...at, "--json"]);
  const { hub: url, ...rest } = await hub.ready<{ hub: string; control: null; domain: string }>();
  assert.deepEqual([rest.control, rest.domain], [null, "localhost"]);
  const there = ["--hub", url, "--token-file", admin];

  const made = await rig.run([
    "token",
    "create",
    "--scope",
    "daemon",
    "--name",
    "ci",
    "--expires",
    "30d",
    ...there,
    "--json",
  ]);
  const { token, id, expiresAt, createdAt } = JSON.parse(made.stdout);
  assert.equal(Date.parse(expiresAt) - Date.parse(createdAt), 30 * 86_400_000);
  const listed = await rig.run(["token", "list", ...at]);
  assert.equal(listed.stderr, "");
  assert.match(listed.stdout, /boss +admin +default .*never\n.*ci +daemon +default .*in (29d 23h|30d)/);
  assert.equal(JSON.parse((await rig.run(["token", "list", "--json", ...there])).stdout).items.length, 2);
  const twice = await rig.run(["token", "create", "--scope", "daemon", "--name", "ci", ...at]);
  assert.deepEqual([twice.code, twice.stdout], [1, ""]);

  const file = rig.file(
    "links.yaml",
    `version: 1\nhub: ${url}\ntoken_file: ./ci\nlinks:\n  one:\n    target: echo\n`,
  );
  const credential = rig.file("ci", token);
  const daemon = rig.connectd([
    "run",
    "-c",
    file,
    "--state",
    `${rig.folder}/d`,
    "--control",
    "127.0.0.1:0",
    "--json",
  ]);
  const ready = await daemon.ready<Ready>();
  assert.equal(ready.hub, url);
  const one = await eventually(
    async () => JSON.parse((await rig.run(["list", "--json", ...there])).stdout).items[0],
    (link) => link?.state === "active",
  );
  assert.equal((await curl(one.url)).status, 200);
  assert.match(
    (await rig.run(["status", ...there])).stdout,
    /^DAEMON +WORKSPACE .*\n.* default +ci +127\.0\.0\.1/,
  );
  const member = await rig.run(["token", "list", "--hub", url, "--token-file", credential]);
  assert.deepEqual([member.code, member.stdout], [1, ""]);
  assert.match(member.stderr, /scope admin/);

  const revoked = await rig.run(["revoke", "one", ...there]);
  assert.equal(revoked.code, 0, revoked.stderr);
  assert.equal(JSON.parse((await curl(one.url)).body).code, "link_revoked");
  await eventually(
    async () =>
      JSON.parse((await rig.run(["list", "--json", "--state", `${rig.folder}/d`])).stdout).items[0].state,
    (state) => state === "revoked",
  );
  assert.match((await rig.run(["token", "revoke", id, ...at])).stdout, /^revoked ci /);
  await daemon.until(() => /revoked|not valid/.test(daemon.stderr));
  await eventually(
    async () => JSON.parse((await rig.run(["status", "--json", ...there])).stdout).items,
    (items) => items.length === 0,
  );
  assert.equal((await hub.kill("SIGTERM")).code, 0);
});

Deno.test("a hub takes its file, and a flag goes before it", async () => {
  await using rig = new Rig();
  const file = rig.file(
    "hub.yaml",
    "version: 1\nlisten: 127.0.0.1:0\ndomain: links.example.com\npublic_url: http://hub.example.com\nstore: sqlite:./own.db\n",
  );
  const at = ["--state", `${rig.folder}/hub`];
  const hub = rig.connectd(["hub", ...at, "--public-url", "http://other.example.com"]);
  await hub.until(() => hub.stdout.includes("\n"));
  assert.equal(hub.stdout, "ready hub=http://other.example.com domain=links.example.com\n");
  assert.ok(Deno.statSync(`${rig.folder}/own.db`).isFile);
  const second = await rig.run(["hub", "--config", file, "--state", `${rig.folder}/second`]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`pid ${hub.pid}\\b`));
  assert.equal((await hub.kill("SIGINT")).code, 0);
  const alone = await rig.run(["token", "create", "--scope", "viewer", "-c", file, ...at]);
  assert.equal(alone.code, 0, alone.stderr);
});

Deno.test("a one-off at another hub is served from here, and is gone when its process ends", async () => {
  await using rig = new Rig();
  const at = ["--state", `${rig.folder}/hub`];
  const hub = rig.connectd(["hub", "--listen", "127.0.0.1:0", ...at, "--json"]);
  const { hub: url } = await hub.ready<{ hub: string }>();
  const token = rig.file("token", (await rig.run(["token", "create", "--scope", "daemon", ...at])).stdout);
  const services = rig.file(
    "mine.yaml",
    "version: 1\nservices:\n  my-api: echo\nlinks:\n  other:\n    target: echo\n",
  );
  const link = rig.connectd([
    "link",
    "my-api",
    "-H",
    url,
    "--token-file",
    token,
    "-c",
    services,
    "--json",
  ]);
  const text = await link.until(() => /^\{\n[^]*\n\}\n/.exec(link.stdout)?.[0]);
  const shown = JSON.parse(text);
  assert.deepEqual([shown.name, shown.service, shown.source], ["my-api", "my-api", "oneoff"]);
  assert.equal((await curl(shown.url)).status, 200);
  assert.equal((await link.kill("SIGTERM")).code, 0);
  assert.equal((await curl(shown.url)).status, 410);
  const refused = await rig.run(["link", "echo", "-H", url, "--token-file", rig.file("no", "connectd_no")]);
  assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  assert.match(refused.stderr, /token/);
});

Deno.test("the first signal lets a request in flight finish, and the second one does not wait for it", async () => {
  for (const signals of [["SIGTERM"], ["SIGINT", "SIGTERM"]] as const) {
    await using rig = new Rig();
    const { ready, process } = await rig.daemon("version: 1\nlinks:\n  one:\n    target: echo\n");
    const answer = curl(`${ready.links[0].url}/?delay=${signals.length === 1 ? 2 : 20}s`).catch(() => null);
    await eventually(
      async () =>
        JSON.parse((await rig.run(["list", "--json", "--state", `${rig.folder}/daemon`])).stdout).items[0],
      (link) => link.counters.open === 1,
    );
    for (const signal of signals) {
      process.signal(signal);
      // Two signals that are not yet delivered may come in either order.
      await eventually(
        () =>
          Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(ready.hub).port) }).then(
            (conn) => (conn.close(), false),
            () => true,
          ),
        (refused) => refused,
      );
    }
    const { code } = await process.ended();
    if (signals.length === 1) assert.deepEqual([code, (await answer)?.status], [0, 200]);
    else assert.deepEqual([code, await answer], [143, null]);
  }
});

Deno.test("a hang-up makes the daemon read its file again", async () => {
  await using rig = new Rig();
  const { file, process } = await rig.daemon("version: 1\nlinks:\n  one:\n    target: echo\n");
  Deno.writeTextFileSync(file, "version: 1\nlinks:\n  two:\n    target: echo\n");
  process.signal("SIGHUP");
  await process.until(() => process.stderr.includes("+ two") && process.stderr.includes("- one"));
  assert.equal((await process.kill("SIGTERM")).code, 0);
});

Deno.test("a hang-up while the daemon still waits for its hub does not end it", async () => {
  await using rig = new Rig();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  rig.atEnd(() => silent.close());
  const token = rig.file("token", "connectd_abc_secret-secret-secret-secret");
  const hub = `{ url: "http://127.0.0.1:${silent.addr.port}", token_file: ${token} }`;
  const file = rig.file("links.yaml", `version: 1\nhub: [${hub}]\nlinks: { one: { target: echo } }\n`);
  const process = rig.connectd([
    "run",
    "-c",
    file,
    "--state",
    `${rig.folder}/state`,
    "--control",
    "127.0.0.1:0",
    "--json",
  ]);
  await process.until(() => process.stderr.includes("+ one"));
  process.signal("SIGHUP");
  await process.ready();
  assert.equal((await process.kill("SIGTERM")).code, 0);
});

Deno.test("default ports that are taken give way with a notice, and the log is JSON where that was asked for", async () => {
  await using rig = new Rig();
  for (const port of [8080, 4545]) {
    try {
      const listener = Deno.listen({ hostname: "127.0.0.1", port });
      rig.atEnd(() => listener.close());
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  const file = rig.file("links.yaml", "version: 1\n");
  const process = rig.connectd([
    "-c",
    file,
    "--state",
    `${rig.folder}/state`,
    "--json",
    "--log-format",
    "json",
  ]);
  const ready = await process.ready<Ready>();
  assert.deepEqual(ready.links, []);
  assert.notEqual(new URL(ready.hub).port, "8080");
  assert.doesNotMatch(ready.control, /:4545$/);
  const notices = process.stderr.trim().split("\n").map((line) => JSON.parse(line));
  for (const port of ["8080", "4545"]) {
    assert.ok(notices.some(({ level, message }) => level === "warn" && message.includes(port)), port);
  }
});

Deno.test("of several links to revoke, a name that is none keeps none of the others", async () => {
  await using rig = new Rig();
  const { state } = await rig.daemon("version: 1\nlinks: { a: { target: echo }, b: { target: echo } }\n");
  const run = await rig.run(["revoke", "a", "nope", "b", "--state", state]);
  assert.equal(run.code, 1);
  assert.match(run.stderr, /nope/);
  const { items } = JSON.parse((await rig.run(["list", "--json", "--state", state])).stdout);
  assert.deepEqual(items.map((link: { state: string }) => link.state), ["revoked", "revoked"]);
});

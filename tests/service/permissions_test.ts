/** `connectd permissions`: enough for what the file names, and for nothing else. */
import assert from "node:assert/strict";
import { hashSync } from "bcryptjs";
import { VARIABLES } from "../../src/cli/grants.ts";
import { curl, eventually, packaged, type Ready, Rig } from "../e2e/rig.ts";
import { Supervisor } from "./supervisor.ts";

const root = new URL("../../", import.meta.url).pathname;
const tls = new URL("../net/tls/", import.meta.url).pathname;
const TOKEN = "0123456789abcdef0123";

interface LinkJson {
  readonly name: string;
  readonly state: string;
  readonly lastError: string | null;
}

/** A target for the length of a test; says how often it was asked. */
function target(rig: Rig, options: Deno.ServeTcpOptions | Deno.ServeUnixOptions, says: string) {
  const seen = { asked: 0 };
  const server = Deno.serve({ ...options, onListen() {} } as Deno.ServeTcpOptions, () => {
    seen.asked++;
    return new Response(says);
  });
  rig.atEnd(() => server.shutdown());
  return { seen, port: (server.addr as Deno.NetAddr).port };
}

Deno.test("a daemon serves its file within the flags that `permissions` prints, and reaches no further", async () => {
  if (packaged("curl", "curl") === null) return;
  await using rig = new Rig();
  const supervisor = await Supervisor.listen(rig);
  const plain = target(rig, { hostname: "localhost", port: 0 }, "plain");
  const other = target(rig, { hostname: "localhost", port: 0 }, "other");
  const secure = target(rig, {
    hostname: "127.0.0.1",
    port: 0,
    cert: Deno.readTextFileSync(`${tls}server.pem`),
    key: Deno.readTextFileSync(`${tls}server_key.pem`),
  } as Deno.ServeTcpOptions, "secure");
  target(rig, { path: `${rig.folder}/app.sock` }, "unix");
  for (const folder of ["etc", "secrets", "elsewhere"]) Deno.mkdirSync(`${rig.folder}/${folder}`);
  rig.file("secrets/tokens", `${TOKEN}\n`);
  rig.file("secrets/users", `ann:${hashSync("pass", 4)}\n`);
  rig.file("elsewhere/tokens", `${TOKEN}\n`);
  const text = `version: 1
links:
  plain: { target: "localhost:${plain.port}" }
  unix: { target: "unix:${rig.folder}/app.sock" }
  secure: { target: "https://127.0.0.1:${secure.port}", tls: { ca_file: ${tls}ca.pem } }
  bearer: { target: echo, auth: { bearer: { token_file: ../secrets/tokens } } }
  basic: { target: echo, auth: { basic: { file: ../secrets/users } } }
`;
  const file = rig.file("etc/links.yaml", text);
  const places = ["--state", `${rig.folder}/state`, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
  const printed = await rig.run(["permissions", "--config", file, ...places], {
    NOTIFY_SOCKET: supervisor.socket,
  });
  assert.deepEqual([printed.code, printed.stderr], [0, ""]);
  const grants = printed.stdout.trim().split("\n");
  const daemon = supervisor.start(["run", "--config", file, "--json", ...places], {
    grants,
    watchdogMs: 400,
  });
  const { links: served } = await daemon.ready<Ready>();
  await supervisor.until("WATCHDOG=1");
  const ask = async (name: string, ...options: string[]) => {
    const url = new URL(served.find((link) => link.name === name)!.url);
    const { status, body } = await curl(
      url.href,
      "--resolve",
      `${url.hostname}:${url.port}:127.0.0.1`,
      ...options,
    );
    return status === 200 && !body.startsWith("{") ? body : status;
  };
  assert.equal(await ask("plain"), "plain");
  assert.equal(await ask("unix"), "unix");
  assert.equal(await ask("secure"), "secure");
  assert.equal(await ask("bearer", "-H", `Authorization: Bearer ${TOKEN}`), 200);
  assert.equal(await ask("basic", "-u", "ann:pass"), 200);
  assert.equal(await ask("basic", "-u", "ann:word"), 401);

  // What needs more goes into `error` and says what to do; the rest is applied.
  rig.file(
    "etc/links.yaml",
    `${text}  port: { target: "localhost:${other.port}" }
  file: { target: echo, auth: { bearer: { token_file: ../elsewhere/tokens } } }
  socket: { target: "unix:/run/other.sock" }
  new: { target: echo }
`,
  );
  assert.equal((await rig.run(["reload", "--state", `${rig.folder}/state`])).code, 0);
  const list = async (): Promise<LinkJson[]> =>
    JSON.parse((await rig.run(["list", "--json", "--state", `${rig.folder}/state`])).stdout).items;
  const isNew = ({ name }: LinkJson) => name === "new";
  const links = await eventually(list, (links) => links.find(isNew)?.state === "active");
  const advice = "start it again with what `connectd permissions` prints";
  const lacks: Record<string, string> = {
    port: `--allow-net=localhost:${other.port}`,
    file: `--allow-read=${rig.folder}/elsewhere/tokens`,
    socket: "--allow-net=unix:/run/other.sock",
  };
  for (const { name, state, lastError } of links) {
    const lack = lacks[name];
    const expected = lack === undefined
      ? ["active", null]
      : ["error", `the daemon was started without ${lack}: ${advice}`];
    assert.deepEqual([state, lastError], expected, name);
  }
  assert.equal(await ask("plain"), "plain");
  assert.equal(other.seen.asked, 0);
  assert.equal((await daemon.kill("SIGTERM")).code, 0);
});

Deno.test("what a wider reach needs is refused by the runtime itself, not only by us", async () => {
  await using rig = new Rig();
  const file = rig.file("links.yaml", "version: 1\nlinks:\n  a: { target: echo }\n");
  rig.file("secret", "");
  const printed = await rig.run(["permissions", "--config", file, "--state", `${rig.folder}/state`]);
  const program = rig.file(
    "reach.ts",
    `const tries = {
  net: () => Deno.connect({ hostname: "127.0.0.1", port: 9 }),
  listen: () => Deno.listen({ hostname: "0.0.0.0", port: 0 }),
  read: () => Deno.readTextFile("/etc/passwd"),
  write: () => Deno.writeTextFile(${JSON.stringify(`${rig.folder}/secret`)}, ""),
  run: () => new Deno.Command("true").output(),
  env: () => Deno.env.get("PATH"),
};
for (const [name, act] of Object.entries(tries)) {
  try { await act(); console.log(name, "went through"); } catch (error) { console.log(name, error.name); }
}`,
  );
  const { stdout } = await rig.spawn(Deno.execPath(), ["run", ...printed.stdout.trim().split("\n"), program])
    .ended();
  const names = ["net", "listen", "read", "write", "run", "env"];
  assert.equal(stdout, names.map((name) => `${name} NotCapable\n`).join(""));
});

Deno.test("every variable that a daemon asks for is granted", async () => {
  const command = new Deno.Command(Deno.execPath(), { args: ["info", "--json", `${root}src/cli/run.ts`] });
  const { modules } = JSON.parse(new TextDecoder().decode((await command.output()).stdout));
  const files = modules.flatMap(({ local }: { local?: string }) =>
    local?.startsWith(`${root}src/`) ? [local] : []
  );
  assert.ok(files.length > 50);
  const texts = [...files, `${root}mod.ts`].map((file) => Deno.readTextFileSync(file));
  const asked = texts.flatMap((text) =>
    [...text.matchAll(/\benv\.(?:get|set)\("(\w+)"/g)].map(([, name]) => name)
  );
  assert.ok(asked.includes("STATE_DIRECTORY"));
  assert.deepEqual(asked.filter((name) => !VARIABLES.includes(name)), []);
});

Deno.test("a file that is refused has no permissions, and its problems are shown", async () => {
  await using rig = new Rig();
  const file = rig.file("links.yaml", "version: 1\nlinks: 3\n");
  const { code, stdout, stderr } = await rig.run(["permissions", "--config", file]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /links\.yaml:2:8: error/);
});

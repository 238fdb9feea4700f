/** The units of config/ and `connectd install`, which writes them. */
import assert from "node:assert/strict";
import { packaged, Rig } from "../e2e/rig.ts";

const root = new URL("../../", import.meta.url).pathname.slice(0, -1);
const UNITS = ["connectd", "connectd-hub", "connectd-user"];

/** A unit's text with programs that are there, so that systemd has nothing to say about those. */
function placed(unit: string): string {
  return Deno.readTextFileSync(`${root}/config/${unit}.service`).replaceAll(
    "/usr/local/bin/deno",
    "/bin/true",
  );
}

for (const unit of UNITS) {
  Deno.test(`systemd finds nothing to say about ${unit}.service`, async () => {
    const program = packaged("systemd-analyze", "systemd");
    if (program === null) return;
    await using rig = new Rig();
    const user = unit === "connectd-user";
    const file = rig.file(`${user ? "connectd" : unit}.service`, placed(unit));
    const { code, stdout, stderr } = await rig.spawn(program, [
      "verify",
      "--man=no",
      ...(user ? ["--user"] : []),
      file,
    ], {
      XDG_RUNTIME_DIR: rig.folder,
    }).ended();
    // About other units of the machine it may say what it likes.
    const about = (stdout + stderr).split("\n").filter((line) => line.includes("connectd"));
    assert.deepEqual([code, about], [0, []]);
  });
}

for (const unit of ["connectd", "connectd-hub"]) {
  Deno.test(`${unit}.service is exposed to 1.5 of 10 at the most, as systemd counts`, async () => {
    const program = packaged("systemd-analyze", "systemd");
    if (program === null) return;
    await using rig = new Rig();
    const file = rig.file(`${unit}.service`, placed(unit));
    const args = ["security", "--offline=true", "--threshold=15", "--no-pager", file];
    const { code, stdout, stderr } = await rig.spawn(program, args).ended();
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /Overall exposure level for .*: 1\.[0-5] OK/);
  });
}

/** What each unit promises, by the words of product §8. */
const PROMISES: readonly RegExp[] = [
  /^Type=notify$/m,
  /^WatchdogSec=\d+s$/m,
  /^Restart=on-failure$/m,
  /^RestartPreventExitStatus=2$/m,
  /^NoNewPrivileges=yes$/m,
  /^ExecStart=\S+ run --no-prompt .*--allow-write=\S*%t\/systemd\/notify /m,
];

for (const unit of UNITS) {
  Deno.test(`${unit}.service is watched, restarted unless its file is wrong, and grants no path unscoped`, () => {
    const text = Deno.readTextFileSync(`${root}/config/${unit}.service`);
    for (const promise of PROMISES) assert.match(text, promise);
    for (const line of text.split("\n").filter((line) => line.startsWith("Exec"))) {
      assert.doesNotMatch(line, /--allow-(?:all|run|ffi|sys|import)|-A\b|--allow-(?:read|write)(?!=)/);
    }
    assert.match(text, /^ExecReload=.* reload/m);
  });
}

Deno.test("`install --print` gives the units of config/ with the paths of this machine, and writes nothing", async () => {
  await using rig = new Rig();
  const home = rig.folder, state = `${rig.folder}/state-home/connectd`;
  const rows: [unit: string, flags: string[], config: string][] = [
    ["connectd", [], "/etc/connectd/links.yaml"],
    ["connectd-hub", ["--hub"], "/etc/connectd/hub.yaml"],
    ["connectd-user", ["--user"], `${home}/.config/connectd/links.yaml`],
    ["connectd", ["--config", "/srv/c/my.yaml"], "/srv/c/my.yaml"],
  ];
  await Promise.all(rows.map(async ([unit, flags, config]) => {
    const { code, stdout } = await rig.run(["install", "--print", ...flags], env(home));
    assert.equal(code, 0);
    const folder = config.slice(0, config.lastIndexOf("/"));
    const expected = Deno.readTextFileSync(`${root}/config/${unit}.service`).split("\n").map((line) =>
      !line.startsWith("Exec") ? line : line
        .replaceAll("/usr/local/bin/deno", Deno.execPath())
        .replaceAll("/opt/connectd", root)
        .replaceAll(/(?:\/etc|%h\/\.config)\/connectd\/\w+\.yaml/g, config)
        .replaceAll(/(?:\/etc|%h\/\.config)\/connectd,/g, `${folder},`)
        .replaceAll("%h/.local/state/connectd", state)
    ).join("\n");
    assert.equal(stdout, expected);
  }));
  assert.deepEqual([...Deno.readDirSync(rig.folder)], []);
});

Deno.test("`install --user` writes a unit once, says what is next, and leaves one that differs as it is", async () => {
  await using rig = new Rig();
  const path = `${rig.folder}/.config/systemd/user/connectd.service`;
  const install = () => rig.run(["install", "--user"], env(rig.folder));
  const first = await install();
  assert.deepEqual([first.code, first.stderr], [0, ""]);
  assert.match(first.stdout, new RegExp(`^${path} is written\\.\n`));
  assert.match(
    first.stdout,
    /^ {2}systemctl --user daemon-reload\n {2}systemctl --user enable --now connectd$/m,
  );
  const written = Deno.readTextFileSync(path);
  assert.match(written, /^ExecReload=/m);
  assert.match((await install()).stdout, /is there already, just so\.\n/);
  Deno.writeTextFileSync(path, written + "# mine\n");
  const third = await install();
  assert.deepEqual([third.code, third.stdout], [1, ""]);
  assert.match(
    third.stderr,
    /differs from what would be written, so it is left as it is\n {2}compare with `connectd install --print`/,
  );
  assert.equal(Deno.readTextFileSync(path), written + "# mine\n");
});

Deno.test("a unit may read what its file names elsewhere, and reach its sockets", async () => {
  await using rig = new Rig();
  Deno.mkdirSync(`${rig.folder}/etc`);
  const file = rig.file(
    "etc/links.yaml",
    `version: 1
token_file: ./token
hub: https://hub.example.com
links:
  a: { target: "unix:/run/app.sock", auth: { bearer: { token_file: /srv/partner.tokens } } }
  b: { target: "https://api.internal", tls: { ca_file: ./ca.pem } }
`,
  );
  const { stdout } = await rig.run(["install", "--print", "--config", file], env(rig.folder));
  const [start] = stdout.split("\n").filter((line) => line.startsWith("ExecStart="));
  const list = (flag: string) => start.match(new RegExp(`--allow-${flag}=(\\S+)`))![1].split(",");
  assert.deepEqual(list("read").slice(1, 4), [`${rig.folder}/etc`, "/srv/partner.tokens", "/run/app.sock"]);
  assert.deepEqual(list("write"), ["/run/app.sock", "%S/connectd", "%t/systemd/notify"]);
});

Deno.test("a path that means something to systemd is refused, and so is a home for the machine's service", async () => {
  await using rig = new Rig();
  const rows: [args: string[], what: RegExp][] = [
    [
      ["--print", "--config", "/etc/connectd/100%.yaml"],
      /"\/etc\/connectd\/100%\.yaml" can not stand in a unit/,
    ],
    [
      ["--config", "/home/ann/links.yaml"],
      /\/home\/ann\/links\.yaml can not be used by a service of the machine/,
    ],
  ];
  for (const [args, what] of rows) {
    const { code, stdout, stderr } = await rig.run(["install", ...args], env(rig.folder));
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, what);
  }
  const both = await rig.run(["install", "--user", "--hub"], env(rig.folder));
  assert.equal(both.code, 2);
});

/** Only the home is another; the runtime keeps its packages where they are. */
function env(home: string): Record<string, string> {
  return { HOME: home, XDG_CONFIG_HOME: "", DENO_DIR: denoDir() };
}

function denoDir(): string {
  return Deno.env.get("DENO_DIR") ??
    `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
}

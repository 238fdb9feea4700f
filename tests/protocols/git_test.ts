/** git over smart HTTP through a link: Debian's git, and its http-backend behind Debian's apache2. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { accepting, freePort, packaged, Rig, type Run } from "../e2e/rig.ts";
import { onBoth, openWays, type Way } from "./ways.ts";

const BACKEND = "/usr/lib/git-core";
const MODULES = "mpm_event cgi alias env authz_core".split(" ");

/** apache2 with git-http-backend over `${rig.folder}/repos`; returns its port. */
async function serveGit(rig: Rig, apache: string): Promise<number> {
  const folder = `${rig.folder}/apache`, port = freePort();
  Deno.mkdirSync(folder);
  Deno.chmodSync(rig.folder, 0o755);
  // Under another user, git has to be told that it may serve what is not its own.
  const config = rig.file(
    "apache.conf",
    `ServerRoot ${folder}
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
Listen 127.0.0.1:${port}
ServerName localhost
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
${Deno.uid() === 0 ? "User nobody\nGroup nogroup" : ""}
SetEnv GIT_PROJECT_ROOT ${rig.folder}/repos
SetEnv GIT_HTTP_EXPORT_ALL 1
SetEnv GIT_CONFIG_COUNT 2
SetEnv GIT_CONFIG_KEY_0 safe.directory
SetEnv GIT_CONFIG_VALUE_0 *
SetEnv GIT_CONFIG_KEY_1 gc.auto
SetEnv GIT_CONFIG_VALUE_1 0
ScriptAlias /git/ ${BACKEND}/git-http-backend/
<Location /git>
Require all granted
</Location>
`,
  );
  // In one process: there is nobody left when it is killed.
  rig.spawn(apache, ["-X", "-f", config]);
  await accepting(port);
  return port;
}

const ENV = {
  // What it tidies up it does in the background, beyond the end of a test.
  ...{ GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "gc.auto", GIT_CONFIG_VALUE_0: "0" },
  ...{ GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_TERMINAL_PROMPT: "0" },
  ...{ GIT_AUTHOR_NAME: "A", GIT_AUTHOR_EMAIL: "a@example.com", GIT_AUTHOR_DATE: "2030-01-01T00:00:00Z" },
  ...{ GIT_COMMITTER_NAME: "C", GIT_COMMITTER_EMAIL: "c@example.com" },
  GIT_COMMITTER_DATE: "2030-01-01T00:00:00Z",
};

/** Runs git in a folder of the rig's. Throws where it fails. */
async function git(rig: Rig, folder: string, ...args: string[]): Promise<Run> {
  const run = await rig.spawn("git", ["-C", `${rig.folder}/${folder}`, ...args], {
    ...ENV,
    HOME: rig.folder,
    // Heads and what is said about them, not the bodies.
    GIT_TRACE_CURL: "1",
    GIT_TRACE_CURL_NO_DATA: "1",
  }).ended();
  assert.equal(run.code, 0, `git ${args.join(" ")}: ${run.stderr}`);
  return run;
}

Deno.test("git pushes, clones and fetches the same commits through a link", async () => {
  const apache = packaged("apache2", "apache2-bin");
  if (apache === null || packaged("git", "git") === null) return;
  await using rig = new Rig();
  const ways = (await openWays(rig, { git: await serveGit(rig, apache) }))("git");
  const file = randomBytes(4 * 1024 * 1024);
  const said = await onBoth(ways, (way) => work(rig, way, file));
  assert.deepEqual(said.through, said.straight);
});

/** A day with git; returns what the repositories ended with. */
async function work(rig: Rig, { name, host }: Way, file: Uint8Array): Promise<string[]> {
  const repository = `repos/${name}.git`, url = `http://${host}/git/${name}.git`;
  const [first, second] = [`${name}-first`, `${name}-second`];
  const head = async (folder: string) => {
    await git(rig, folder, "fsck", "--full", "--strict");
    return (await git(rig, folder, "rev-parse", "main")).stdout;
  };
  await git(rig, ".", "init", "-q", "--bare", "-b", "main", repository);
  await git(rig, repository, "config", "http.receivepack", "true");
  await makeWritable(`${rig.folder}/${repository}`);

  await git(rig, ".", "clone", "-q", url, first);
  await git(rig, first, "checkout", "-q", "-B", "main");
  Deno.writeFileSync(`${rig.folder}/${first}/file`, file);
  await git(rig, first, "add", "file");
  await git(rig, first, "commit", "-q", "-m", "a large one");
  // More than the buffer, so that its length is not known when it begins.
  const push = await git(rig, first, "-c", "http.postBuffer=65536", "push", "-q", "origin", "main");
  assert.match(push.stderr, /=> Send header: transfer-encoding: chunked/i);
  const pushed = await head(repository);

  await git(rig, ".", "clone", "-q", url, second);
  assert.equal(await head(second), pushed);

  await git(rig, first, "commit", "-q", "--allow-empty", "-m", "a small one");
  await git(rig, first, "push", "-q", "origin", "main");
  // Commits that the other side does not know, newer than those it does, are told in a request that is worth compressing.
  const commits = Array.from(
    { length: 80 },
    (_, i) =>
      `commit refs/heads/other\ncommitter C <c@example.com> ${2_000_000_000 + i} +0000\ndata 1\n${i % 10}\n`,
  );
  const stream = rig.file(`${name}.commits`, commits.join(""));
  const script = `exec git -C "$0" fast-import --quiet < "$1"`;
  const imported = await rig.spawn("sh", ["-c", script, `${rig.folder}/${second}`, stream], ENV).ended();
  assert.equal(imported.code, 0, imported.stderr);
  const fetch = await git(rig, second, "fetch", "-q", "origin");
  assert.match(fetch.stderr, /=> Send header: content-encoding: gzip/i);
  await git(rig, second, "merge", "-q", "--ff-only", "origin/main");
  const merged = await head(repository);
  assert.deepEqual([await head(first), await head(second)], [merged, merged]);
  assert.notEqual(merged, pushed);
  return [pushed, merged];
}

/** For the user that apache's worker is. */
async function makeWritable(path: string): Promise<void> {
  const { success } = await new Deno.Command("chmod", { args: ["-R", "a+rwX", path] }).output();
  assert.ok(success);
}

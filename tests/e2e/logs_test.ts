/** The access log as its operator meets it: the verb, kill −9, jq. */
import assert from "node:assert/strict";
import { curl, eventually, packaged, Rig } from "./rig.ts";

const YAML = "version: 1\nlinks:\n  web: { target: echo, paths: [/in], subdomain: web }\n" +
  "  other: { target: echo, subdomain: other }\n";

/** Visits `paths` of a link, one after the other. */
async function visit(hub: string, paths: readonly string[], link = "web"): Promise<void> {
  const { port } = new URL(hub);
  for (const path of paths) {
    await curl(`http://127.0.0.1:${port}${path}`, "-H", `Host: ${link}.localhost:${port}`);
  }
}

const paths = (name: string, count: number) => Array.from({ length: count }, (_, i) => `/in/${name}/${i}`);

/** Paths in the JSON lines of `text`; throws for what is none. */
function pathsOf(text: string): string[] {
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line).path);
}

Deno.test("`logs -f` goes on over an end and a kill of the daemon: no line is left out, and none comes twice", async () => {
  await using rig = new Rig();
  let { process, ready, state } = await rig.daemon(YAML);
  const [before, live, last, again, end] = ["a", "b", "c", "d", "e"].map((name) => paths(name, 5));
  await visit(ready.hub, before);
  const follower = rig.connectd(["logs", "-f", "--link", "web", "--json", "--state", state]);
  const shown = (many: number) => follower.until(() => pathsOf(follower.stdout).length >= many);
  await shown(5);
  await visit(ready.hub, live);
  await visit(ready.hub, paths("x", 3), "other");
  await shown(10);
  // What comes as it ends is in the log, if not among the events.
  await visit(ready.hub, last);
  await process.kill("SIGTERM");
  await follower.until(() => follower.stderr.includes("the daemon has ended: waiting"));
  ({ process, ready, state } = await rig.daemon(YAML));
  await visit(ready.hub, again);
  await shown(20);
  await process.kill("SIGKILL");
  ({ ready } = await rig.daemon(YAML));
  await visit(ready.hub, end);
  await shown(25);
  assert.deepEqual(pathsOf(follower.stdout), [before, live, last, again, end].flat());
  assert.match(follower.stderr, /the daemon is back/);
});

Deno.test("after kill −9 what was written is there, no line is half, and the log goes on", async () => {
  await using rig = new Rig();
  const first = await rig.daemon(YAML);
  const file = `${first.state}/access.log`;
  const kept = paths("kept", 5);
  await visit(first.ready.hub, kept);
  await eventually(() => Deno.readTextFile(file).catch(() => ""), (text) => pathsOf(text).length === 5);
  await visit(first.ready.hub, paths("late", 3));
  await first.process.kill("SIGKILL");
  // As a machine that went down may leave it.
  Deno.writeTextFileSync(file, '{"id":"half","at":"20', { append: true });
  const { ready, state } = await rig.daemon(YAML);
  await visit(ready.hub, ["/in/new", "/out"]);
  const { stdout } = await rig.run(["logs", "--state", state, "--json", "--limit", "100"]);
  const found = pathsOf(stdout);
  assert.deepEqual(found.slice(0, 5), kept);
  assert.deepEqual(found.slice(-2), ["/in/new", "/out"]);
  assert.deepEqual(pathsOf(Deno.readTextFileSync(file)), found);

  const rows = await rig.run(["logs", "--state", state, "--status", "4xx", "--since", "1h"]);
  assert.match(
    rows.stdout,
    /^TIME .* PATH\n\S+Z +\S+ +web +127\.0\.0\.1 +403 .* GET +\/out +\[path_denied\]\n$/,
  );
  const none = await rig.run(["logs", "--state", state, "--code", "rate_limited"]);
  assert.equal(none.stdout, "no such request was logged\n");
  const jq = packaged("jq", "jq");
  if (jq === null) return;
  const answer = await rig.spawn("sh", [
    "-c",
    `jq -r 'select(.status == 403) | .code' '${state}'/access*.log`,
  ])
    .ended();
  assert.equal(answer.stdout, "path_denied\n");
});

Deno.test("`logs` says what it can not read", async () => {
  await using rig = new Rig();
  for (
    const [args, code, sentence] of [
      [["--status", "20"], 2, /neither a status such as 503 nor a class/],
      [["--since", "yesterday"], 2, /--since: "yesterday" is no duration/],
      [["--since", "2026-13-01T00:00:00Z"], 2, /2026-13-01/],
      [["--limit", "0"], 2, /from 1 to 100000/],
      [["-f", "--state", `${rig.folder}/nobody`], 1, /no daemon answers/],
    ] as const
  ) {
    const run = await rig.run(["logs", ...args]);
    assert.deepEqual([run.code, sentence.test(run.stderr)], [code, true], run.stderr);
  }
});

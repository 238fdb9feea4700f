/** `status --watch`: what somebody who leaves it open sees. */
import assert from "node:assert/strict";
import type { LinkJson, StatusJson } from "../../src/cli/links.ts";
import { frame, Rates } from "../../src/cli/watch_frame.ts";
import { curl, packaged, Rig } from "../e2e/rig.ts";
import { Terminal } from "./terminal.ts";

const YAML = "version: 1\nlinks:\n  one: { target: echo, ttl: 1h }\n";

Deno.test("the table follows the daemon: a new link, requests, its end and its return; Ctrl-C gives the terminal back", async () => {
  if (packaged("script", "bsdutils") === null) return;
  await using rig = new Rig();
  const { state, file, process, ready } = await rig.daemon(YAML);
  await using terminal = Terminal.connectd(["status", "--watch", "--state", state], { cwd: rig.folder });
  await terminal.until(/one +active +– +0 +in (1h|59m 59s) +0 +0 +http/);
  assert.ok(terminal.seen.includes("\x1b[?1049h\x1b[?25l"));
  // A countdown in seconds.
  await terminal.until(/in 59m 5\ds[^]*in 59m \d+s/);
  Deno.writeTextFileSync(file, `${YAML}  two: { target: echo, ttl: 2h }\n`);
  await terminal.until(/two +active/);
  await curl(ready.links[0].url);
  await terminal.until(/one +active +0\.\d +0 +in \d+m \d+s +1 /);
  await process.kill("SIGKILL");
  await terminal.until(/nobody answers at .*control\.sock since \d+s: waiting for it[^]*one +active/);
  const at = terminal.text.length;
  await rig.connectd([
    ...[
      "run",
      "--config",
      file,
      "--state",
      state,
      "--listen",
      new URL(ready.hub).host.replace("localhost", "127.0.0.1"),
    ],
    ...["--control", "127.0.0.1:0", "--json"],
  ]).ready();
  await terminal.until(/connectd [\d.]+, up [^]*two +active/, at);
  await terminal.type("\x03");
  assert.equal(await terminal.ended(), 0);
  assert.ok(
    terminal.seen.trimEnd().endsWith("\x1b[?25h\x1b[?1049l"),
    JSON.stringify(terminal.seen.slice(-80)),
  );
});

Deno.test("where there is no terminal, or no daemon, --watch says what to do", async () => {
  if (packaged("script", "bsdutils") === null) return;
  await using rig = new Rig();
  const { state } = await rig.daemon(YAML);
  const cases: [string[], number, RegExp][] = [
    [["--state", state], 2, /--watch draws on a terminal.*\n.*\/v1\/events/],
    [["--state", state, "--json"], 2, /--json is not possible/],
    [["--hub", "http://localhost:1"], 2, /--hub is not possible/],
  ];
  for (const [args, code, sentence] of cases) {
    const run = await rig.run(["status", "--watch", ...args]);
    assert.deepEqual([run.code, run.stdout], [code, ""]);
    assert.match(run.stderr, sentence);
  }
  await using nobody = Terminal.connectd(["status", "-w", "--state", `${rig.folder}/none`], {
    cwd: rig.folder,
  });
  assert.equal(await nobody.ended(), 1);
  assert.match(nobody.seen, /no daemon answers/);
  assert.ok(!nobody.seen.includes("\x1b[?1049h"));
});

function link(name: string, more: Partial<LinkJson> = {}): LinkJson {
  return {
    ...{ name, id: "x", url: `http://${name}.localhost`, target: "echo", state: "active", source: "file" },
    ...{ activatedAt: null, expiresAt: null, policy: {}, lastError: null },
    counters: { allowed: 0, denied: {}, open: 0 },
    ...more,
  };
}

const STATUS: StatusJson = {
  shadowed: {},
  version: "1.2.3",
  startedAt: new Date(0).toISOString(),
  config: { file: "/links.yaml", generation: 1, appliedAt: null, problems: [] },
  hubs: [{ url: "http://localhost:8080", state: "connected", connections: 1, rttMs: null, lastError: null }],
  links: { active: 3 },
};

function lines(
  links: LinkJson[],
  size: { columns: number; rows: number },
  trouble: string | null = null,
): string[] {
  const view = { status: STATUS, links };
  const text = frame({ view, trouble, rates: new Rates(), now: 60_000, size, colours: false });
  assert.ok(text.startsWith("\x1b[H") && text.endsWith("\x1b[J"));
  return text.slice(3, -3).split("\r\n").map((line) => {
    assert.ok(line.endsWith("\x1b[K"), line);
    return line.slice(0, -3);
  });
}

Deno.test("a picture fits its terminal, and says how many links it leaves out", () => {
  const links = ["a", "b", "c"].map((name) => link(name));
  for (const rows of [5, 9, 10, 12, 40]) {
    for (const columns of [20, 200]) {
      const shown = lines(links, { columns, rows });
      assert.ok(shown.length <= rows, `${rows} ${shown.length}`);
      assert.ok(shown.every((line) => line.length <= columns));
    }
  }
  assert.match(lines(links, { columns: 200, rows: 10 }).at(-1)!, /^… and \d more/);
  assert.ok(lines(links, { columns: 200, rows: 40 }).some((line) => line.startsWith("c ")));
});

Deno.test("what links and hubs say does not command the terminal", () => {
  const shown = lines([link("a", { lastError: "\x1b]0;gone\x07", state: "error" })], {
    columns: 200,
    rows: 40,
  });
  assert.ok(shown.every((line) => !line.includes("\x1b")));
});

Deno.test("requests per second are counted over a second, whatever the looks between, and start anew with a daemon", () => {
  const rates = new Rates();
  const at = (allowed: number, ms: number) =>
    rates.take([link("a", { counters: { allowed, denied: { rate_limited: allowed }, open: 0 } })], ms);
  at(0, 0);
  assert.equal(rates.of("a"), null);
  at(1, 100);
  assert.equal(rates.of("a"), null);
  at(5, 1000);
  assert.equal(rates.of("a"), 10);
  at(5, 2000);
  assert.equal(rates.of("a"), 0);
  at(1, 3000);
  assert.equal(rates.of("a"), null);
});

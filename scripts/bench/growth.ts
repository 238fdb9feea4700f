/** How cost grows: by links that are declared, by sessions that are idle beside the loaded one, by visitors. */
import { type BenchHub, dialling, startDaemon, startHub } from "./connectd.ts";
import type { Tunnel } from "./tunnel.ts";
import { type Asked, load } from "./measure.ts";
import { cpuMs, rssMiB, type Running, start, stop } from "./process.ts";
import { openSessions } from "./sessions.ts";
import { Figures, fine, table, whole } from "./table.ts";

const LINKS = [1, 10, 100, 1_000, 10_000];
/** Besides the two of the daemon that is loaded. */
const SESSIONS = [0, 10, 100, 1_000, 10_000];
const VISITORS = [1, 64, 1_024, 4_096];

/** Visitors, where it is not they who grow. */
const USUAL = 64;

/** What a hub admits here: more sessions than 10,000, and all visitors in the two sessions of one daemon. */
const LIMITS = ["limits:", "  sessions: 11000", "  streams_per_session: 4096"];

/** A crowd has gone, and what it left in the pools has been idle for long enough, after so many ms. */
const LEFT_MS = 5_000;

/** What idle sessions cost is looked at for so long, in ms: a ping of each, and some. */
const IDLE_MS = 6_000;

export interface GrowthOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly folder: string;
}

/** One row: so many of what grows. */
export interface Step {
  readonly count: number;
  readonly figures: Figures;
}

/** What was seen, by what grew. */
export type Growth = Readonly<Record<string, readonly Step[]>>;

/** A hub and a daemon. */
interface Pair {
  readonly hub: BenchHub;
  readonly tunnel: Tunnel;
  /** Of the daemon's API, and its token. */
  readonly control: string;
  readonly token: string;
  readonly readyMs: number;
}

/** Measures all three, prints a table for each, and returns what was seen. */
export async function growth(options: GrowthOptions): Promise<Growth> {
  const program = new URL("./target.ts", import.meta.url).pathname;
  const { line } = await start("target", [Deno.execPath(), "run", "--allow-net", program], /^target/);
  const port = Number(line.split(" ")[1]);
  console.log(
    `Medians of ${options.rounds} rounds of ${options.seconds} s, ${USUAL} visitors unless said otherwise; everything ` +
      "shares the cores; crowds of visitors have three times as long. A link has connections to its target of its own: spread over more links than are asked " +
      "again within 4 s, a request is its connection too.\n",
  );
  const [atOne, spread] = await byLinks(port, options);
  const sessions = await bySessions(port, options), visitors = await byVisitors(port, options);
  return { "links": atOne, "links, all asked": spread, "idle sessions": sessions, visitors };
}

/** Links of one daemon: every pair is there at once, and each round asks all of them. */
async function byLinks(port: number, { rounds, seconds, folder }: GrowthOptions): Promise<[Step[], Step[]]> {
  const pairs: Pair[] = [], atOne = steps(LINKS), spread = steps(LINKS);
  for (const [i, links] of LINKS.entries()) {
    const pair = await startPair(`${folder}/links-${links}`, port, links);
    pairs.push(pair);
    const { figures } = atOne[i];
    figures.note("ready", pair.readyMs);
    pair.tunnel.processes.forEach((process, side) => figures.note(`rss ${side}`, rssMiB(process)));
    await load(pair.tunnel, USUAL, 1);
    await calm(pair.tunnel.processes[1]);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, { tunnel }] of pairs.entries()) {
      await loaded(atOne[i], tunnel, USUAL, seconds);
      await loaded(spread[i], tunnel, USUAL, seconds, { script: rotating(folder, LINKS[i]) });
    }
    tell(`links: round ${round + 1} of ${rounds} done`);
  }
  // After the loads, and one at a time: a daemon looks at its file once more by itself.
  for (const [i, pair] of pairs.entries()) {
    for (let round = 0; round < rounds; round++) {
      await reloaded(atOne[i], pair, `${folder}/links-${LINKS[i]}`);
      await calm(pair.tunnel.processes[1]);
    }
  }
  for (const { tunnel } of pairs) for (const process of tunnel.processes) await stop(process);
  const head = ["links", ...LOAD_HEAD, "req/s spread over all", "CPU µs/request then"];
  print(
    [...head, "ready ms", "reload ms", "µs/link", "RSS MiB idle"],
    LINKS.map((links, i) => {
      const { figures } = atOne[i], reload = figures.median("reload");
      return [
        ...[whole(links), ...loadCells(figures)],
        ...[whole(spread[i].figures.median("rps")), sides(spread[i].figures, "cpu", fine)],
        ...[whole(figures.median("ready")), whole(reload), links < 100 ? "–" : whole(reload * 1_000 / links)],
        sides(figures, "rss", whole),
      ];
    }),
  );
  return [atOne, spread];
}

/**
 * Idle sessions on a hub, each number on a hub of its own. Since they cost something themselves, they are there for their
 * rounds only, and a hub without them has every other turn.
 */
async function bySessions(port: number, { rounds, seconds, folder }: GrowthOptions): Promise<Step[]> {
  const all = steps(SESSIONS), alone = await startPair(`${folder}/alone`, port, 1);
  await load(alone.tunnel, USUAL, 1);
  for (const step of all) {
    const { count, figures } = step;
    const pair = count === 0 ? alone : await startPair(`${folder}/sessions-${count}`, port, 1);
    if (count > 0) await load(pair.tunnel, USUAL, 1);
    const [hub] = pair.tunnel.processes, before = rssMiB(hub);
    const sessions = count > 0 ? await openSessions(pair.hub, count) : null;
    figures.note("each", (rssMiB(hub) - before) * 1024 / count);
    const busy = cpuMs(hub);
    await pause(IDLE_MS);
    figures.note("idle", (cpuMs(hub) - busy) / IDLE_MS * 100);
    for (let round = 0; round < rounds; round++) {
      await loaded(step, pair.tunnel, USUAL, seconds);
      if (count > 0) await loaded(all[0], alone.tunnel, USUAL, seconds);
    }
    if (sessions !== null) {
      for (const process of [sessions, ...pair.tunnel.processes]) await stop(process);
    }
    tell(`${count} idle sessions: done`);
  }
  for (const process of alone.tunnel.processes) await stop(process);
  print(
    ["idle sessions", ...LOAD_HEAD, "hub's CPU for them", "KiB each"],
    all.map(({ count, figures }) => [
      ...[whole(count), ...loadCells(figures), `${fine(figures.median("idle"))} %`],
      count < 100 ? "–" : fine(figures.median("each")),
    ]),
  );
  return all;
}

async function byVisitors(port: number, { rounds, seconds, folder }: GrowthOptions): Promise<Step[]> {
  const all = steps(VISITORS), { tunnel } = await startPair(`${folder}/visitors`, port, 1);
  // Without the connections that a first crowd waits for.
  await load(tunnel, VISITORS.at(-1)!, 3 * seconds);
  for (let round = 0; round < rounds; round++) {
    for (const step of all) {
      // A crowd takes a moment to be there.
      await loaded(step, tunnel, step.count, step.count > USUAL ? 3 * seconds : seconds);
      tunnel.processes.forEach((process, side) => step.figures.note(`rss ${side}`, rssMiB(process)));
      if (step.count > USUAL) await pause(LEFT_MS);
    }
    tell(`visitors: round ${round + 1} of ${rounds} done`);
  }
  for (const process of tunnel.processes) await stop(process);
  print(
    ["visitors", ...LOAD_HEAD, "RSS MiB then"],
    all.map(({ count, figures }) => [
      ...[whole(count), ...loadCells(figures), sides(figures, "rss", whole)],
    ]),
  );
  return all;
}

/** A hub and a daemon in `folder`; links are `l0`, `l1`, … to the target on `port`. */
async function startPair(folder: string, port: number, links: number): Promise<Pair> {
  Deno.mkdirSync(folder);
  const hub = await startHub(folder, { config: LIMITS }), begun = performance.now();
  const daemon = await startDaemon(folder, [...dialling(hub), ...linesOf(port, links)]);
  const readyMs = performance.now() - begun;
  const tunnel = {
    port: Number(new URL(hub.url).port),
    host: "l0.localhost",
    processes: [hub.process, daemon],
  };
  const token = Deno.readTextFileSync(`${folder}/daemon/control.token`).trim();
  return { hub, tunnel, control: JSON.parse(daemon.line).control, token, readyMs };
}

function linesOf(port: number, links: number): string[] {
  const policy = "methods: [GET], paths: [/], rate: 100000000/m";
  return [
    ...["services:", `  target: localhost:${port}`, "links:"],
    ...Array.from({ length: links }, (_, i) => `  l${i}: { target: target, subdomain: l${i}, ${policy} }`),
  ];
}

/** A link more and, the next time, one less: how long the daemon's API takes to say that it is so. */
async function reloaded({ figures }: Step, { control, token }: Pair, folder: string): Promise<void> {
  const file = `${folder}/links.yaml`,
    text = Deno.readTextFileSync(file),
    more = "  more: { target: target }\n";
  const next = text.endsWith(more) ? text.slice(0, -more.length) : text + more;
  // As editors save. The daemon watches the file too, and may be first: then there is nothing left to do.
  Deno.writeTextFileSync(`${file}.new`, next);
  Deno.renameSync(`${file}.new`, file);
  const begun = performance.now();
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`http://${control}/v1/reload`, { method: "POST", headers });
  const told = await answer.text();
  if (!answer.ok) throw new Error(`reload: ${answer.status} ${told}`);
  figures.note("reload", performance.now() - begun);
}

/** Resolves once `process` does nothing to speak of, at the latest after ten seconds. */
async function calm(process: Running): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const before = cpuMs(process);
    await pause(500);
    if (cpuMs(process) - before <= 20) return;
  }
}

/** A script that asks the links in turn. */
function rotating(folder: string, links: number): string {
  const file = `${folder}/rotate-${links}.lua`;
  Deno.writeTextFileSync(
    file,
    `local links, at, made = ${links}, math.random(${links}), {}
for i = 0, links - 1 do
  made[i + 1] = "GET / HTTP/1.1\\r\\nHost: l" .. i .. ".localhost\\r\\n\\r\\n"
end
request = function()
  at = at % links + 1
  return made[at]
end
`,
  );
  return file;
}

async function loaded(
  step: Step,
  tunnel: Tunnel,
  visitors: number,
  seconds: number,
  asked?: Asked,
): Promise<void> {
  const { figures } = step, seen = await load(tunnel, visitors, seconds, asked);
  figures.note("rps", seen.perSecond);
  figures.note("p99", seen.p99);
  figures.note("errors", seen.errors);
  seen.cpu.forEach((us, side) => figures.note(`cpu ${side}`, us));
}

const LOAD_HEAD = ["req/s", "p99 ms", "CPU µs/request, hub + daemon", "errors"];

function loadCells(figures: Figures): string[] {
  return [
    ...[whole(figures.median("rps")), fine(figures.median("p99")), sides(figures, "cpu", fine)],
    whole(figures.errors),
  ];
}

function sides(figures: Figures, what: string, text: (value: number) => string): string {
  return figures.sides(what).map((value) => text(value)).join(" + ");
}

function steps(counts: readonly number[]): Step[] {
  return counts.map((count) => ({ count, figures: new Figures(String(count), 2) }));
}

function print(head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(table(head, rows) + "\n");
}

function tell(what: string): void {
  console.error(what);
}

function pause(ms: number): Promise<void> {
  return new Promise((over) => setTimeout(over, ms));
}

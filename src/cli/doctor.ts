/** `connectd doctor`: what is wrong here, and how to mend it. */
import { usualTokenFile } from "../daemon/state_dir.ts";
import type { Config } from "../config/links.ts";
import { type Problem } from "../config/problem.ts";
import { oneLine } from "../log.ts";
import { ApiClient } from "./client.ts";
import { CONFIG_FLAG, readLinks, usualConfigFile } from "./find.ts";
import { daemonCheck, type Running } from "./doctor/daemon.ts";
import { carryOutAll, type Check, type Finding, findings, type Result } from "./doctor/finding.ts";
import { hubCheck } from "./doctor/hub.ts";
import { addressesOf } from "./doctor/names.ts";
import { descriptorFinding, placeChecks } from "./doctor/place.ts";
import { targetChecks } from "./doctor/targets.ts";
import { count, out, outJson } from "./print.ts";
import { ADDRESS_FLAGS, daemonAddress, JSON_FLAG, stateOf } from "./reach.ts";
import { coloured, draw, paint } from "./terminal.ts";
import { type Given, on, text, type Verb } from "./verb.ts";

export const doctor: Verb = {
  name: "doctor",
  count: [0, 0],
  summary:
    "Says what is wrong here and how to mend it: file, hub, token, clock, names, TLS, targets, permissions. Exit 1 where something is.",
  flags: [
    CONFIG_FLAG,
    ...ADDRESS_FLAGS,
    { ...JSON_FLAG, help: "print what was found as JSON" },
  ],
  async run(given) {
    const json = on(given, "json");
    const found: Finding[] = [];
    const print = json ? null : new Printer();
    const tell = (findings: readonly Finding[]) => {
      for (const finding of findings) {
        const { check, about, seen } = finding;
        // The file is read here and by the daemon: what both say of it is said once.
        if (found.some((told) => told.check === check && told.about === about && told.seen === seen)) {
          continue;
        }
        found.push(finding);
        print?.line(finding);
      }
    };
    tell([descriptorFinding()]);
    const { config, findings: ofFile } = await fileOf(given);
    tell(ofFile);
    const checks = checksOf(given, config);
    const pending = new Set(checks);
    print?.waiting(pending);
    const results = carryOutAll(checks, (check) => {
      pending.delete(check);
      print?.waiting(pending);
    });
    // In the order of the checks, however they come in.
    for (const result of results) tell(await result);
    const ok = found.every(({ result }) => result !== "fail");
    if (json) outJson({ ok, checks: found });
    else out(summary(found));
    return ok ? 0 : 1;
  },
};

/** The file, and what is to be said of it: a bad one is looked at no further. */
async function fileOf(given: Given): Promise<{ config: Config | null; findings: Finding[] }> {
  const path = usualConfigFile(text(given, "config"));
  if (path === null) {
    const { warn } = findings("config", null);
    return {
      config: null,
      findings: [
        warn("there is no links.yaml here", "make one with `connectd init`, or name it with --config FILE"),
      ],
    };
  }
  const { ok, warn, fail } = findings("config", path);
  const { config, problems } = await readLinks(path);
  const ofProblem = (problem: Problem) => {
    const seen = `${problem.line}:${problem.column}: ${problem.message}`;
    const hint = problem.hint ?? "`connectd help links.yaml` explains every key";
    return problem.severity === "error" ? fail(seen, hint) : warn(seen, hint);
  };
  const fine = config === null
    ? []
    : [ok(`${count(config.links.size, "link")}, ${count(config.services.size, "service")}`)];
  return { config, findings: [...fine, ...problems.map(ofProblem)] };
}

function checksOf(given: Given, config: Config | null): Check[] {
  const state = stateOf(given);
  const hubs = config?.hubs ?? [];
  const tokenFile = (file: string | null) => file ?? usualTokenFile(state);
  const tokens = hubs.map((hub) => tokenFile(hub.tokenFile));
  const { promise: running, resolve: heard } = Promise.withResolvers<Running | null>();
  return [
    ...placeChecks(state, config, tokens),
    daemonCheck(new ApiClient(daemonAddress(given)), config?.file ?? null, heard),
    ...hubs.map((hub) =>
      hubCheck({ hub, tokenFile: tokenFile(hub.tokenFile), running, surroundings: SURROUNDINGS })
    ),
    ...(config === null ? [] : targetChecks(config)),
  ];
}

const SURROUNDINGS = { resolve: addressesOf, now: Date.now };

const COLOURS = { ok: "green", warn: "yellow", fail: "red" } as const satisfies Record<Result, string>;

/** Lines for people; on a terminal the last one says what is still waited for. */
class Printer {
  readonly #colours = coloured();
  readonly #terminal = Deno.stdout.isTerminal();
  #last = "";

  line({ check, about, result, seen, hint }: Finding): void {
    const word = this.#colours ? paint(result.padEnd(4), COLOURS[result]) : result.padEnd(4);
    this.#clear();
    out(`${word}  ${check}${about === null ? "" : ` ${oneLine(about)}`}: ${oneLine(seen)}`);
    if (hint !== null) out(`      ${oneLine(hint)}`);
    this.#show();
  }

  waiting(checks: ReadonlySet<Check>): void {
    if (!this.#terminal) return;
    this.#clear();
    const names = [...checks].map(({ check, about }) => about === null ? check : `${check} ${about}`);
    this.#last = names.length === 0 ? "" : oneLine(`waiting for ${names.join(", ")}`);
    this.#show();
  }

  #show(): void {
    if (this.#last === "") return;
    draw(this.#last.slice(0, Math.max(20, Deno.consoleSize().columns - 1)));
  }

  #clear(): void {
    if (this.#last !== "") draw("\r\x1b[K");
  }
}

function summary(found: readonly Finding[]): string {
  const of = (result: Result) => found.filter((finding) => finding.result === result).length;
  const [wrong, odd] = [of("fail"), of("warn")];
  if (wrong + odd === 0) return "all is well";
  return `${wrong} wrong, ${odd} to look at, ${of("ok")} fine`;
}

/** `connectd expose`: a service that only holders of a token reach, through the running daemon, else of this process alone. */
import { checkName } from "../../core/names.ts";
import { parseTarget, printTarget, type Target } from "../../core/target.ts";
import { resolvePath } from "../../config/places.ts";
import { createLog } from "../../log.ts";
import type { ServiceJson } from "../../daemon/exposed.ts";
import { surviveDefects } from "../defects.ts";
import { listens } from "../detect.ts";
import { CONFIG_FLAG, readLinks, usualConfigFile } from "../find.ts";
import { complain, out, outJson, table } from "../print.ts";
import { ADDRESS_FLAGS, CA_FLAG, HUB_FLAG, hubOf, JSON_FLAG, withDaemon } from "../reach.ts";
import { endSignals } from "../signals.ts";
import { linkName } from "../target.ts";
import { whileWaiting } from "../terminal.ts";
import { findDaemon } from "../through_daemon.ts";
import { type Given, on, orUsage, parsed, text, UsageError, type Verb } from "../verb.ts";
import { type Exposure, openExposure } from "./exposure.ts";

export const expose: Verb = {
  name: "expose",
  words: "[TARGET]",
  count: [0, 1],
  summary: "Exposes a private service: HTTP or raw TCP that members of the workspace open with `reach`.",
  more:
    "TARGET is tcp://localhost:5432, localhost:3000, https://… or unix:/run/app.sock: whatever is spoken there goes\n" +
    "through as it is. The running daemon keeps it until --close NAME; without one it lives in the foreground.",
  flags: [
    { name: "name", short: "n", value: "NAME", help: "the service's name (default: made of the target)" },
    {
      name: "allow",
      value: "LIST",
      help: "only for tokens of these names, as in laptop,ci (default: all members)",
    },
    { name: "list", help: "show the services of the running daemon" },
    { name: "close", value: "NAME", help: "close a service of the running daemon, and cut its connections" },
    { ...HUB_FLAG, help: "the hub to expose at (default: the file's)" },
    CA_FLAG,
    { ...CONFIG_FLAG, help: "the file that names the hub (default: links.yaml, config/links.yaml)" },
    ...ADDRESS_FLAGS,
    { ...JSON_FLAG, help: "print the service as JSON" },
  ],
  async run(given) {
    const [word] = given.words, close = text(given, "close");
    const asked = [word !== undefined, close !== null, on(given, "list")].filter(Boolean).length;
    if (asked !== 1) throw new UsageError("`expose` needs one of TARGET, --list and --close NAME");
    if (on(given, "list")) return await list(given);
    if (close !== null) return await closeService(given, close);
    const target = orUsage("", () => readTarget(word));
    const exposure: Exposure = {
      name: parsed(given, "name", readName) ?? linkName({ word, target, inFile: false }),
      target,
      allow: parsed(given, "allow", readNames),
    };
    const warned = warnWhereSilent(target, word);
    const daemon = await findDaemon(given, hubOf(given), "the service");
    if (daemon === null) return await serve(given, exposure, warned);
    const { name, allow } = exposure;
    const body = { name, target: printTarget(target), ...(allow === null ? {} : { allow }) };
    const service = await daemon.api.call<ServiceJson>("POST", "/v1/services", body);
    await warned;
    show(given, service, daemon.hubs[0] ?? null);
    return 0;
  },
};

async function list(given: Given): Promise<number> {
  const services = await withDaemon(given, (api) => api.all<ServiceJson>("/v1/services"));
  if (on(given, "json")) outJson({ items: services, nextCursor: null });
  else out(serviceTable(services));
  return 0;
}

/** The table of `expose --list`. */
export function serviceTable(services: readonly ServiceJson[]): string {
  const rows = services.map(({ name, target, access, allow, source, open }) => [
    name,
    target,
    access,
    access === "public" ? "" : allow?.join(",") ?? "all members",
    source,
    String(open),
  ]);
  const empty = "no services: make one with `connectd expose TARGET`, or in links.yaml";
  return table(["name", "target", "access", "for", "source", "open"], rows, empty);
}

async function closeService(given: Given, name: string): Promise<number> {
  const path = `/v1/services/${encodeURIComponent(name)}`;
  const service = await withDaemon(given, (api) => api.call<ServiceJson>("DELETE", path));
  if (on(given, "json")) outJson(service);
  else out(`closed ${name}`);
  return 0;
}

/** In this process, until a signal. */
async function serve(given: Given, exposure: Exposure, warned: Promise<void>): Promise<number> {
  const signals = endSignals(["SIGINT", "SIGTERM", "SIGHUP"]);
  const log = createLog({ level: "warn" });
  surviveDefects(log);
  const path = usualConfigFile(text(given, "config"));
  const config = path === null ? null : (await readLinks(path)).config;
  const opened = await whileWaiting("waiting for the hub", openExposure(given, exposure, config, log));
  await warned;
  show(given, opened.service, opened.hub);
  if (Deno.stderr.isTerminal()) complain("serving until Ctrl-C");
  await signals.first;
  await opened.close();
  return 0;
}

function show(given: Given, service: ServiceJson, hub: string | null): void {
  if (on(given, "json")) return outJson(service);
  const { name, target, allow } = service;
  out(`${name} leads to ${target}, for ${allow === null ? "all members" : allow.join(", ")}`);
  if (hub !== null) out(`reach it: connectd reach ${name} --hub ${hub}`);
}

async function warnWhereSilent(target: Target, word: string): Promise<void> {
  if (await listens(target)) return;
  complain(`warning: nothing listens at ${word} yet; members are refused until something does`);
}

function readTarget(word: string): Target {
  const target = parseTarget(word);
  if (target.kind === "echo") throw new SyntaxError("echo is no place to connect to");
  if (target.kind !== "unix") return target;
  const path = resolvePath(target.path, { dir: Deno.cwd(), home: Deno.env.get("HOME") ?? null });
  return { ...target, path };
}

function readName(written: string): string {
  checkName(written);
  return written;
}

function readNames(written: string): string[] {
  return written.split(",").map(readName);
}

/** `connectd link`: a link for what runs right now, through the running daemon, else of this process alone. */
import type { Config } from "../config/links.ts";
import { Failure } from "../core/errors.ts";
import { printTarget } from "../core/target.ts";
import type { Base } from "../daemon/daemon.ts";
import { BadFile } from "../daemon/reload.ts";
import { createLog } from "../log.ts";
import { surviveDefects } from "./defects.ts";
import { detectTarget, listens } from "./detect.ts";
import { CONFIG_FLAG, readLinks, usualConfigFile } from "./find.ts";
import { bareBase, openForeground } from "./foreground.ts";
import { linkText } from "./link_print.ts";
import { readWish, type Wish, WISH_FLAGS } from "./link_wish.ts";
import type { LinkJson } from "./links.ts";
import { complain, out, outJson } from "./print.ts";
import { ADDRESS_FLAGS, CA_FLAG, caFileOf, HUB_FLAG, hubOf, hubTokenFile, JSON_FLAG } from "./reach.ts";
import { endSignals } from "./signals.ts";
import { linkName, meaning, type Meant, unknownService } from "./target.ts";
import { qrText } from "../pages/qr.ts";
import { coloured, copyText, whileWaiting } from "./terminal.ts";
import { createThrough, findDaemon } from "./through_daemon.ts";
import { type Given, on, text, UsageError, type Verb } from "./verb.ts";

export const link: Verb = {
  name: "link",
  words: "[TARGET]",
  count: [0, 1],
  summary:
    "Makes a link right now: for a service or a target, or without one for the HTTP server that listens here.",
  more:
    "TARGET is a service's name, localhost:3000, https://…, unix:/run/app.sock or echo. The running daemon keeps the\n" +
    "link; where none runs, it lives in the foreground until Ctrl-C, hang-up or its expiry.",
  flags: [
    ...WISH_FLAGS,
    { ...HUB_FLAG, help: "the hub to link at (default: the file's, else one inside this process)" },
    {
      ...CONFIG_FLAG,
      help: "the file whose services and hub are used (default: links.yaml, config/links.yaml)",
    },
    CA_FLAG,
    { name: "detach", help: "only through the running daemon" },
    { name: "qr", help: "print the URL as a QR code, for a phone" },
    { name: "copy", help: "put the URL into the terminal's clipboard (OSC 52)" },
    ...ADDRESS_FLAGS,
    { ...JSON_FLAG, help: "print the link as JSON" },
  ],
  async run(given) {
    const wish = readWish(given), hub = hubOf(given);
    if (on(given, "qr") && on(given, "json")) {
      throw new UsageError("--qr is for people and --json for programs", { hint: "leave one of them out" });
    }
    const config = await fileOf(given);
    const daemon = await findDaemon(given, hub);
    if (daemon === null && on(given, "detach")) {
      throw new Failure("a detached link needs a daemon, and none answers", {
        hint: "start one with `connectd run`, or leave --detach out",
      });
    }
    const word = given.words[0] ?? await detectTarget({ not: daemon?.ports ?? [] });
    const meant = meaning(word, config);
    const warned = warnWhereSilent(meant);
    const body = { ...wish, name: wish.name ?? linkName(meant) };
    if (daemon !== null) {
      const made = await createThrough(daemon, meant, body, config);
      await warned;
      show(given, made);
      return 0;
    }
    if (meant.target === null) throw unknownService(word, config?.services.keys() ?? []);
    return await serve(
      given,
      { ...body, target: meant.inFile ? word : printTarget(meant.target) },
      config,
      warned,
    );
  },
};

/** The file whose services count; a bad one is refused here as everywhere. Throws UsageError, BadFile. */
async function fileOf(given: Given): Promise<Config | null> {
  const path = usualConfigFile(text(given, "config"));
  if (path === null) return null;
  const { config, problems } = await readLinks(path);
  if (config === null) throw new BadFile(`${path} can not be taken as it is`, problems);
  return config;
}

async function warnWhereSilent({ word, target }: Meant): Promise<void> {
  if (target === null || await listens(target)) return;
  complain(`warning: nothing listens at ${word} yet; visitors get 502 until something does`);
}

/** Serves the link in this process until a signal, or until it ends. */
async function serve(
  given: Given,
  body: Wish & { readonly name: string; readonly target: string },
  config: Config | null,
  warned: Promise<void>,
): Promise<number> {
  const signals = endSignals(["SIGINT", "SIGTERM", "SIGHUP"]);
  const log = createLog({ level: "warn" });
  surviveDefects(log);
  const base = baseOf(given, config);
  const whose = base.hubs.length === 0 ? "the hub" : base.hubs.map(({ url }) => url).join(", ");
  const foreground = await whileWaiting(`waiting for ${whose}`, openForeground({ body, base, log }));
  await warned;
  show(given, foreground.link);
  if (Deno.stderr.isTerminal()) complain("serving until Ctrl-C");
  await Promise.race([signals.first, foreground.ended]);
  await foreground.close();
  return 0;
}

/** The file's hub and services, or none; `--hub` goes before the file's hub. */
function baseOf(given: Given, config: Config | null): Base {
  const base = bareBase(config);
  const hub = hubOf(given);
  const hubs = hub === null ? base.hubs : [
    base.hubs.find(({ url }) => url === hub) ??
      { url: hub, tokenFile: null, caFile: config?.hubCaFile ?? null, plain: false },
  ];
  const tokenFile = (address: Base["hubs"][number]) =>
    text(given, "token-file") === null && address.tokenFile !== null
      ? address.tokenFile
      : hubTokenFile(given, address.url, "daemon");
  const caFile = caFileOf(given);
  return {
    ...base,
    hubs: hubs.map((address) => ({
      ...address,
      tokenFile: tokenFile(address),
      caFile: caFile ?? address.caFile,
    })),
  };
}

function show(given: Given, link: LinkJson): void {
  if (on(given, "json")) outJson(link);
  else out(linkText(link, Date.now()));
  if (link.url === null) return;
  if (on(given, "qr")) out(qrText(link.url, coloured()));
  if (on(given, "copy") && !copyText(link.url)) {
    complain("nothing was copied: --copy asks the terminal, and there is none; take the URL from the output");
  }
}

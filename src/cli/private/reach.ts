/** `connectd reach`: a port of this machine that leads to a private service. */
import { systemClock } from "../../clock.ts";
import { nearest } from "../../config/suggest.ts";
import { Failure } from "../../core/errors.ts";
import type { ApiClient } from "../client.ts";
import { complain, out } from "../print.ts";
import { JSON_FLAG } from "../reach.ts";
import { endSignals } from "../signals.ts";
import { whileWaiting } from "../terminal.ts";
import { on, parsed, type Verb } from "../verb.ts";
import { MEMBER_FLAGS, memberHub } from "./hub_of.ts";
import { LocalPort } from "./port.ts";
import { usualPort } from "./usual_port.ts";
import { Way } from "./way.ts";

/** A service as the hub's API prints it, as far as it is used. */
export interface HubServiceJson {
  readonly name: string;
  readonly kind: "http" | "tcp";
  readonly access: "public" | "private";
  readonly port: number | null;
  readonly daemon: string;
  readonly online: boolean;
}

export const reach: Verb = {
  name: "reach",
  words: "SERVICE",
  count: [1, 1],
  summary: "Opens a port of this machine that leads to a private service, until Ctrl-C.",
  more:
    "SERVICE is the name of one in the token's workspace, DAEMON/NAME where two daemons have it. The port is the\n" +
    "service's own where that is free here, else a free one; it takes connections of this machine only.",
  flags: [
    { name: "port", value: "N", help: "the port here, 0 for a free one" },
    ...MEMBER_FLAGS,
    { ...JSON_FLAG, help: "print the ready line as JSON" },
  ],
  async run(given) {
    const port = parsed(given, "port", readPort);
    const signals = endSignals(["SIGINT", "SIGTERM", "SIGHUP"]);
    const { hub, tokenFile, api } = await memberHub(given);
    const [word] = given.words;
    const service = await findService(api, word, hub.url);
    const way = await whileWaiting(`waiting for ${hub.url}`, openWay({ hub, tokenFile, share: null }));
    let local: LocalPort;
    try {
      const usual = port === null ? await usualPort(given, service) : null;
      local = LocalPort.open(word, { port, usual }, way, systemClock);
    } catch (error) {
      way.close();
      throw error;
    }
    const ready = {
      service: word,
      host: local.host,
      port: local.port,
      url: urlOf(service, local),
      hub: hub.url,
    };
    out(
      on(given, "json")
        ? JSON.stringify({ ready: true, ...ready })
        : `ready reach=${ready.host}:${ready.port} service=${word} hub=${hub.url}`,
    );
    const failed = await Promise.race([way.over, signals.first.then(() => null)]);
    local.close();
    way.close();
    if (failed !== null) throw failed;
    return 0;
  },
};

/** A way that says on stderr when its hub is lost. */
export function openWay(
  to: Pick<Parameters<typeof Way.open>[0], "hub" | "tokenFile" | "share">,
): Promise<Way> {
  return Way.open({
    ...to,
    clock: systemClock,
    told: (why) =>
      complain(why === null ? "the hub is there again" : `the hub is lost, and dialled again: ${why}`),
  });
}

/** Where a client of `service` finds it here. */
export function urlOf(
  { kind }: Pick<HubServiceJson, "kind">,
  { host, port }: { host: string; port: number },
): string {
  return `${kind}://${host}:${port}`;
}

/** Throws Failure where the hub knows no such private service; says where its daemon is away. */
async function findService(api: ApiClient, word: string, hub: string): Promise<HubServiceJson> {
  const slash = word.indexOf("/"), name = word.slice(slash + 1);
  const all = await api.all<HubServiceJson>("/v1/services");
  const found = all.filter((one) => one.name === name && (slash < 0 || one.daemon === word.slice(0, slash)));
  const service = found.find(({ access, online }) => access === "private" && online) ??
    found.find(({ access }) => access === "private");
  if (service === undefined) {
    if (found.length > 0) {
      throw new Failure(`the service ${name} is public, and reached by a link`, {
        hint: "write `access: private` to it in its daemon's links.yaml if it shall be reached so",
      });
    }
    const near = nearest(name, all.filter(({ access }) => access === "private").map((one) => one.name));
    throw new Failure(`the hub ${hub} knows no private service ${JSON.stringify(word)}`, {
      hint: near === null
        ? "see whether its daemon runs: `connectd expose`, or `access: private` in links.yaml, makes one"
        : `did you mean ${near}?`,
    });
  }
  if (!service.online) {
    complain(`warning: the daemon of ${name} is away; connections are cut until it is back`);
  }
  return service;
}

function readPort(written: string): number {
  if (/^\d{1,5}$/.test(written) && Number(written) <= 65_535) return Number(written);
  throw new SyntaxError(`${JSON.stringify(written)} is no port: write 0 to 65535`);
}

/** `connectd join`: a port of this machine for each service of a share. */
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { systemClock } from "../../clock.ts";
import { Failure } from "../../core/errors.ts";
import { type ApiClient, Refused, Unanswered } from "../client.ts";
import { complain, out, relative, table } from "../print.ts";
import { JSON_FLAG } from "../reach.ts";
import { endSignals } from "../signals.ts";
import { whileWaiting } from "../terminal.ts";
import { on, text, UsageError, type Verb } from "../verb.ts";
import { MEMBER_FLAGS, type MemberHub, memberHub } from "./hub_of.ts";
import { LocalPort } from "./port.ts";
import { type HubServiceJson, openWay, urlOf } from "./reach.ts";
import { usualPort } from "./usual_port.ts";
import type { Way } from "./way.ts";

/** What a member of a share is told. */
interface Joined {
  readonly id: string;
  readonly state: "waiting" | "approved";
  readonly expiresAt: string;
  readonly services: readonly { readonly daemon: string; readonly name: string }[];
}

/** Whether somebody has let us in is asked so often. */
const ASK_MS = 1_000;

/** Of a code that is read from stdin; it has some 17 characters. */
const CODE_MAX = 256;

export const join: Verb = {
  name: "join",
  words: "CODE",
  count: [1, 1],
  summary: "Joins a share: opens a port of this machine for each of its services, until it ends or Ctrl-C.",
  more:
    'CODE is what `connectd share` printed; "-" reads it from stdin, where other users of this machine do not see it.\n' +
    "It needs a member's token of the same workspace: the code alone opens nothing.",
  flags: [
    {
      name: "env-file",
      value: "FILE",
      help: "write NAME_HOST, NAME_PORT and NAME_URL of each service there (0600)",
    },
    ...MEMBER_FLAGS,
    { ...JSON_FLAG, help: "print the ready line as JSON" },
  ],
  async run(given) {
    const [word] = given.words, envFile = text(given, "env-file");
    const signals = endSignals(["SIGINT", "SIGTERM", "SIGHUP"]);
    const found = await memberHub(given);
    const code = word === "-" ? await readCode() : word;
    const ended = signals.first.then(() => null);
    const joined = await Promise.race([letIn(found.api, code), ended]);
    if (joined === null) return 0;
    const { hub, tokenFile } = found;
    const way = await whileWaiting(`waiting for ${hub.url}`, openWay({ hub, tokenFile, share: joined.id }));
    const ports: Place[] = [];
    try {
      for (const service of await servicesOf(found, joined)) {
        ports.push(open(service, await usualPort(given, service), way));
      }
      if (envFile !== null) await writeEnv(envFile, ports);
      show(joined, ports, on(given, "json"));
      const failed = await Promise.race([way.over, ended]);
      if (failed !== null && !(await isOver(found.api, joined))) throw failed;
      if (failed !== null) complain("the share has ended");
    } finally {
      for (const { local } of ports) local.close();
      way.close();
    }
    return 0;
  },
};

/** A service and its port here. */
interface Place {
  readonly service: HubServiceJson;
  readonly local: LocalPort;
}

/** Joins, and waits for approval where that is asked for. Throws Failure. */
async function letIn(api: ApiClient, code: string): Promise<Joined> {
  let told = false, away = false;
  for (;;) {
    try {
      const joined = await api.call<Joined>("POST", "/v1/shares/join", { code });
      if (joined.state === "approved") return joined;
      if (!told) {
        complain("waiting for approval: whoever made the share lets you in with `connectd share --approve`");
      }
      if (away) complain("the hub is there again");
      [told, away] = [true, false];
    } catch (error) {
      // Who waits already is known to the hub, also after its restart.
      if (!told || !isAway(error)) throw error;
      if (!away) complain(`the hub is lost, and asked again: ${error.message}`);
      away = true;
    }
    await whileWaiting("waiting for approval", new Promise((again) => setTimeout(again, ASK_MS)));
  }
}

/** Nobody answers, or a front in the place of a hub that is not there. */
function isAway(error: unknown): error is Failure {
  return error instanceof Unanswered || (error instanceof Refused && error.status >= 500);
}

/** What is known of the services that the share gives; those whose daemon was never seen have no port of their own. */
async function servicesOf({ api }: MemberHub, { services }: Joined): Promise<HubServiceJson[]> {
  const known = await api.all<HubServiceJson>("/v1/services");
  return services.map(({ daemon, name }) =>
    known.find((one) => one.daemon === daemon && one.name === name) ??
      { daemon, name, kind: "tcp", access: "private", port: null, online: false }
  );
}

function open(service: HubServiceJson, usual: number | null, way: Way): Place {
  // Of two daemons that have one of this name, only one is shared.
  const word = `${service.daemon}/${service.name}`;
  return { service, local: LocalPort.open(word, { port: null, usual }, way, systemClock) };
}

function show({ id, expiresAt }: Joined, places: readonly Place[], json: boolean): void {
  const services = places.map(({ service, local }) => ({
    name: service.name,
    host: local.host,
    port: local.port,
    url: urlOf(service, local),
  }));
  if (json) return out(JSON.stringify({ ready: true, share: id, expiresAt, services }));
  out(`ready share=${id} services=${services.length}`);
  const rows = services.map(({ name, host, port, url }) => [name, `${host}:${port}`, url]);
  out(table(["name", "address", "url"], rows, "the share has no services"));
  complain(`it ends ${relative(expiresAt, Date.now())}`);
}

async function isOver(api: ApiClient, { id }: Joined): Promise<boolean> {
  try {
    return (await api.call<{ state: string }>("GET", `/v1/shares/${id}`)).state !== "active";
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return true;
    return false;
  }
}

/** Written aside and renamed: a shell that reads it reads all of it. Throws Failure. */
async function writeEnv(path: string, places: readonly Place[]): Promise<void> {
  const file = resolve(path), aside = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await Deno.writeTextFile(aside, envText(places.map(({ service, local }) => ({ service, local }))), {
      mode: 0o600,
      createNew: true,
    });
    await Deno.rename(aside, file);
  } catch (cause) {
    await Deno.remove(aside).catch(() => {});
    throw new Failure(`${file} can not be written: ${(cause as Error).message}`, {
      hint: "name another with --env-file FILE",
      cause,
    });
  }
}

/** The lines of `--env-file`. */
export function envText(
  places: readonly {
    readonly service: Pick<HubServiceJson, "name" | "kind">;
    readonly local: { host: string; port: number };
  }[],
): string {
  const seen = new Map<string, number>();
  return places.map(({ service, local }) => {
    const name = variable(service.name), n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    const lead = n === 1 ? name : `${name}_${n}`;
    return `${lead}_HOST=${local.host}\n${lead}_PORT=${local.port}\n${lead}_URL=${urlOf(service, local)}\n`;
  }).join("");
}

/** A service's name as that of a variable: no shell takes a digit first. */
function variable(name: string): string {
  return name.toUpperCase().replaceAll("-", "_").replace(/^(?=\d)/, "_");
}

async function readCode(): Promise<string> {
  const buffer = new Uint8Array(CODE_MAX);
  let length = 0;
  while (length < buffer.length) {
    const n = await Deno.stdin.read(buffer.subarray(length));
    if (n === null) break;
    length += n;
    if (buffer.subarray(0, length).includes(10)) break;
  }
  const code = new TextDecoder().decode(buffer.subarray(0, length)).trim();
  if (code === "") throw new UsageError("no code came on stdin");
  return code;
}

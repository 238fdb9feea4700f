/** How the verbs find a running daemon or a hub, and the flags that say where. */
import { resolve } from "node:path";
import type { HubAddress } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { controlSocketPath, stateDirectory, usualTokenFile } from "../daemon/state_dir.ts";
import { isLocal, parseListen, parseOrigin, printListen } from "../config/places.ts";
import { reasonOf } from "../store/reasons.ts";
import { type Address, ApiClient, Unanswered } from "./client.ts";
import { isFile, readLinks, usualConfigFile } from "./find.ts";
import { type Flag, type Given, parsed, text } from "./verb.ts";

export const JSON_FLAG: Flag = { name: "json", help: "print the API's object" };
export const STATE_FLAG: Flag = { name: "state", value: "DIR", help: "the state directory" };
export const LISTEN_FLAG: Flag = {
  name: "listen",
  value: "ADDR",
  help: "where the hub listens (default 127.0.0.1:8080), port 0 picks one",
};
export const HUB_FLAG: Flag = {
  name: "hub",
  short: "H",
  value: "URL",
  help: "ask this hub instead of the daemon",
};
export const TOKEN_FLAG: Flag = {
  name: "token-file",
  value: "FILE",
  help: "the token for --control or --hub",
};
export const CA_FLAG: Flag = {
  name: "ca-file",
  value: "FILE",
  help: "certificates (PEM) to trust for the hub (default: as links.yaml says)",
};
/** Where a running daemon is. */
export const ADDRESS_FLAGS: readonly Flag[] = [
  STATE_FLAG,
  {
    name: "control",
    value: "ADDR",
    help: "the daemon's control API, as in 127.0.0.1:4545 (default: its unix socket)",
  },
  TOKEN_FLAG,
];

/** The state directory that `--state` or the environment names. */
export function stateOf(given: Given): string {
  const state = text(given, "state");
  return state === null ? stateDirectory() : resolve(state);
}

/** Makes the state directory `state` where it is missing; nobody else may look into it. Throws Failure. */
export async function makeState(state: string): Promise<void> {
  try {
    await Deno.mkdir(state, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const { what, hint = "name another with --state DIR" } = reasonOf((cause as Error).message);
    throw new Failure(`the state directory ${state} can not be used: ${what}`, {
      hint,
      cause,
    });
  }
}

/** The address of `--listen`, null where it was not given. Throws UsageError. */
export function listenOf(given: Given): string | null {
  return parsed(given, "listen", (written) => printListen(parseListen(written)));
}

/** The address of `--control`, null where it was not given. Throws UsageError. */
export function controlOf(given: Given): string | null {
  return parsed(given, "control", (written) => {
    const address = parseListen(written);
    if (isLocal(address.hostname)) return printListen(address);
    throw new SyntaxError(
      `${JSON.stringify(written)} is not this machine's own (loopback): write 127.0.0.1:4545 or so`,
    );
  });
}

/** The daemon's control API: by `--control` with a token, else by the socket of the state directory. */
export function daemonAddress(given: Given): Address {
  const state = stateOf(given);
  const control = controlOf(given);
  if (control === null) return { socket: controlSocketPath(state) };
  const file = text(given, "token-file") ?? `${state}/control.token`;
  return { origin: `http://${control}`, token: readToken(file) };
}

/** Asks the running daemon. Throws a Failure that says how to start one where none answers. */
export async function withDaemon<T>(given: Given, ask: (api: ApiClient) => Promise<T>): Promise<T> {
  const api = new ApiClient(daemonAddress(given), "the daemon");
  try {
    return await ask(api);
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    const where = api.address.socket ?? api.address.origin;
    throw new Failure(`no daemon answers at ${where}`, {
      hint: "start one with `connectd run`, or say where it is with --state DIR or --control ADDR",
      cause: error,
    });
  }
}

/** Asks the hub that `--hub` names, with the token of `--token-file` or the usual places. */
export async function withHub<T>(given: Given, ask: (api: ApiClient) => Promise<T>): Promise<T> {
  const origin = hubOf(given)!;
  const { caFile } = await hubAddress(given, origin);
  const api = new ApiClient({ origin, caFile, token: readToken(hubTokenFile(given, origin)) }, origin);
  try {
    return await ask(api);
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    throw new Failure(error.message, {
      hint: "see whether the hub runs, its address is right and the way to it is open",
      cause: error,
    });
  }
}

/** The origin of `--hub`, null where it was not given. Throws UsageError. */
export function hubOf(given: Given): string | null {
  return parsed(given, "hub", readHubUrl);
}

/** The origin of a hub. Throws SyntaxError, also where the way to it is open to others. */
export function readHubUrl(written: string): string {
  const { url, hostname, secure } = parseOrigin(written);
  if (secure || isLocal(hostname)) return url;
  throw new SyntaxError(`${JSON.stringify(written)} would send the token in the clear: use https://`);
}

/**
 * The hub at `url`: as links.yaml has it (`file`, else the usual one), else with what that says of all hubs. `--ca-file` goes
 * before either. Throws Failure where `file` can't be read.
 */
export async function hubAddress(
  given: Given,
  url: string,
  file: string | null = null,
): Promise<HubAddress> {
  const caFile = caFileOf(given), path = usualConfigFile(file);
  // One that only happens to lie here is no reason to fail.
  const loading = path === null ? null : readLinks(path);
  const config = (await (file === null ? loading?.catch(() => null) : loading))?.config ?? null;
  const hub = config?.hubs.find((one) => one.url === url) ??
    { url, tokenFile: null, caFile: config?.hubCaFile ?? null, plain: false };
  return { ...hub, caFile: caFile ?? hub.caFile };
}

/** The path of `--ca-file`, null where it was not given. Throws UsageError where there is none. */
export function caFileOf(given: Given): string | null {
  return parsed(given, "ca-file", (written) => {
    if (isFile(written)) return resolve(written);
    throw new SyntaxError(`there is no file ${written}`);
  });
}

/**
 * The file that holds the token for the hub `url`, which is good for `scope`: `--token-file`, or the usual one. Throws
 * Failure where it is not there.
 */
export function hubTokenFile(given: Given, url: string, scope: "member" | "daemon" = "member"): string {
  const file = resolve(text(given, "token-file") ?? usualTokenFile(stateOf(given)));
  if (isFile(file)) return file;
  const login = scope === "member" ? url : `${url} --scope ${scope}`;
  throw new Failure(`the hub ${url} asks for a token, and there is none in ${file}`, {
    hint: `name a file that holds it with --token-file, or get one: connectd login ${login}`,
  });
}

function readToken(file: string): string {
  try {
    return Deno.readTextFileSync(file).trim();
  } catch (cause) {
    throw new Failure(`the token file ${file} can not be read`, {
      hint: "name another with --token-file",
      cause,
    });
  }
}

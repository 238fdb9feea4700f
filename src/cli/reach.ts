/** How the verbs find a running daemon or a hub, and the flags that say where. */
import { resolve } from "node:path";
import { Failure } from "../core/errors.ts";
import { controlSocketPath, stateDirectory } from "../daemon/state_dir.ts";
import { type Address, ApiClient } from "./client.ts";
import { type Flag, type Given, text } from "./verb.ts";

export const JSON_FLAG: Flag = { name: "json", help: "print the API's object" };
export const STATE_FLAG: Flag = { name: "state", value: "DIR", help: "the state directory" };
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

/** The daemon's control API: by `--control` with a token, else by the socket of the state directory. */
export function daemonAddress(given: Given): Address {
  const state = stateOf(given);
  const control = text(given, "control");
  if (control === null) return { origin: "http://localhost", socket: controlSocketPath(state) };
  const file = text(given, "token-file") ?? `${state}/control.token`;
  return {
    origin: `http://${control.startsWith(":") ? `127.0.0.1${control}` : control}`,
    token: readToken(file),
  };
}

/** Asks the running daemon. Throws a Failure that says how to start one where none answers. */
export async function withDaemon<T>(given: Given, ask: (api: ApiClient) => Promise<T>): Promise<T> {
  const api = new ApiClient(daemonAddress(given));
  try {
    return await ask(api);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied) && !isSilent(error)) throw error;
    const where = api.address.socket ?? api.address.origin;
    throw new Failure(`no daemon answers at ${where}`, {
      hint: "start one with `connectd run`, or say where it is with --state DIR or --control ADDR",
      cause: error,
    });
  } finally {
    api.close();
  }
}

/** True for what `ApiClient.call` throws where nobody answers. */
export function isSilent(error: unknown): boolean {
  return error instanceof Failure && error.cause !== undefined && error.message.startsWith("nobody answers");
}

/** Asks the hub that `--hub` names, with the token of `--token-file` or the usual places. */
export async function withHub<T>(given: Given, ask: (api: ApiClient) => Promise<T>): Promise<T> {
  const url = text(given, "hub")!;
  const file = text(given, "token-file") ?? usualTokenFile(stateOf(given));
  if (file === null) {
    throw new Failure(`the hub ${url} asks for a token`, {
      hint: "name a file that holds it with --token-file, or in CONNECTD_TOKEN_FILE",
    });
  }
  const api = new ApiClient({ origin: url.replace(/\/+$/, ""), token: readToken(file) });
  try {
    return await ask(api);
  } finally {
    api.close();
  }
}

/** The first that exists of CONNECTD_TOKEN_FILE, systemd's credentials and the state directory (product §1). */
export function usualTokenFile(state: string): string | null {
  const credentials = Deno.env.get("CREDENTIALS_DIRECTORY");
  const named = Deno.env.get("CONNECTD_TOKEN_FILE");
  if (named !== undefined) return named;
  for (
    const path of [...(credentials === undefined ? [] : [`${credentials}/connectd-token`]), `${state}/token`]
  ) {
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not there: the next one.
    }
  }
  return null;
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

/** The state directory: one daemon's place on this machine. */
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { Failure } from "../core/errors.ts";
import { privateSocketPath } from "../net/private_socket.ts";
import { type Held, takeLock } from "../store/lock.ts";
import { reasonOf } from "../store/reasons.ts";

/** Where state is kept unless `--state` says otherwise. Throws Failure where nothing says so. */
export function stateDirectory(): string {
  // systemd gives a list where a unit has several; the first is ours.
  const [unit] = (Deno.env.get("STATE_DIRECTORY") ?? "").split(":");
  if (unit !== "") return resolve(unit);
  const xdg = Deno.env.get("XDG_STATE_HOME");
  if (xdg) return resolve(xdg, "connectd");
  const home = Deno.env.get("HOME");
  if (!home) {
    throw new Failure("there is no place for state: neither XDG_STATE_HOME nor HOME is set", {
      hint: "name a directory with --state DIR",
      permanent: true,
    });
  }
  return resolve(home, ".local/state/connectd");
}

/** The control socket of the daemon on `state`. Throws Failure where no path is short enough for one. */
export function controlSocketPath(state: string): string {
  return privateSocketPath(state, "control.sock", "connectd");
}

/** The hub's token among the credentials of a service, in `directory`. */
export function credentialFile(directory: string): string {
  return `${directory}/connectd-token`;
}

/**
 * Where the token for a hub lies that names no file of its own (product §1): CONNECTD_TOKEN_FILE, systemd's credential,
 * or `token` in `state`. Only the second has to exist to count.
 */
export function usualTokenFile(state: string): string {
  const named = Deno.env.get("CONNECTD_TOKEN_FILE");
  if (named) return resolve(named);
  const credentials = Deno.env.get("CREDENTIALS_DIRECTORY");
  if (credentials) {
    const path = credentialFile(credentials);
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // The unit has no such credential.
    }
  }
  return resolve(state, "token");
}

/** A state directory that is ours while the process lives. */
export interface StateDir {
  readonly path: string;
  /** `state.db`. */
  readonly database: string;
  readonly socket: string;
  /** What the control API asks for on TCP. */
  readonly controlToken: string;
  /** Good for `/metrics` and nothing else: whoever watches need not be able to command. */
  readonly metricsToken: string;
  /** Lets another daemon have it. */
  close(): void;
}

/**
 * Makes `state` ours, creating it where it is missing. Throws Failure when another daemon has it or it can not be
 * written. The lock is the kernel's: it ends with the process, however that ends.
 */
export async function openStateDir(state: string): Promise<StateDir> {
  const path = resolve(state);
  let lock: Held | null = null;
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    const socket = controlSocketPath(path);
    const held = lock = await lockState(path);
    const controlToken = await ownToken(`${path}/control.token`);
    const metricsToken = await ownToken(`${path}/metrics.token`);
    const close = () => held.release();
    return { path, database: `${path}/state.db`, socket, controlToken, metricsToken, close };
  } catch (cause) {
    lock?.release();
    if (cause instanceof Failure) throw cause;
    const { what, hint = "name another with --state DIR" } = reasonOf((cause as Error).message);
    throw new Failure(`the state directory ${path} can not be used: ${what}`, {
      hint,
      permanent: true,
      cause,
    });
  }
}

async function lockState(path: string): Promise<Held> {
  const lock = await takeLock(`${path}/daemon.lock`);
  if ("release" in lock) return lock;
  throw new Failure(`another daemon (pid ${lock.holder}) runs on the state directory ${path}`, {
    hint: "stop it, or give this one a directory of its own with --state DIR",
    permanent: true,
  });
}

/** The token in `path`; made where there is none. A guess would take 2²⁵⁶ tries. */
async function ownToken(path: string): Promise<string> {
  try {
    const token = (await Deno.readTextFile(path)).trim();
    if (token.length >= 32) {
      await Deno.chmod(path, 0o600);
      return token;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const token = randomBytes(32).toString("base64url");
  // Written aside and renamed: a reader finds a whole token or none. Aside nothing waits for it to be written to.
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  await Deno.writeTextFile(aside, token + "\n", { mode: 0o600, createNew: true });
  await Deno.rename(aside, path);
  return token;
}

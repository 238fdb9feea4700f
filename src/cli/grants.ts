/** The least that a daemon needs of Deno for a links.yaml: what `connectd permissions` prints. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { authFiles } from "../config/auth_files.ts";
import type { Config } from "../config/links.ts";
import { parseListen } from "../config/places.ts";
import { withoutBrackets } from "../core/address.ts";
import { Failure } from "../core/errors.ts";
import type { Target } from "../core/target.ts";
import { controlSocketPath, credentialFile, usualTokenFile } from "../daemon/state_dir.ts";
import { DEFAULT_LISTEN as DEFAULT_CONTROL } from "../daemon/control/server.ts";
import { DEFAULT_LISTEN } from "../hub/listeners.ts";
import { hostsOf } from "../net/grants.ts";
import { asidePath } from "../net/private_socket.ts";
import { NOTIFY_SOCKET, notifyPath } from "./notify.ts";

/** Hosts with their ports, paths, and names of variables, each once and in order. */
export interface Grants {
  readonly net: readonly string[];
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly env: readonly string[];
}

/** The folder of mod.ts. Throws Failure where the program does not come from this machine's files. */
export function programFolder(): string {
  const url = new URL("../..", import.meta.url);
  if (url.protocol === "file:") return fileURLToPath(url).replace(/\/$/, "");
  throw new Failure(`the program comes from ${url.origin}, and a service needs it on this machine`, {
    hint: "run this from a checkout",
    permanent: true,
  });
}

/** Where the daemon of a file will be. */
export interface Place {
  /** The folder of mod.ts: the modules of workers are read when they begin. */
  readonly program: string;
  readonly state: string;
  /** `--listen` and `--control`, which go before the file's. */
  readonly listen: string | null;
  readonly control: string | null;
}

/** Every variable that a daemon asks for; LOG_… by the YAML package. */
export const VARIABLES: readonly string[] = [
  "CONNECTD_TOKEN_FILE",
  "CREDENTIALS_DIRECTORY",
  "DENO_TLS_CA_STORE",
  "HOME",
  "LOG_STREAM",
  "LOG_TOKENS",
  "NOTIFY_SOCKET",
  "NO_COLOR",
  "STATE_DIRECTORY",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
  "XDG_RUNTIME_DIR",
  "XDG_STATE_HOME",
];

/** Where systemd has what a service is told of by its environment, for whoever asks from elsewhere. */
const USUAL_NOTIFY = "/run/systemd/notify";
const USUAL_CREDENTIALS = "/run/credentials/connectd.service";

/** What the daemon of `config` needs. Throws Failure where the state directory's path is too long for a socket. */
export function grantsOf(config: Config, { program, state, listen, control }: Place): Grants {
  const net = new Set<string>(), read = new Set<string>(), write = new Set<string>();
  const unix = (path: string) => {
    net.add(`unix:${path}`);
    read.add(path);
    write.add(path);
  };
  const reach = (target: Target) => {
    if (target.kind === "unix") unix(target.path);
    else for (const host of hostsOf(target)) net.add(host);
  };
  // A default that is taken moves to a free port.
  const serve = (address: string | null, usual: { hostname: string; port: number }) => {
    const { hostname, port } = address === null ? usual : parseListen(address);
    net.add(printHost(hostname, port));
    if (address === null) net.add(printHost(hostname, 0));
  };

  read.add(`${program}/src`);
  // The folder, because a watch on a file goes deaf when another is renamed over it.
  read.add(dirname(config.file));
  read.add(state);
  write.add(state);
  serve(control ?? config.control, DEFAULT_CONTROL);
  if (config.hubs.length === 0) serve(listen ?? config.listen, DEFAULT_LISTEN);
  const socket = controlSocketPath(state), aside = asidePath(socket);
  unix(socket);
  net.add(`unix:${aside}/s`);
  if (dirname(socket) !== state) {
    read.add(aside);
    write.add(aside);
  }
  unix(notifyPath(state));
  const supervisor = Deno.env.get(NOTIFY_SOCKET) || USUAL_NOTIFY;
  net.add(`unix:${supervisor}`);
  write.add(supervisor);
  for (const { url, tokenFile, caFile } of config.hubs) {
    const { protocol, hostname, port } = new URL(url);
    const secure = protocol === "https:";
    const host = withoutBrackets(hostname);
    reach({ kind: secure ? "https" : "http", host, port: Number(port) || (secure ? 443 : 80) });
    read.add(tokenFile ?? usualTokenFile(state));
    if (tokenFile === null) {
      read.add(credentialFile(Deno.env.get("CREDENTIALS_DIRECTORY") ?? USUAL_CREDENTIALS));
    }
    if (caFile !== null) read.add(caFile);
  }
  for (const { target } of config.services.values()) reach(target);
  for (const { target, tls } of config.links.values()) {
    reach(target);
    if (tls !== null && tls.caFile !== null) read.add(tls.caFile);
  }
  for (const { path } of authFiles(config)) read.add(path);
  return { net: sorted(net), read: outermost(read), write: outermost(write), env: VARIABLES };
}

/** The flags of `deno run` for them. */
export function denoFlags({ net, read, write, env }: Grants): string[] {
  const flag = (name: string, values: readonly string[]) =>
    `--allow-${name}=${values.map((value) => value.replaceAll(",", ",,")).join(",")}`;
  return [
    "--no-prompt",
    // Only with it there are the datagrams by which a service says that it is ready.
    "--unstable-net",
    flag("net", net),
    flag("read", read),
    flag("write", write),
    flag("env", env),
  ];
}

function printHost(hostname: string, port: number): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

function sorted(values: Iterable<string>): string[] {
  return [...values].sort();
}

/** A folder is granted with all that lies in it. */
function outermost(paths: ReadonlySet<string>): string[] {
  const within = (path: string): boolean => {
    const folder = dirname(path);
    return folder !== path && (paths.has(folder) || within(folder));
  };
  return sorted(paths).filter((path) => !within(path));
}

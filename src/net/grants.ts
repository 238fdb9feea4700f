/** What Deno was granted when the process began, and what it takes to get further. */
import type { Target } from "../core/target.ts";

/** Hosts with their ports that `dial` connects to for `target`, the one that it must have first. Not for unix sockets and echo. */
export function hostsOf(target: Target): string[] {
  if (target.kind === "unix" || target.kind === "echo") return [];
  const { host, port } = target;
  const first = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return host === "localhost" ? [first, `[::1]:${port}`] : [first];
}

/** The flag of `deno run` without which `target` can't be reached; null: it may be. */
export function flagFor(target: Target): string | null {
  if (target.kind === "echo") return null;
  if (target.kind !== "unix") return flagForHost(hostsOf(target)[0]);
  const { path } = target;
  return flagForHost(`unix:${path}`) ?? flagForPath("read", path) ?? flagForPath("write", path);
}

/** The flag without which the file at `path` can't be read; null: it may be. */
export function flagToRead(path: string): string | null {
  return flagForPath("read", path);
}

function flagForHost(host: string): string | null {
  return isGranted({ name: "net", host }) ? null : `--allow-net=${host}`;
}

function flagForPath(name: "read" | "write", path: string): string | null {
  return isGranted({ name, path }) ? null : `--allow-${name}=${path}`;
}

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

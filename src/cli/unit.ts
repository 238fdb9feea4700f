/** Units of systemd: those in config/, with the paths of this machine in the place of theirs. */
import { dirname } from "node:path";
import { authFiles } from "../config/auth_files.ts";
import { loadConfig } from "../config/load.ts";
import { Failure } from "../core/errors.ts";
import { isFile } from "./find.ts";
import { programFolder } from "./grants.ts";

/** Whose service: the machine's daemon or hub, a user's daemon. */
export type Kind = "daemon" | "hub" | "user";

/** A unit as it is before it is made for a machine. */
export interface Unit {
  readonly kind: Kind;
  /** What systemctl calls it. */
  readonly name: string;
  /** The file in config/ that it is made of. */
  readonly template: string;
  /** Where systemd finds it. */
  readonly path: string;
  /** The file that it reads unless it is told otherwise. */
  readonly config: string;
  /** Whom it runs as; null: who installs it. */
  readonly user: string | null;
}

/** The unit of `kind`; `home` is that of the user for whom it is. */
export function unitFor(kind: Kind, home: string | null): Unit {
  if (kind === "user") {
    const configs = Deno.env.get("XDG_CONFIG_HOME") || `${home}/.config`;
    return {
      kind,
      name: "connectd",
      template: "connectd-user.service",
      path: `${configs}/systemd/user/connectd.service`,
      config: `${configs}/connectd/links.yaml`,
      user: null,
    };
  }
  const name = kind === "hub" ? "connectd-hub" : "connectd";
  return {
    kind,
    name,
    template: `${name}.service`,
    path: `/etc/systemd/system/${name}.service`,
    config: `/etc/connectd/${kind === "hub" ? "hub" : "links"}.yaml`,
    user: name,
  };
}

/** The paths of a machine. */
export interface Paths {
  readonly deno: string;
  /** The folder of mod.ts. */
  readonly program: string;
  readonly config: string;
  /** Null: systemd says it. */
  readonly state: string | null;
}

/** What in a unit's words has no other meaning to systemd, to a shell, or to Deno's lists. */
const PLAIN = /^\/[\w./@:+-]*$/;

/**
 * The text of `unit` with these paths, and with leave to read what the configuration names elsewhere. Throws Failure
 * where a path has characters that mean something in a unit.
 */
export async function makeUnit(unit: Unit, paths: Paths): Promise<{ text: string; config: string }> {
  const { deno, program, config, state } = paths;
  const named = unit.kind === "hub" ? NOTHING : await namedBy(config);
  for (const path of [deno, program, config, state ?? "/", ...named.files, ...named.sockets]) {
    checkPlain(path);
  }
  const files = [dirname(config), ...outside(named.files, dirname(config)), ...named.sockets];
  const read = (granted: string, usual: string) => granted.replace(`,${usual},`, `,${files.join(",")},`);
  const write = (granted: string) =>
    named.sockets.length === 0
      ? granted
      : granted.replace("--allow-write=", `--allow-write=${named.sockets.join(",")},`);
  const home = "%h/.config/connectd", machine = "/etc/connectd";
  const template = await Deno.readTextFile(`${programFolder()}/config/${unit.template}`);
  const text = template.split("\n").map((line) => {
    if (!line.startsWith("Exec")) return line;
    const granted = line.startsWith("ExecStart=") ? write(read(read(line, home), machine)) : line;
    const placed = granted
      .replaceAll("/usr/local/bin/deno", deno)
      .replaceAll("/opt/connectd", program)
      .replaceAll(/(?:%h\/\.config|\/etc)\/connectd\/(?:links|hub)\.yaml/g, config);
    return state === null ? placed : placed.replaceAll("%h/.local/state/connectd", state);
  }).join("\n");
  return { text, config };
}

/** Whether a service of the machine, for which there is no home and no /tmp of others, can't see `path`. */
export function hiddenFromUnits(path: string): boolean {
  return /^\/(?:home|root|run\/user|tmp|var\/tmp)\//.test(path);
}

interface Named {
  readonly files: readonly string[];
  readonly sockets: readonly string[];
}

const NOTHING: Named = { files: [], sockets: [] };

/** Files and sockets that the links.yaml at `path` names; none where there is no such file, or it is refused. */
async function namedBy(path: string): Promise<Named> {
  if (!isFile(path)) return NOTHING;
  const { config } = await loadConfig(path, Date.now());
  if (config === null) return NOTHING;
  const links = [...config.links.values()];
  const files = [
    ...config.hubs.flatMap(({ tokenFile, caFile }) => [tokenFile, caFile]),
    ...links.map(({ tls }) => tls?.caFile ?? null),
    ...authFiles(config).map(({ path }) => path),
  ].filter((path) => path !== null);
  const targets = [...links, ...config.services.values()].map(({ target }) => target);
  const sockets = targets.flatMap((target) => target.kind === "unix" ? [target.path] : []);
  return { files: [...new Set(files)].sort(), sockets: [...new Set(sockets)].sort() };
}

function outside(files: readonly string[], folder: string): string[] {
  return files.filter((file) => !file.startsWith(`${folder}/`));
}

function checkPlain(path: string): void {
  if (PLAIN.test(path)) return;
  throw new Failure(`${JSON.stringify(path)} can not stand in a unit`, {
    hint: "use a path of letters, digits and . _ - + @ : alone",
    permanent: true,
  });
}

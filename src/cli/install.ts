/** `connectd install`: the unit by which systemd keeps a daemon or a hub running. */
import { dirname, resolve } from "node:path";
import { Failure } from "../core/errors.ts";
import { stateDirectory } from "../daemon/state_dir.ts";
import { isFile } from "./find.ts";
import { programFolder } from "./grants.ts";
import { out } from "./print.ts";
import { hiddenFromUnits, type Kind, makeUnit, type Unit, unitFor } from "./unit.ts";
import { on, text, UsageError, type Verb } from "./verb.ts";

export const install: Verb = {
  name: "install",
  count: [0, 0],
  summary: "Writes the systemd unit that keeps the daemon running, and says what to do next.",
  more:
    "The units are config/*.service with the paths of this machine. One that is there and differs is left alone.",
  flags: [
    { name: "user", help: "for yourself, without root, instead of for the machine" },
    { name: "hub", help: "for a hub instead of the daemon" },
    {
      name: "config",
      short: "c",
      value: "FILE",
      help: "the file it will read (default: links.yaml or hub.yaml in /etc/connectd, ~/.config/connectd)",
    },
    { name: "print", help: "only print the unit" },
  ],
  async run(given) {
    const kind = kindOf(on(given, "user"), on(given, "hub"));
    const home = kind === "user" ? homeOf() : null;
    const unit = unitFor(kind, home);
    const program = programFolder();
    const config = text(given, "config");
    const made = await makeUnit(unit, {
      deno: Deno.execPath(),
      program,
      config: config === null ? unit.config : resolve(config),
      state: kind === "user" ? stateDirectory() : null,
    });
    if (on(given, "print")) {
      out(made.text.trimEnd());
      return 0;
    }
    if (kind !== "user") refuseHidden([made.config, program, Deno.execPath()]);
    const written = await write(unit.path, made.text);
    out(`${unit.path} ${written ? "is written" : "is there already, just so"}.\n`);
    out(explain(unit, program, made.config));
    return 0;
  },
};

function kindOf(user: boolean, hub: boolean): Kind {
  if (user && hub) {
    throw new UsageError("--user and --hub exclude each other: a hub is a service of the machine");
  }
  return user ? "user" : hub ? "hub" : "daemon";
}

function homeOf(): string {
  const home = Deno.env.get("HOME");
  if (home) return home;
  throw new Failure("HOME is not set, so it is not known where your units are", { permanent: true });
}

/** A system service sees no home: it would not find its program there. */
function refuseHidden(paths: readonly string[]): void {
  const hidden = paths.find(hiddenFromUnits);
  if (hidden === undefined) return;
  throw new Failure(`${hidden} can not be used by a service of the machine, which sees no home and no /tmp`, {
    hint:
      "have deno in /usr/local/bin, connectd in /opt/connectd, the file in /etc/connectd; or install with --user",
    permanent: true,
  });
}

/** False: it was there already. Throws Failure where another is, or it can't be written. */
async function write(path: string, unit: string): Promise<boolean> {
  try {
    if (isFile(path)) {
      if (await Deno.readTextFile(path) === unit) return false;
      throw new Failure(`${path} is there and differs from what would be written, so it is left as it is`, {
        hint:
          "compare with `connectd install --print`; move it away and install again, or keep your changes in " +
          "`systemctl edit`",
      });
    }
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, unit, { createNew: true, mode: 0o644 });
    return true;
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure(`${path} can not be written: ${(cause as Error).message}`, {
      hint: "run it as root, or with --user",
      cause,
    });
  }
}

/** What the unit does, and what to type next. */
function explain({ kind, name, user }: Unit, program: string, config: string): string {
  const systemctl = kind === "user" ? "systemctl --user" : "systemctl";
  const role = kind === "hub" ? "hub" : "daemon", since = kind === "user" ? "your session" : "the machine";
  const what =
    `It starts the ${role} with ${since}, ends it gently, and starts it again after a crash or when it is stuck.\n` +
    `\`${systemctl} reload ${name}\` reads ${config} again, and fails where that is refused.`;
  const rights = kind === "user"
    ? "Deno's flags let it read and write its own state and read the folder of its file, and execute nothing."
    : `It runs as the user ${user} without capabilities, sees no home, and writes nothing but its state in /var/lib/${name}.\n` +
      `What ${config} names has to be readable by it: chgrp ${user}, chmod 640.`;
  const workers = ["daemon/bcrypt_worker.ts", "store/sqlite_worker.ts"].map((file) =>
    `${program}/src/${file}`
  );
  const steps = [
    ...(user === null ? [] : [
      `id ${user} || useradd --system --home-dir /var/lib/${name} --shell /usr/sbin/nologin ${user}`,
      `DENO_DIR=/var/cache/connectd ${Deno.execPath()} cache ${program}/mod.ts ${workers.join(" ")}`,
    ]),
    ...(isFile(config) ? [] : [`# write ${config}`]),
    `${systemctl} daemon-reload`,
    `${systemctl} enable --now ${name}`,
    `${systemctl} status ${name}`,
  ];
  return `${what}\n${rights}\n\nNext:\n${steps.map((step) => `  ${step}`).join("\n")}`;
}

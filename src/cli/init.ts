/** `connectd init`: a first links.yaml, commented, with a link for each server that listens here. */
import { resolve } from "node:path";
import { Failure } from "../core/errors.ts";
import { findServers } from "./detect.ts";
import { linkName, meaning } from "./target.ts";
import { out } from "./print.ts";
import { HUB_FLAG, hubOf } from "./reach.ts";
import type { Verb } from "./verb.ts";

const FILE = "links.yaml";

export const init: Verb = {
  name: "init",
  count: [0, 0],
  summary:
    "Writes a commented links.yaml here, with a link for each HTTP server that listens on this machine. Never over a file.",
  flags: [{
    ...HUB_FLAG,
    help: "the hub that the links shall be on (default: one inside the daemon's process)",
  }],
  async run(given) {
    const hub = hubOf(given), path = resolve(FILE);
    if (isThere(path)) throw taken(path);
    const servers = await findServers();
    try {
      // Never through a link that somebody laid, and never over what came in between.
      await Deno.writeTextFile(path, firstFile(hub, servers), { createNew: true });
    } catch (cause) {
      if (cause instanceof Deno.errors.AlreadyExists) throw taken(path);
      throw new Failure(`${path} can not be written: ${(cause as Error).message}`, {
        hint: "go to a folder that is yours",
        cause,
      });
    }
    out(`wrote ${path}`);
    out(`  hello  echo, which answers by itself`);
    for (const server of servers) out(`  ${nameOf(server)}  ${server}, which listens here`);
    if (servers.length === 0) {
      out("  nothing else listens at the usual ports: add your own target when it runs");
    }
    out(hub === null ? NEXT : nextAt(hub));
    return 0;
  },
};

const NEXT = "next: connectd run";

function nextAt(hub: string): string {
  return `next: put the token of ${hub} into ./hub.token (connectd token create --scope daemon, at the hub), then\n` +
    "      connectd doctor && connectd run";
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

function taken(path: string): Failure {
  return new Failure(`${path} is there already, and is left as it is`, {
    hint: "`connectd check` says whether it is fine; for a new one go to another folder",
  });
}

function nameOf(server: string): string {
  return linkName(meaning(server, null));
}

/** The text of the file: links on `hub` (null: the embedded one) to the echo target and to `servers`. */
export function firstFile(hub: string | null, servers: readonly string[]): string {
  return HEAD +
    (hub === null
      ? EMBEDDED
      : `hub: ${hub}\ntoken_file: ./hub.token   # what \`connectd token create --scope daemon\` printed there\n`) +
    LINKS + servers.map(serverLink).join("") + TAIL;
}

const HEAD = `# The links of this machine: which service is reached from outside, and under which policy.
# \`connectd check\` says what is wrong with this file, \`connectd help links.yaml\` explains every key, and the running
# daemon takes what you change here within a second of its being saved.
version: 1

`;

const EMBEDDED =
  `# Without a hub one runs inside the daemon's process, and its links are for this machine only: http://<id>.localhost:8080.
# For links that the world reaches, name a hub, and the file that holds its token (mode 0600).
# hub: https://hub.example.com
# token_file: ./hub.token
`;

const LINKS = `
links:
  # Answers by itself with what it was sent, so it works at once.
  hello:
    target: echo
    ttl: 24h                        # how long it lives: 90s, 1h, 7d, never; or an end: until: 2030-12-01T00:00:00Z
`;

function serverLink(server: string): string {
  return `
  # Listens on this machine. Take the # away from what you want of its policy.
  ${nameOf(server)}:
    target: ${server}
    ttl: 24h
    # methods: [GET]                # absent: all
    # paths: [/api, = /health]      # prefixes by whole segments, or one path alone; absent: all
    # rate: 100/m per ip            # requests; also 10/s burst 20; absent: no limit
    # auth: { basic: { file: ./${nameOf(server)}.htpasswd } }   # htpasswd -B -c ./${
    nameOf(server)
  }.htpasswd alice
`;
}

const TAIL = `
  # A webhook: one method, one path, so many calls a minute, until it is revoked.
  # stripe:
  #   target: localhost:3000
  #   methods: [POST]
  #   paths: [/webhooks/stripe]
  #   rate: 100/m burst 20
`;

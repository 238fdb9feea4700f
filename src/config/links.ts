/** links.yaml: text in, configuration and problems out. */
import type { Entry, HubAddress, Service } from "../core/entry.ts";
import { checkName } from "../core/names.ts";
import { type DefaultValues, type LinkValues, makeEntry, readTarget, type Services } from "./entry.ts";
import { type Accepted, readText, type TextOptions } from "./file.ts";
import { hubs, resolveHubs } from "./hubs.ts";
import { ACCESS_LOG_KEY, accessKept } from "./keep.ts";
import { DEFAULT_KEYS, LINK_KEYS, SERVICE_KEYS } from "./keys.ts";
import { isLocal, parseListen, printListen } from "./places.ts";
import type { Problem } from "./problem.ts";
import type { Context } from "./context.ts";
import {
  boolean,
  either,
  type Found,
  integer,
  mapping,
  named,
  type Read,
  type Reader,
  text,
  word,
} from "./schema.ts";
import { duration, path } from "./values.ts";
import { quoted } from "./wording.ts";

/** What the hub may ask of the daemon. */
export type Remote = "revoke" | "manage" | "none";

/** A links.yaml that was accepted. */
export interface Config extends Accepted {
  /** Empty: a hub inside this process. */
  readonly hubs: readonly HubAddress[];
  /** `host:port`; null: the default. */
  readonly listen: string | null;
  readonly tokenFile: string | null;
  readonly hubCaFile: string | null;
  readonly plain: boolean;
  readonly control: string | null;
  readonly connections: number;
  readonly drainTimeoutMs: number;
  /** How long lines of the access log are kept; null: none is written. */
  readonly keepAccessMs: number | null;
  readonly trace: boolean;
  readonly remote: Remote;
  readonly services: ReadonlyMap<string, Service>;
  readonly links: ReadonlyMap<string, Entry>;
  /** What a one-off has unless it says otherwise. */
  readonly defaults: DefaultValues;
}

const ADDRESS = ":[0-9]{1,5}$";

const listen = text(
  { wants: "an address and port such as 127.0.0.1:8080", code: "bad_address", pattern: ADDRESS },
  parseListen,
);

const control = text(
  { wants: "an address and port such as 127.0.0.1:4545", code: "bad_address", pattern: ADDRESS },
  (written) => {
    const address = parseListen(written);
    // Who reaches it and has the token commands the daemon.
    if (!isLocal(address.hostname)) {
      throw new SyntaxError(
        `${quoted(written)} is not this machine's own (loopback): write 127.0.0.1:4545 or so`,
      );
    }
    return address;
  },
);

const service: Reader<Read<typeof SERVICE_KEYS>> = either<Read<typeof SERVICE_KEYS>>(
  "a target such as localhost:3000, or a mapping with target",
  {
    ...SERVICE_KEYS.target.reader,
    read(node, context, owner) {
      const target = SERVICE_KEYS.target.reader.read(node, context, owner);
      return target === undefined ? undefined : { target: { value: target, at: node.at } };
    },
  },
  mapping("a mapping with target", SERVICE_KEYS),
);

const NAME = { check: checkName, pattern: "^[a-z0-9][a-z0-9-]{0,62}$" };

/** Keys at the top of links.yaml. */
export const ROOT_KEYS = {
  version: {
    reader: integer(1, 1),
    doc: "The version of this format: 1.",
    required: true,
    example: "version: 1",
  },
  hub: {
    reader: hubs,
    doc: "The hub to connect to, or a list of hubs. `embedded` or absent: a hub inside this process.",
    example: "hub: https://hub.example.com",
  },
  listen: {
    reader: listen,
    doc: "Where the embedded hub listens, as in `127.0.0.1:8080` (the default); port 0 picks a free one.",
    example: "listen: 127.0.0.1:8080",
  },
  token_file: {
    reader: path,
    doc:
      "The file that holds the hub's token. Absent: $CONNECTD_TOKEN_FILE, $CREDENTIALS_DIRECTORY/connectd-token, " +
      "or `token` in the state directory.",
    example: "token_file: ./hub.token",
  },
  hub_ca_file: {
    reader: path,
    doc: "Certificates (PEM) to trust for the hubs instead of the system's.",
    example: "hub_ca_file: ./ca.pem",
  },
  plain: {
    reader: boolean,
    doc: "`true`: an `http://` hub that is not on this machine is wanted, token in the clear and all.",
    example: "plain: true",
  },
  control: {
    reader: control,
    doc: "Where the control API listens, as in `127.0.0.1:4545` (the default); loopback only.",
    example: "control: 127.0.0.1:4545",
  },
  connections: {
    reader: integer(1, 64),
    doc: "How many connections are kept to each hub. The default is 2.",
    example: "connections: 4",
  },
  drain_timeout: {
    reader: duration,
    doc: "How long requests in flight may finish when the daemon stops. The default is 30s.",
    example: "drain_timeout: 1m",
  },
  keep: {
    reader: mapping("a mapping with access_log", ACCESS_LOG_KEY),
    doc: "How long what is written of requests is kept.",
    example: "keep: { access_log: 7d }",
  },
  trace: {
    reader: boolean,
    doc: "`true`: a request without a `traceparent` is given one (W3C Trace Context).",
    example: "trace: true",
  },
  remote: {
    reader: word(["revoke", "manage", "none"]),
    doc:
      "What the hub may ask: `revoke` links (the default), `manage` them (create, edit and renew, on services " +
      "marked `remote: true`), or `none`.",
    example: "remote: none",
  },
  defaults: {
    reader: mapping("a mapping of keys of a link", DEFAULT_KEYS),
    doc: "Keys that every link has unless it has its own, which replaces the default whole.",
    example: "defaults: { ttl: 24h, rate: 100/m per ip }",
  },
  services: {
    reader: named("a mapping of names to targets", NAME, service),
    doc: "Names for targets, registered at the hubs. A name is of lower-case letters, digits and dashes.",
    example: "services: { my-api: localhost:3000 }",
  },
  links: {
    reader: named("a mapping of names to links", NAME, mapping("a mapping with target", LINK_KEYS)),
    doc: "The links, each under a name of lower-case letters, digits and dashes, at most 63 of them.",
    example: "links: { demo: { target: my-api, ttl: 7d } }",
  },
} as const;

const root = mapping("a mapping with version and links", ROOT_KEYS);

/** Reads the text of a links.yaml. Every problem is reported; with an error among them `config` is null. */
export function readConfig(
  text: string,
  options: TextOptions,
): { config: Config | null; problems: Problem[] } {
  return readText(text, options, root, (read, context, accepted) => {
    const tokenFile = read.token_file?.value ?? null;
    const hubCaFile = read.hub_ca_file?.value ?? null;
    const plain = read.plain?.value ?? false;
    const services = readServices(read.services?.value ?? new Map(), context);
    const defaults = read.defaults?.value ?? {};
    return {
      ...accepted,
      hubs: resolveHubs(read.hub?.value ?? [], { tokenFile, caFile: hubCaFile, plain }, context),
      listen: read.listen === undefined ? null : printListen(read.listen.value),
      tokenFile,
      hubCaFile,
      plain,
      control: read.control === undefined ? null : printListen(read.control.value),
      connections: read.connections?.value ?? 2,
      drainTimeoutMs: read.drain_timeout?.value ?? 30_000,
      keepAccessMs: accessKept(read.keep?.value),
      trace: read.trace?.value ?? false,
      remote: read.remote?.value ?? "revoke",
      services: services.known,
      links: readLinks(read.links?.value ?? new Map(), defaults, services, context),
      defaults,
    };
  });
}

type Named<T> = ReadonlyMap<string, Found<T | undefined>>;

function readServices(read: Named<Read<typeof SERVICE_KEYS>>, context: Context): Services {
  const known = new Map<string, Service>();
  for (const [name, { value }] of read) {
    if (value?.target === undefined) continue;
    const target = readTarget(value.target.value, value.target.at, context);
    if (target === null) continue;
    known.set(name, {
      name,
      target,
      access: value.access?.value ?? "public",
      allow: value.allow?.value ?? null,
      remote: value.remote?.value ?? false,
    });
  }
  return { declared: new Set(read.keys()), known };
}

function readLinks(read: Named<LinkValues>, defaults: DefaultValues, services: Services, context: Context) {
  const links = new Map<string, Entry>();
  const subdomains = new Map<string, string>(), domains = new Map<string, string>();
  for (const [name, { value, at }] of read) {
    if (value === undefined) continue;
    for (const [key, seen] of [["subdomain", subdomains], ["domain", domains]] as const) {
      const wanted = value[key];
      if (wanted === undefined) continue;
      const first = seen.get(wanted.value);
      if (first === undefined) seen.set(wanted.value, name);
      else {
        const message = `${quoted(first)} asks for the ${key} ${quoted(wanted.value)} already`;
        context.report(wanted.at, { code: "conflict", message });
      }
    }
    const entry = makeEntry(name, at, value, { source: "file", defaults, services }, context);
    if (entry !== null) links.set(name, entry);
  }
  return links;
}

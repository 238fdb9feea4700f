/** hub.yaml: text in, configuration and problems out. */
import { DEFAULT_LIMITS, type ServerLimits } from "../core/limits.ts";
import type { AllWorkspaceLimits } from "../core/workspace_limits.ts";
import { type Accepted, readText, type TextOptions } from "./file.ts";
import { cidr, duration, path, patience, size, values } from "./values.ts";
import { isHostName, parseListen, parseOrigin, printListen, resolvePath } from "./places.ts";
import { ACCESS_LOG_KEY, accessKept } from "./keep.ts";
import { workspace, workspaces, workspacesOf } from "./workspaces.ts";
import type { Place } from "./lines.ts";
import type { Problem } from "./problem.ts";
import type { Context } from "./context.ts";
import { boolean, integer, list, mapping, type Read, type Reader, text } from "./schema.ts";
import { quoted } from "./wording.ts";

/** Where the hub keeps what must survive. */
export interface StoreAddress {
  readonly kind: "sqlite";
  /** Absolute. */
  readonly path: string;
}

/** The files by which the hub ends TLS itself. */
export interface TlsFiles {
  /** Absolute. */
  readonly cert: string;
  readonly key: string;
}

/** A hub.yaml that was accepted. */
export interface HubConfig extends Accepted {
  /** `host:port`; null: the default. */
  readonly listen: string | null;
  /** Lower-case, without a dot at its end; null: not said here. */
  readonly domain: string | null;
  /** An origin. */
  readonly publicUrl: string | null;
  /** null: visitors come in the clear. */
  readonly tls: TlsFiles | null;
  /** null: in the state directory. */
  readonly store: StoreAddress | null;
  /** Addresses and blocks. */
  readonly trustedProxies: readonly string[];
  /** Every connection comes by one of them, and begins with who it comes from. */
  readonly proxyProtocol: boolean;
  readonly limits: ServerLimits;
  readonly workspaces: AllWorkspaceLimits;
  /** null: the default. */
  readonly keepAuditMs: number | null;
  /** Where the value of each key at the top stands. */
  readonly places: ReadonlyMap<string, Place>;
  /** null: no access log is written. */
  readonly keepAccessMs: number | null;
}

const domain = text({ wants: "a domain such as hub.example.com", code: "bad_name" }, (written) => {
  const name = written.toLowerCase().replace(/\.$/, "");
  if (!isHostName(name)) throw new SyntaxError(`${quoted(written)} is no domain such as hub.example.com`);
  return name;
});

const store: Reader<StoreAddress> = text(
  { wants: "a store such as sqlite:./hub.db", code: "bad_value", pattern: "^sqlite:[\\s\\S]" },
  (written, context) => {
    if (written.startsWith("nats:")) {
      throw new SyntaxError("a store in NATS is not built yet: write sqlite:./hub.db, or leave the key out");
    }
    const path = /^sqlite:(.+)$/s.exec(written)?.[1];
    if (path === undefined) throw new SyntaxError(`${quoted(written)} is no store such as sqlite:./hub.db`);
    return { kind: "sqlite", path: resolvePath(path, context) };
  },
);

const listen = text(
  {
    wants: "an address and port such as 0.0.0.0:8080",
    code: "bad_address",
    pattern: ":[0-9]{1,5}$",
  },
  parseListen,
);

/** A size within bounds, in bytes. */
function sizeOf(min: number, max: number, wants: string): Reader<number> {
  return {
    ...size,
    read(node, context, owner) {
      const bytes = size.read(node, context, owner);
      if (bytes === undefined || (bytes >= min && bytes <= max)) return bytes;
      context.report(node.at, { code: "bad_value", message: `this size is not ${wants}` });
    },
  };
}

const count = integer(1, 1_000_000);

/** Keys of `limits`. */
export const LIMIT_KEYS = {
  connections: { reader: count, doc: "Connections of visitors at once. The default is 10000." },
  per_address: { reader: count, doc: "Connections of one address at once. The default is 256." },
  sessions: { reader: count, doc: "Sessions of daemons at once. The default is 10000." },
  streams_per_session: { reader: count, doc: "Requests in flight in one session. The default is 1024." },
  head: {
    reader: sizeOf(1024, 1024 * 1024, "from 1KiB to 1MiB"),
    doc: "The largest head of a request, from 1KiB to 1MiB. The default is 64KiB.",
  },
  fields: { reader: integer(1, 10_000), doc: "Header fields of a request. The default is 100." },
  target: {
    reader: sizeOf(256, 1024 * 1024, "from 256B to 1MiB"),
    doc: "The longest request target, from 256B to 1MiB. The default is 16KiB.",
  },
  head_timeout: { reader: patience, doc: "How long a visitor may take to send a head. The default is 10s." },
  body_idle: {
    reader: patience,
    doc: "How long a visitor who owes or is owed part of a body may stand still. The default is 60s.",
  },
  keep_alive: {
    reader: duration,
    doc: "How long a connection stays open between requests. The default is 60s.",
  },
  workspace: {
    reader: workspace,
    doc: "What each workspace may have at most, unless `workspaces` says otherwise.",
  },
} as const;

/** Keys of `tls`. */
export const TLS_KEYS = {
  cert: {
    reader: path,
    doc: "The chain of certificates (PEM), the hub's own first, relative to this file. It is watched.",
    required: true,
  },
  key: {
    reader: path,
    doc: "The key of the first certificate (PEM), relative to this file. It is watched.",
    required: true,
  },
} as const;

/** Keys of `keep`. */
export const KEEP_KEYS = {
  audit: {
    reader: patience,
    doc: "How long records of the audit trail are kept, of 250,000 at most. The default is 365d.",
  },
  ...ACCESS_LOG_KEY,
} as const;

/** Keys at the top of hub.yaml. */
export const HUB_ROOT_KEYS = {
  version: {
    reader: integer(1, 1),
    doc: "The version of this format: 1.",
    required: true,
    example: "version: 1",
  },
  listen: {
    reader: listen,
    doc: "Where the hub listens, for visitors, daemons and its API alike, as in `0.0.0.0:8080`.",
    example: "listen: 127.0.0.1:8080",
  },
  domain: {
    reader: domain,
    doc: "Links are `<id>.<domain>`; a wildcard DNS record points them here.",
    example: "domain: hub.example.com",
  },
  public_url: {
    reader: text({ wants: "a URL such as https://hub.example.com", code: "bad_address" }, parseOrigin),
    doc:
      "Where the API and the tunnel are reached from outside. It may, and better should, lie outside `domain`.",
    example: "public_url: https://connect.example.net",
  },
  tls: {
    reader: mapping("a mapping such as { cert: ./cert.pem, key: ./key.pem }", TLS_KEYS),
    doc:
      "The hub ends TLS itself, with this certificate. Absent: it listens in the clear, for a front that does.",
    example: "tls: { cert: ./cert.pem, key: ./key.pem }",
  },
  store: {
    reader: store,
    doc: "Where names, tokens and revocations are kept: `sqlite:./hub.db`, relative to this file. " +
      "Absent: `hub.db` in the state directory.",
    example: "store: sqlite:./hub.db",
  },
  trusted_proxies: {
    reader: values(list(cidr, "a list of addresses such as [127.0.0.1/32]")),
    doc: "Addresses and blocks of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    example: `trusted_proxies: [127.0.0.1/32, "::1"]`,
  },
  proxy_protocol: {
    reader: boolean,
    doc:
      "`true`: every connection comes by a trusted proxy and begins with the PROXY protocol, version 2, which says " +
      "who it comes from. All others are cut.",
    example: "proxy_protocol: true",
  },
  limits: {
    reader: mapping("a mapping of limits", LIMIT_KEYS),
    doc: "What the hub bears before it refuses.",
    example: "limits: { per_address: 64, head_timeout: 5s }",
  },
  workspaces: {
    reader: workspaces,
    doc:
      "What one workspace may have at most, in place of `limits.workspace`, key by key; `none`: no limit of its own.",
    example: "workspaces: { acme: { links: 1000, requests: 60000/m } }",
  },
  keep: {
    reader: mapping("a mapping such as { audit: 365d }", KEEP_KEYS),
    doc: "How long what the hub writes down is kept.",
    example: "keep: { audit: 90d }",
  },
} as const;

const root = mapping("a mapping with version", HUB_ROOT_KEYS);

/** Reads the text of a hub.yaml. Every problem is reported; with an error among them `config` is null. */
export function readHubConfig(
  text: string,
  options: TextOptions,
): { config: HubConfig | null; problems: Problem[] } {
  return readText(text, options, root, (read, context, accepted) => ({
    ...accepted,
    places: new Map(Object.entries(read).map(([key, { at }]) => [key, context.place(at)])),
    listen: read.listen === undefined ? null : printListen(read.listen.value),
    domain: read.domain?.value ?? null,
    publicUrl: read.public_url?.value.url ?? null,
    tls: tlsOf(read.tls?.value),
    store: read.store?.value ?? null,
    trustedProxies: read.trusted_proxies?.value ?? [],
    proxyProtocol: proxyProtocolOf(read, context),
    limits: limitsOf(read.limits?.value ?? {}),
    workspaces: workspacesOf(read.limits?.value.workspace?.value, read.workspaces?.value),
    keepAuditMs: read.keep?.value.audit?.value ?? null,
    keepAccessMs: accessKept(read.keep?.value),
  }));
}

function tlsOf(read?: Read<typeof TLS_KEYS>): TlsFiles | null {
  const cert = read?.cert?.value, key = read?.key?.value;
  return cert === undefined || key === undefined ? null : { cert, key };
}

function proxyProtocolOf(read: Read<typeof HUB_ROOT_KEYS>, context: Context): boolean {
  const on = read.proxy_protocol;
  if (on?.value !== true) return false;
  if ((read.trusted_proxies?.value ?? []).length === 0) {
    context.report(on.at, {
      code: "conflict",
      message: "nobody could get in: there are no trusted_proxies to speak the PROXY protocol",
      hint: "name the proxies under trusted_proxies",
    });
  }
  return true;
}

function limitsOf(read: Read<typeof LIMIT_KEYS>): ServerLimits {
  return {
    connections: read.connections?.value ?? DEFAULT_LIMITS.connections,
    perAddress: read.per_address?.value ?? DEFAULT_LIMITS.perAddress,
    sessions: read.sessions?.value ?? DEFAULT_LIMITS.sessions,
    streamsPerSession: read.streams_per_session?.value ?? DEFAULT_LIMITS.streamsPerSession,
    head: read.head?.value ?? DEFAULT_LIMITS.head,
    fields: read.fields?.value ?? DEFAULT_LIMITS.fields,
    target: read.target?.value ?? DEFAULT_LIMITS.target,
    headTimeoutMs: read.head_timeout?.value ?? DEFAULT_LIMITS.headTimeoutMs,
    bodyIdleMs: read.body_idle?.value ?? DEFAULT_LIMITS.bodyIdleMs,
    keepAliveMs: read.keep_alive?.value ?? DEFAULT_LIMITS.keepAliveMs,
  };
}

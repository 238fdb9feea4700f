/** From what was read to what is wanted: defaults, services and paths resolved. One-offs and the file share it. */
import { type Entry, INSPECT_LAST, type Service, type TargetTls } from "../core/entry.ts";
import { isName } from "../core/names.ts";
import type { PolicySpec } from "../core/policy.ts";
import { parseTarget, printTarget, type Target } from "../core/target.ts";
import type { DEFAULT_KEYS, LINK_KEYS } from "./keys.ts";
import type { At } from "./node.ts";
import { resolvePath } from "./places.ts";
import type { Context } from "./context.ts";
import { type Found, type Read } from "./schema.ts";
import { nearest } from "./suggest.ts";
import { quoted } from "./wording.ts";

export type LinkValues = Read<typeof LINK_KEYS>;
export type DefaultValues = Read<typeof DEFAULT_KEYS>;

/** The services a link may name. One that is declared but not known was wrong, and has been reported. */
export interface Services {
  readonly declared: ReadonlySet<string>;
  readonly known: ReadonlyMap<string, Service>;
}

/** A one-off that says nothing of its end must not be forgotten (interfaces: "Start"). */
const ONE_OFF_TTL_MS = 24 * 3_600_000;

/** What surrounds an entry. */
export interface Surroundings {
  readonly source: Entry["source"];
  readonly defaults: DefaultValues;
  readonly services: Services;
}

/** The entry `name`, whose values were read as `own`. Reports what only shows once they stand together. */
export function makeEntry(
  name: string,
  at: At,
  own: LinkValues,
  around: Surroundings,
  context: Context,
): Entry | null {
  const { source, defaults } = around;
  if (own.ttl !== undefined && own.until !== undefined) {
    const later = own.ttl.at > own.until.at ? own.ttl : own.until;
    context.report(later.at, { code: "conflict", message: `a link has "ttl" or "until", not both` });
  }
  if (own.until !== undefined && own.until.value <= context.now) {
    context.report(own.until.at, {
      severity: "warning",
      code: "expired",
      message: "this time has passed, so the link has expired",
      hint: "write a later one, or take the link out",
    });
  }
  const resolved = own.target === undefined ? null : resolveTarget(own.target, around.services, context);
  if (resolved === null) return null;
  if (own.tls !== undefined && resolved.target.kind !== "https") {
    const message = `"tls" is for https targets, and this one is ${quoted(printTarget(resolved.target))}`;
    context.report(own.tls.at, { code: "conflict", message });
  }

  const ttlMs = own.ttl ?? defaults.ttl;
  const endless = source === "file" ? null : ONE_OFF_TTL_MS;
  const auth = own.auth?.value ?? defaults.auth?.value;
  const tls = own.tls?.value ?? (resolved.target.kind === "https" ? defaults.tls?.value : undefined);
  return {
    name,
    source,
    ...resolved,
    ttlMs: own.until !== undefined ? null : ttlMs === undefined ? endless : ttlMs.value,
    until: own.until?.value ?? null,
    maxUses: (own.max_uses ?? defaults.max_uses)?.value ?? null,
    policy: policyOf(own, defaults),
    auth: {
      basicFile: auth?.basic?.value.file?.value ?? null,
      bearerFile: auth?.bearer?.value.token_file?.value ?? null,
    },
    host: (own.host ?? defaults.host)?.value ?? "target",
    headers: (own.headers ?? defaults.headers)?.value ?? null,
    timeoutMs: (own.timeout ?? defaults.timeout)?.value ?? 60_000,
    holdMs: (own.hold ?? defaults.hold)?.value ?? 0,
    drainMs: (own.drain ?? defaults.drain)?.value ?? 5_000,
    subdomain: own.subdomain?.value ?? null,
    domain: own.domain?.value ?? null,
    inspect: (own.inspect ?? defaults.inspect)?.value ?? "heads",
    inspectLast: (own.inspect_last ?? defaults.inspect_last)?.value ?? INSPECT_LAST,
    inspectRedact: [...(own.inspect_redact ?? defaults.inspect_redact)?.value ?? []],
    tls: tls === undefined ? null : tlsOf(tls),
    ...context.place(at),
    lines: linesOf(own, defaults, context),
  };
}

function policyOf(own: LinkValues, defaults: DefaultValues): PolicySpec {
  const auth = (own.auth ?? defaults.auth)?.value;
  const methods = (own.methods ?? defaults.methods)?.value;
  const paths = (own.paths ?? defaults.paths)?.value;
  const allowIps = (own.allow_ips ?? defaults.allow_ips)?.value;
  return {
    methods: methods === undefined ? null : [...new Set(methods)],
    paths: paths === undefined ? null : [...paths],
    rate: [...(own.rate ?? defaults.rate)?.value ?? []],
    auth: auth !== undefined,
    basic: auth?.basic !== undefined,
    bearer: auth?.bearer !== undefined,
    allowIps: allowIps === undefined ? null : [...new Set(allowIps)],
    maxBody: (own.max_body ?? defaults.max_body)?.value ?? null,
    maxStreams: (own.max_streams ?? defaults.max_streams)?.value ?? null,
    upgrade: [...new Set((own.upgrade ?? defaults.upgrade)?.value ?? ["websocket"])],
    shadow: (own.shadow ?? defaults.shadow)?.value ?? false,
  };
}

function tlsOf(tls: NonNullable<LinkValues["tls"]>["value"]): TargetTls {
  return {
    caFile: tls.ca_file?.value ?? null,
    serverName: tls.server_name?.value ?? null,
    insecure: tls.insecure?.value ?? false,
  };
}

function linesOf(own: LinkValues, defaults: DefaultValues, context: Context): Map<string, number> {
  const all: Readonly<Record<string, Found<unknown> | undefined>> = { ...defaults, ...own };
  const lines = new Map<string, number>();
  for (const [key, found] of Object.entries(all)) {
    if (found !== undefined) lines.set(key, context.place(found.key ?? found.at).line);
  }
  return lines;
}

/** A service's name or a target; a service that is declared goes first. */
function resolveTarget(
  { value: text, at }: Found<string>,
  services: Services,
  context: Context,
): { target: Target; service: string | null } | null {
  if (services.declared.has(text)) {
    const service = services.known.get(text);
    if (service === undefined) return null;
    if (service.target.kind === "tcp") {
      context.report(at, {
        code: "bad_target",
        message: `the service ${quoted(text)} is no HTTP service`,
        hint: HTTP_ONLY,
      });
    } else if (service.access === "private") {
      const message = `the service ${quoted(text)} is private, and a link would make it public`;
      context.report(at, {
        code: "conflict",
        message,
        hint: "take `access: private` away if anybody may reach it",
      });
    }
    return { target: service.target, service: text };
  }
  if (isName(text) && text !== "echo") {
    context.report(at, {
      code: "unknown_service",
      message: `there is no service ${quoted(text)}`,
      hint() {
        const close = nearest(text, services.declared);
        return close === null
          ? "declare it under services, or write a target such as localhost:3000"
          : `did you mean "${close}"?`;
      },
    });
    return null;
  }
  const target = readTarget(text, at, context);
  if (target === null) return null;
  if (target.kind === "tcp") {
    context.report(at, {
      code: "bad_target",
      message: "a link leads to HTTP, never to raw TCP",
      hint: HTTP_ONLY,
    });
    return null;
  }
  return { target, service: null };
}

const HTTP_ONLY = "raw TCP is for services with access: private";

/** Parses a target; the path of a unix one is resolved. Reports what is wrong and returns null. */
export function readTarget(text: string, at: At, context: Context): Target | null {
  try {
    const target = parseTarget(text);
    return target.kind === "unix" ? { kind: "unix", path: resolvePath(target.path, context) } : target;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    context.report(at, { code: "bad_target", message: error.message });
    return null;
  }
}

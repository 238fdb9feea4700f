/** What a hub is told by hub.yaml and flags, as one value: what changes between two of them, and what may. */
import type { TlsFiles } from "../config/hub.ts";
import { printListen } from "../config/places.ts";
import { Failure } from "../core/errors.ts";
import type { ServerLimits } from "../core/limits.ts";
import { type SettingChange, settingChanges, type SettingTexts } from "../core/settings.ts";
import { printDuration, printSize } from "../core/units.ts";
import { type AllWorkspaceLimits, UNLIMITED, workspaceLimitTexts } from "../core/workspace_limits.ts";
import type { ListenAddress } from "../config/places.ts";

export interface HubSettings {
  /** Null: 127.0.0.1:8080, or a free port where that is taken. */
  readonly listen: ListenAddress | null;
  /** Links are `<id>.<domain>`. Null: the host of `publicUrl`, else localhost. */
  readonly domain: string | null;
  /** The origin of API and tunnel. Null: the domain, on the port that is bound. */
  readonly publicUrl: string | null;
  /** The files of the certificate; absent or null: visitors come in the clear. */
  readonly tls?: TlsFiles | null;
  /** The path of the store; absent: whoever starts the hub knows. */
  readonly storePath?: string;
  /** Addresses and blocks. */
  readonly trustedProxies: readonly string[];
  /** Every connection comes by one of them and begins with the PROXY protocol; absent: none does. */
  readonly proxyProtocol?: boolean;
  readonly limits: ServerLimits;
  /** Absent: no workspace has a limit of its own. */
  readonly workspaces?: AllWorkspaceLimits;
  /** How long records of the audit trail are kept; absent or null: a year. */
  readonly keepAuditMs?: number | null;
  /** How long lines of the access log in `state` are kept; absent: 30 days; null: none is written. */
  readonly keepAccessMs?: number | null;
}

/** A setting that can not be carried out while the hub runs. */
export class Unchangeable extends Failure {
  constructor(readonly key: string, message: string, hint: string, cause?: unknown) {
    super(message, { hint, permanent: true, ...(cause === undefined ? {} : { cause }) });
  }
}

const DEFAULT = "the default";

/** What differs, in the order of hub.yaml. */
export function changesOf(before: HubSettings, after: HubSettings): SettingChange[] {
  return settingChanges(settingTexts(before), settingTexts(after));
}

/** Throws Unchangeable for the first of `changes` that has to wait for a restart. `links`: so many run. */
export function checkChanges(changes: readonly SettingChange[], links: number): void {
  for (const { key } of changes) {
    if (key === "store") {
      const hint = "restart the hub to use another one";
      throw new Unchangeable(key, "the store can not change while the hub runs", hint);
    }
    if (key === "proxy_protocol") {
      const hint = "restart the hub together with the proxies before it";
      throw new Unchangeable(key, "who is connected speaks as before, and the listener can not tell", hint);
    }
    if ((key === "domain" || key === "public_url") && links > 0) {
      const run = links === 1 ? "1 link runs" : `${links} links run`;
      throw new Unchangeable(
        key,
        `${run}, and would have another URL`,
        "restart the hub to change it: links keep their ids, and their daemons have to dial the new public_url",
      );
    }
  }
}

/** Every setting as hub.yaml would have it. */
function settingTexts(settings: HubSettings): SettingTexts {
  const { listen, domain, publicUrl, storePath, trustedProxies, limits } = settings;
  const { tls = null, proxyProtocol = false } = settings;
  const { keepAuditMs = null, keepAccessMs, workspaces = UNLIMITED } = settings;
  return {
    listen: listen === null ? DEFAULT : printListen(listen),
    domain: domain ?? DEFAULT,
    public_url: publicUrl ?? DEFAULT,
    tls: tls === null ? "none" : `${tls.cert}, ${tls.key}`,
    store: storePath ?? DEFAULT,
    trusted_proxies: trustedProxies.length === 0 ? "none" : trustedProxies.join(", "),
    proxy_protocol: String(proxyProtocol),
    "limits.connections": String(limits.connections),
    "limits.per_address": String(limits.perAddress),
    "limits.sessions": String(limits.sessions),
    "limits.streams_per_session": String(limits.streamsPerSession),
    "limits.head": printSize(limits.head),
    "limits.fields": String(limits.fields),
    "limits.target": printSize(limits.target),
    "limits.head_timeout": printDuration(limits.headTimeoutMs),
    "limits.body_idle": printDuration(limits.bodyIdleMs),
    "limits.keep_alive": printDuration(limits.keepAliveMs),
    ...prefixed("limits.workspace.", workspaceLimitTexts(workspaces.each)),
    workspaces: printNamed(workspaces),
    "keep.audit": keepAuditMs === null ? DEFAULT : printDuration(keepAuditMs),
    "keep.access_log": keepAccessMs === undefined
      ? DEFAULT
      : keepAccessMs === null
      ? "none"
      : printDuration(keepAccessMs),
  };
}

/** `acme: links 1000, requests none; other: …`. */
function printNamed({ named }: AllWorkspaceLimits): string {
  const texts = [...named].map(([name, limits]) => {
    const said = Object.entries(workspaceLimitTexts(limits)).map(([key, text]) => `${key} ${text}`);
    return `${name}: ${said.join(", ")}`;
  });
  return texts.join("; ") || "none";
}

function prefixed(prefix: string, texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [prefix + key, text]));
}

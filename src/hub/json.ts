/** Links and sessions in JSON (product §5, interfaces: APIs), for API, events and pages. */
import { time } from "../api/call.ts";
import { policyJson } from "../core/policy.ts";
import type { DaemonConnection } from "./connection.ts";
import type { HubLink } from "./link.ts";
import type { HubState } from "./state.ts";

/** A link. What only its daemon knows is null. */
export function linkJson(link: HubLink, hub: Pick<HubState, "id" | "clock" | "hosts" | "domains">) {
  const { record, counters } = link;
  const state = link.stateAt(hub.clock.now());
  const url = hub.hosts().urlOf(record.id);
  return {
    name: record.name,
    id: record.id,
    url,
    urls: [{ hub: hub.id, id: record.id, url, state, lastError: null }],
    domain: hub.domains.grantFor(link),
    target: null,
    state,
    service: record.service,
    source: record.source,
    activatedAt: time(record.activatedAt),
    expiresAt: time(record.expiresAt),
    revokedAt: time(record.revokedAt),
    policy: link.policy === null ? null : policyJson(link.policy.spec),
    counters: { ...counters, denied: { ...counters.denied } },
    lastError: hub.domains.grantFor(link)?.message ?? null,
    daemon: record.daemon,
    workspace: record.workspace,
  };
}

/** A session that has said hello. */
export function sessionJson({ id, identity, hello, session, address, since }: DaemonConnection): unknown {
  return {
    id,
    daemon: hello!.daemon,
    instance: hello!.instance,
    connection: hello!.connection,
    software: hello!.software,
    workspace: identity.workspace,
    token: identity.name,
    address,
    since: time(since),
    rttMs: session.rttMs,
    streams: session.streams,
  };
}

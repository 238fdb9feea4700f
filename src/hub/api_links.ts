/** Links and sessions in the API. */
import { policyJson } from "../core/policy.ts";
import { notFound, page, time } from "../api/call.ts";
import { pageOf, PAGING } from "../api/documentation.ts";
import { actorOf, type ApiContext, type Operation, READERS } from "./api_operation.ts";
import { ID, LINK, SESSION } from "./api_schemas.ts";
import type { DaemonConnection } from "./connection.ts";
import type { HubLink } from "./link.ts";
import type { HubState } from "./state.ts";

/** The operations on links and sessions. */
export function linkRoutes(state: HubState): Operation[] {
  return [
    {
      method: "GET",
      path: "/v1/links",
      summary: "The links of the workspace, by name",
      query: PAGING,
      answers: { 200: { doc: "One page.", schema: pageOf(LINK) } },
      problems: [422],
      scopes: READERS,
      run(context) {
        const { workspace } = context.var.caller;
        const links = [...state.names.all()].filter((link) => link.record.declared && isIn(link, workspace));
        links.sort((a, b) => keyOf(a) < keyOf(b) ? -1 : 1);
        return page(context, links, keyOf, (link) => printLink(link, state));
      },
    },
    {
      method: "GET",
      path: "/v1/links/:id",
      summary: "One link",
      params: { id: ID },
      answers: { 200: { doc: "The link.", schema: LINK } },
      problems: [404],
      scopes: READERS,
      run: (context) => context.json(printLink(find(context, state), state)),
    },
    {
      method: "DELETE",
      path: "/v1/links/:id",
      summary: "Revoke a link for good; again changes nothing",
      params: { id: ID },
      answers: { 200: { doc: "The link as it is now.", schema: LINK } },
      problems: [404, 503],
      scopes: ["admin", "daemon", "member"],
      async run(context) {
        const link = find(context, state);
        await state.names.revoke(link, actorOf(context));
        return context.json(printLink(link, state));
      },
    },
    {
      method: "GET",
      path: "/v1/sessions",
      summary: "The daemons' connections to this hub",
      query: PAGING,
      answers: { 200: { doc: "One page.", schema: pageOf(SESSION) } },
      problems: [422],
      scopes: READERS,
      run(context) {
        const sessions = state.sessions.list(context.var.caller.workspace).filter(({ hello }) =>
          hello !== null
        );
        sessions.sort((a, b) => a.id < b.id ? -1 : 1);
        return page(context, sessions, ({ id }) => id, printSession);
      },
    },
  ];
}

/** Names first, for people; the id tells links of one name apart. */
function keyOf({ record }: HubLink): string {
  return `${record.name} ${record.id}`;
}

function isIn({ record }: HubLink, workspace: string | null): boolean {
  return workspace === null || record.workspace === workspace;
}

function find(context: ApiContext, { names }: HubState): HubLink {
  const id = context.req.param("id")!;
  const link = names.find(id);
  if (link === undefined || !link.record.declared || !isIn(link, context.var.caller.workspace)) {
    throw notFound("link", id);
  }
  return link;
}

/** A link in JSON (product §5, interfaces: APIs). What only its daemon knows is null. */
function printLink(link: HubLink, hub: HubState): unknown {
  const { record, counters } = link;
  const state = link.stateAt(hub.clock.now());
  const url = hub.hosts().urlOf(record.id);
  return {
    name: record.name,
    id: record.id,
    url,
    urls: [{ hub: hub.id, id: record.id, url, state, lastError: null }],
    target: null,
    state,
    source: null,
    activatedAt: null,
    expiresAt: time(record.expiresAt),
    revokedAt: time(record.revokedAt),
    policy: link.policy === null ? null : policyJson(link.policy.spec),
    counters,
    lastError: null,
    daemon: record.daemon,
    workspace: record.workspace,
  };
}

function printSession({ id, identity, hello, session, address, since }: DaemonConnection): unknown {
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

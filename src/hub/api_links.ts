/** Links and sessions in the API. */
import { notFound, page } from "../api/call.ts";
import { etagOf, heedIfMatch, IF_MATCH_HEEDED } from "../api/etag.ts";
import { pageOf, PAGING } from "../api/documentation.ts";
import { actorOf, type ApiContext, CHANGERS, type Operation, READERS } from "./api_operation.ts";
import { ID, LINK, SESSION } from "./api_schemas.ts";
import { linkJson, sessionJson } from "./json.ts";
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
        return page(context, links, keyOf, (link) => linkJson(link, state));
      },
    },
    {
      method: "GET",
      path: "/v1/links/:id",
      summary: "One link",
      params: { id: ID },
      answers: { 200: { doc: "The link, with its ETag.", schema: LINK } },
      problems: [404],
      scopes: READERS,
      run: (context) => taggedLink(context, findLink(context, state), state),
    },
    {
      method: "DELETE",
      path: "/v1/links/:id",
      summary: "Revoke a link for good; again changes nothing",
      params: { id: ID },
      fields: IF_MATCH_HEEDED,
      answers: { 200: { doc: "The link as it is now, with its ETag.", schema: LINK } },
      problems: [404, 412, 503],
      scopes: CHANGERS,
      async run(context) {
        const link = findLink(context, state);
        // What is done already is not asked about: whoever had no answer asks again as before.
        if (link.record.ended !== "link_revoked") heedIfMatch(context, linkTag(link, state));
        await state.names.revoke(link, actorOf(context));
        return taggedLink(context, link, state);
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
        return page(context, sessions, ({ id }) => id, sessionJson);
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

/** The link that the call names, where the caller may know of it. Throws ApiProblem. */
export function findLink(context: ApiContext, { names }: HubState): HubLink {
  const id = context.req.param("id")!;
  const link = names.find(id);
  if (link === undefined || !link.record.declared || !isIn(link, context.var.caller.workspace)) {
    throw notFound("link", id);
  }
  return link;
}

/** The tag of a link: of what is said about it. What it counts and whether its daemon is there are no changes of it. */
export function linkTag(link: HubLink, state: HubState): string {
  const { counters: _, urls: _urls, state: now, ...said } = linkJson(link, state);
  return etagOf({ ...said, ended: now === "revoked" || now === "expired" ? now : null });
}

/** Answers with a link and its tag. */
export function taggedLink(context: ApiContext, link: HubLink, state: HubState): Response {
  return context.json(linkJson(link, state), 200, { ETag: linkTag(link, state) });
}

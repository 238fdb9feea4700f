/** Changes of links in the hub's API: their daemon makes them. */
import { readObject, readOptionalObject } from "../api/call.ts";
import { object, type Schema } from "../api/documentation.ts";
import { checkIfMatch, heedIfMatch, IF_MATCH, IF_MATCH_HEEDED } from "../api/etag.ts";
import { findLink, linkTag, taggedLink } from "./api_links.ts";
import { IDEMPOTENCY } from "./api_once.ts";
import { askerOf, CHANGERS, type Operation } from "./api_operation.ts";
import { ID, LINK, NAME } from "./api_schemas.ts";
import { linkJson } from "./json.ts";
import type { HubState } from "./state.ts";

const TEXT: Schema = { type: "string" };
const TEXTS: Schema = { type: "array", items: TEXT, minItems: 1, maxItems: 1000 };

/** Of `links.yaml`, what a hub may say of a link; the daemon reads it. */
const KEYS = {
  ttl: { ...TEXT, description: "Life from now on: `1h`, or `never`. Absent: 24h." },
  until: { type: "string", format: "date-time", description: "When it ends, instead of `ttl`." },
  maxUses: { type: "integer", minimum: 1 },
  methods: TEXTS,
  paths: TEXTS,
  rate: { type: ["string", "integer", "array"], items: { type: ["string", "integer"] } },
  allowIps: TEXTS,
  maxBody: { type: ["string", "integer"] },
  maxStreams: { type: "integer", minimum: 1 },
  upgrade: { type: ["array", "boolean"], items: TEXT },
  timeout: TEXT,
} satisfies Record<string, Schema>;

const WISH: Schema = {
  title: "LinkWish",
  ...object({
    service: { ...NAME, description: "A service whose daemon lets hubs make links to it." },
    daemon: {
      type: "string",
      description: "Whose service it is; needed where two connected daemons have it.",
    },
    name: { ...NAME, description: "Absent: the service's." },
    subdomain: TEXT,
    ...KEYS,
  }, ["daemon", "name", "subdomain", ...Object.keys(KEYS)]),
};

const EDIT: Schema = {
  title: "LinkEdit",
  ...object(
    Object.fromEntries(Object.entries(KEYS).map(([key, schema]) => [key, orNull(schema)])),
    Object.keys(KEYS),
  ),
  description: "What is null is taken away; what is absent stays.",
  minProperties: 1,
};

const RENEWAL = object({
  ttl: { ...TEXT, description: "From now on: `1h`, or `never`. Absent: what the link says." },
  newId: { type: "boolean", description: "`true`: a new public id; the old one stays 410." },
}, ["ttl", "newId"]);

/** The operations that a daemon carries out. */
export function manageRoutes(state: HubState): Operation[] {
  const { desk } = state, params = { id: ID };
  return [
    {
      method: "POST",
      path: "/v1/links",
      summary: "Have a daemon make a link to one of its services",
      fields: IDEMPOTENCY,
      body: { schema: WISH },
      answers: { 201: { doc: "The link, with its ETag; Location is its path.", schema: LINK } },
      problems: [409, 503],
      scopes: CHANGERS,
      creates: true,
      async run(context) {
        const link = await desk.manage.create(
          await readObject(context),
          askerOf(context),
          context.var.draw,
        );
        return context.json(linkJson(link, state), 201, {
          Location: `/v1/links/${link.id}`,
          ETag: linkTag(link, state),
        });
      },
    },
    {
      method: "PATCH",
      path: "/v1/links/:id",
      summary: "Change what a link says, as a JSON merge patch (RFC 7396)",
      params,
      fields: IF_MATCH,
      body: { schema: EDIT },
      answers: { 200: { doc: "The link as it is now, with its ETag.", schema: LINK } },
      problems: [404, 409, 412, 428, 503],
      scopes: CHANGERS,
      async run(context) {
        const link = findLink(context, state);
        const body = await readObject(context);
        await desk.manage.edit(
          link,
          body,
          askerOf(context),
          () => checkIfMatch(context, linkTag(link, state)),
        );
        return taggedLink(context, link, state);
      },
    },
    {
      method: "POST",
      path: "/v1/links/:id/renew",
      summary: "Begin the life of a link anew, whether it ended or not",
      params,
      fields: IF_MATCH_HEEDED,
      body: { schema: RENEWAL, optional: true },
      answers: { 200: { doc: "The link as it is now, with its ETag.", schema: LINK } },
      problems: [404, 409, 412, 503],
      scopes: CHANGERS,
      async run(context) {
        const link = findLink(context, state);
        const wish = await readOptionalObject(context);
        const check = () => heedIfMatch(context, linkTag(link, state));
        return taggedLink(context, await desk.manage.renew(link, wish, askerOf(context), check), state);
      },
    },
  ];
}

function orNull({ type, ...schema }: Schema): Schema {
  return { type: [type, "null"].flat(), ...schema };
}

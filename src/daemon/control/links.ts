/** Links in the control API. */
import type { Context } from "hono";
import type { CallEnv, Operation } from "../../api/app.ts";
import { notFound, page, readObject, readOptionalObject } from "../../api/call.ts";
import { object, pageOf, PAGING } from "../../api/documentation.ts";
import { lifetime } from "../../config/values.ts";
import { parseDuration } from "../../core/units.ts";
import type { Renewal } from "../renewal.ts";
import { callerOf } from "./caller.ts";
import { checkMembers, isFlag } from "./members.ts";
import { LINK, LINK_NAME, LINK_WISH } from "./schemas.ts";
import type { ControlState } from "./state.ts";

/** The operations on links. */
export function linkOperations(state: ControlState): Operation<CallEnv>[] {
  const named = (context: Context<CallEnv>) => {
    const name = context.req.param("name")!;
    const link = state.link(name);
    if (link === undefined) throw notFound("link", name);
    return link;
  };
  const params = { name: LINK_NAME };
  return [
    {
      method: "GET",
      path: "/v1/links",
      summary: "All links, by name",
      query: PAGING,
      answers: { 200: { doc: "One page.", schema: pageOf(LINK) } },
      problems: [422],
      run: (context) => page(context, state.links(), ({ name }) => name, (link) => link),
    },
    {
      method: "GET",
      path: "/v1/links/:name",
      summary: "One link",
      params,
      answers: { 200: { doc: "The link.", schema: LINK } },
      problems: [404],
      run: (context) => context.json(named(context)),
    },
    {
      method: "POST",
      path: "/v1/links",
      summary: "Make a link that no file names",
      body: { schema: LINK_WISH },
      answers: { 201: { doc: "The link; Location is its path.", schema: LINK } },
      problems: [409, 503],
      async run(context) {
        const link = await state.create(await readObject(context), callerOf(context));
        return context.json(link, 201, { Location: `/v1/links/${link.name}` });
      },
    },
    {
      method: "DELETE",
      path: "/v1/links/:name",
      summary: "Revoke a link for good; again changes nothing",
      params,
      answers: { 200: { doc: "The link as it is now.", schema: LINK } },
      problems: [404, 503],
      run: async (context) => context.json(await state.revoke(named(context).name, callerOf(context))),
    },
    {
      method: "POST",
      path: "/v1/links/:name/renew",
      summary: "Begin the life of a link anew, whether it ended or not",
      params,
      body: { schema: RENEWAL, optional: true },
      answers: { 200: { doc: "The link as it is now.", schema: LINK } },
      problems: [404, 503],
      async run(context) {
        const wish = readRenewal(await readOptionalObject(context));
        return context.json(await state.renew(named(context).name, wish, callerOf(context)));
      },
    },
  ];
}

const RENEWAL = object({
  ttl: {
    type: "string",
    pattern: lifetime.shape.pattern,
    description: "From now on: `1h`, or `never`. Absent: what the link says; one with `until` needs it.",
  },
  newId: { type: "boolean", description: "`true`: a new public id; the old one stays 410." },
}, ["ttl", "newId"]);

/** `{ttl?, newId?}`. Throws ApiProblem. */
export function readRenewal(body: Record<string, unknown>): Renewal {
  let ttlMs: number | null | undefined;
  checkMembers(body, {
    newId: isFlag,
    ttl(value) {
      if (typeof value !== "string") return "is no text such as 1h";
      try {
        ttlMs = parseDuration(value);
        return ttlMs === 0 ? "is over as it begins" : null;
      } catch (error) {
        return (error as Error).message;
      }
    },
  });
  return {
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(body.newId === undefined ? {} : { newId: body.newId as boolean }),
  };
}

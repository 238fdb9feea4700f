/** Shares in the hub's API. */
import { notFound, page, readObject } from "../api/call.ts";
import { object, pageOf, PAGING, type Schema, TIME } from "../api/documentation.ts";
import { etagOf, heedIfMatch, IF_MATCH_HEEDED } from "../api/etag.ts";
import { IDEMPOTENCY } from "./api_once.ts";
import { actorOf, type ApiContext, CHANGERS, type Operation, READERS } from "./api_operation.ts";
import { ID } from "./api_schemas.ts";
import { invalid } from "./services.ts";
import { memberOf, shareJson, type ShareRecord } from "./share.ts";
import type { Sharer } from "./shares.ts";
import type { HubState } from "./state.ts";

const TEXT: Schema = { type: "string" };
const MOMENT: Schema = { type: "string", format: "date-time" };
const SERVICES: Schema = { type: "array", items: object({ daemon: TEXT, name: TEXT }) };

const MEMBERS = {
  id: TEXT,
  workspace: TEXT,
  services: SERVICES,
  requireApproval: { type: "boolean" },
  by: { ...TEXT, description: "The name of the token that made it." },
  state: { type: "string", enum: ["active", "expired", "ended"] },
  createdAt: MOMENT,
  expiresAt: MOMENT,
  endedAt: { ...TIME, description: "Null: it was not ended before its time." },
  members: {
    type: "array",
    items: object({
      token: { ...TEXT, description: "The id of their token." },
      name: { ...TEXT, description: "Its name." },
      state: { type: "string", enum: ["waiting", "approved"] },
      joinedAt: MOMENT,
    }),
  },
};

const SHARE: Schema = { title: "Share", ...object(MEMBERS) };

const NEW_SHARE: Schema = {
  title: "NewShare",
  ...object({ ...MEMBERS, code: { ...TEXT, description: "What to join with: shown this once." } }),
};

const JOINED: Schema = {
  title: "JoinedShare",
  ...object({
    id: TEXT,
    state: { type: "string", enum: ["waiting", "approved"] },
    expiresAt: MOMENT,
    services: { ...SERVICES, description: "What may be reached now; none while the approval is waited for." },
  }),
};

const WISH: Schema = {
  title: "ShareWish",
  ...object({
    services: {
      type: "array",
      items: {
        ...TEXT,
        description: "The name of a private service; `DAEMON/NAME` where two daemons have it.",
      },
      minItems: 1,
      maxItems: 100,
    },
    expires: { type: ["string", "null"], description: "As in `8h`, up to 30d. Absent: 24h." },
    requireApproval: {
      type: "boolean",
      description: "`true`: who joins waits until the maker lets them in.",
    },
  }, ["expires", "requireApproval"]),
};

/** The operations on shares. */
export function shareRoutes({ desk, clock }: HubState): Operation[] {
  const found = (context: ApiContext, share: ShareRecord | null): ShareRecord => {
    if (share === null) throw notFound("share", context.req.param("id")!);
    return share;
  };
  const checkOf = (context: ApiContext) => (share: ShareRecord) =>
    heedIfMatch(context, etagOf(shareJson(share, clock.now())));
  const tagged = (context: ApiContext, share: ShareRecord) => {
    const json = shareJson(share, clock.now());
    return context.json(json, 200, { ETag: etagOf(json) });
  };
  return [
    {
      method: "GET",
      path: "/v1/shares",
      summary: "The shares of the workspace, by when they were made; without their codes",
      query: PAGING,
      answers: { 200: { doc: "One page.", schema: pageOf(SHARE) } },
      problems: [422],
      scopes: READERS,
      run: (context) =>
        page(
          context,
          desk.shares.list(context.var.caller.workspace),
          keyOf,
          (share) => shareJson(share, clock.now()),
        ),
    },
    {
      method: "POST",
      path: "/v1/shares",
      summary: "Give a code for private services",
      fields: IDEMPOTENCY,
      body: { schema: WISH },
      answers: { 201: { doc: "The share with its code; Location is its path.", schema: NEW_SHARE } },
      problems: [409, 503],
      scopes: CHANGERS,
      creates: true,
      async run(context) {
        const { share, code } = await desk.shares.create(
          await readObject(context),
          sharerOf(context),
          context.var.draw,
        );
        return context.json({ ...shareJson(share, clock.now()), code }, 201, {
          Location: `/v1/shares/${share.id}`,
        });
      },
    },
    {
      method: "GET",
      path: "/v1/shares/:id",
      summary: "One share",
      params: { id: ID },
      answers: { 200: { doc: "The share, with its ETag.", schema: SHARE } },
      problems: [404],
      scopes: READERS,
      run(context) {
        const share = desk.shares.find(context.req.param("id")!, context.var.caller.workspace);
        return tagged(context, found(context, share));
      },
    },
    {
      method: "POST",
      path: "/v1/shares/join",
      summary: "Become a member of a share; again changes nothing",
      body: { schema: object({ code: TEXT }) },
      answers: { 200: { doc: "What may be reached.", schema: JOINED } },
      problems: [404, 409, 503],
      scopes: ["admin", "member"],
      async run(context) {
        const { code } = onlyMember(await readObject(context), "code");
        const { token, name, scope, workspace } = context.var.caller;
        const share = await desk.shares.join(code, {
          ...{ token, scope, name: name ?? "", workspace: workspace ?? "" },
        });
        const approved = memberOf(share, token!)!.approvedAt !== null;
        return context.json({
          id: share.id,
          state: approved ? "approved" : "waiting",
          expiresAt: new Date(share.expiresAt).toISOString(),
          services: approved ? share.services : [],
        });
      },
    },
    {
      method: "POST",
      path: "/v1/shares/:id/approve",
      summary: "Let in a member who waits; again changes nothing",
      params: { id: ID },
      fields: IF_MATCH_HEEDED,
      body: { schema: object({ member: { ...TEXT, description: "The name or the id of their token." } }) },
      answers: { 200: { doc: "The share as it is now, with its ETag.", schema: SHARE } },
      problems: [404, 409, 412, 503],
      scopes: CHANGERS,
      async run(context) {
        const { member } = onlyMember(await readObject(context), "member");
        const id = context.req.param("id")!;
        const share = await desk.shares.approve(id, member, sharerOf(context), checkOf(context));
        return tagged(context, found(context, share));
      },
    },
    {
      method: "DELETE",
      path: "/v1/shares/:id",
      summary: "End a share for everybody who joined; again changes nothing",
      params: { id: ID },
      fields: IF_MATCH_HEEDED,
      answers: { 200: { doc: "The share as it is now, with its ETag.", schema: SHARE } },
      problems: [404, 412, 503],
      scopes: CHANGERS,
      async run(context) {
        const id = context.req.param("id")!;
        const share = await desk.shares.end(id, sharerOf(context), checkOf(context));
        return tagged(context, found(context, share));
      },
    },
  ];
}

/** In the order in which they were made. */
function keyOf({ createdAt, id }: ShareRecord): string {
  return `${String(createdAt).padStart(16, "0")} ${id}`;
}

function sharerOf(context: ApiContext): Sharer {
  const { token, workspace, scope } = context.var.caller;
  return { token, workspace, admin: scope === "admin", actor: actorOf(context) };
}

/** A body of this one member, a text. Throws ApiProblem. */
function onlyMember<Name extends string>(body: Record<string, unknown>, name: Name): Record<Name, string> {
  const unknown = Object.keys(body).find((member) => member !== name);
  if (unknown !== undefined) throw invalid(`/${unknown}`, "is not known");
  if (typeof body[name] !== "string") throw invalid(`/${name}`, "is needed: a text");
  return body as Record<Name, string>;
}

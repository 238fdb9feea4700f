/** Tokens in the API, for admins and for whoever sits at the hub. */
import { isName, NO_NAME } from "../core/names.ts";
import { parseDuration } from "../core/units.ts";
import { notFound, page, readObject, readOptionalObject, time } from "../api/call.ts";
import { pageOf, PAGING } from "../api/documentation.ts";
import { etagOf, heedIfMatch, IF_MATCH_HEEDED } from "../api/etag.ts";
import { ApiProblem, type BodyError } from "../api/problem.ts";
import { IDEMPOTENCY } from "./api_once.ts";
import { actorOf, type ApiContext, type Operation } from "./api_operation.ts";
import { ID, NEW_TOKEN, ROTATION, TOKEN, TOKEN_WISH } from "./api_schemas.ts";
import type { HubState } from "./state.ts";
import { type Scope, SCOPES, TokenConflict, type TokenRecord } from "./tokens.ts";
import type { TokenWish } from "./token_wish.ts";

const ADMIN: readonly Scope[] = ["admin"];

/** Where there is one workspace, it has this name. */
export const DEFAULT_WORKSPACE = "default";

/** A replaced secret is good so long unless it is said: time to carry the new one to where it is needed. */
export const OVERLAP_MS = 3_600_000;

/** The operations on tokens. */
export function tokenRoutes({ tokens }: HubState): Operation[] {
  return [
    {
      method: "GET",
      path: "/v1/tokens",
      summary: "The tokens of the workspace, without their secrets",
      query: PAGING,
      answers: { 200: { doc: "One page.", schema: pageOf(TOKEN) } },
      problems: [422],
      scopes: ADMIN,
      run: (context) => page(context, tokens.list(context.var.caller.workspace), keyOf, printToken),
    },
    {
      method: "POST",
      path: "/v1/tokens",
      summary: "Make a token",
      fields: IDEMPOTENCY,
      creates: true,
      body: { schema: TOKEN_WISH },
      answers: { 201: { doc: "The token with its secret; Location is its path.", schema: NEW_TOKEN } },
      problems: [409, 503],
      scopes: ADMIN,
      async run(context) {
        const wish = readWish(await readObject(context), context.var.caller.workspace);
        const { token, record } = await orConflict(() =>
          tokens.create(wish, actorOf(context), context.var.draw)
        );
        return context.json({ ...printToken(record), token: token.expose() }, 201, {
          Location: `/v1/tokens/${record.id}`,
        });
      },
    },
    {
      method: "POST",
      path: "/v1/tokens/:id/rotate",
      summary: "Give a token another secret; the old one is good for a while",
      params: { id: ID },
      fields: IF_MATCH_HEEDED,
      body: { schema: ROTATION, optional: true },
      answers: { 200: { doc: "The token with its new secret, and its ETag.", schema: NEW_TOKEN } },
      problems: [404, 409, 412, 503],
      scopes: ADMIN,
      async run(context) {
        const overlapMs = readOverlap(await readOptionalObject(context));
        const id = context.req.param("id")!, { workspace } = context.var.caller;
        const rotated = await orConflict(() =>
          tokens.rotate(id, overlapMs, workspace, actorOf(context), checkOf(context))
        );
        if (rotated === null) throw notFound("token", id);
        const { record, token } = rotated;
        return context.json({ ...printToken(record), token: token.expose() }, 200, { ETag: tagOf(record) });
      },
    },
    {
      method: "GET",
      path: "/v1/tokens/:id",
      summary: "One token, without its secret",
      params: { id: ID },
      answers: { 200: { doc: "The token, with its ETag.", schema: TOKEN } },
      problems: [404],
      scopes: ADMIN,
      run(context) {
        const id = context.req.param("id")!;
        const record = tokens.list(context.var.caller.workspace).find((token) => token.id === id);
        if (record === undefined) throw notFound("token", id);
        return context.json(printToken(record), 200, { ETag: tagOf(record) });
      },
    },
    {
      method: "DELETE",
      path: "/v1/tokens/:id",
      summary: "Revoke a token; sessions with it end",
      params: { id: ID },
      fields: IF_MATCH_HEEDED,
      answers: { 200: { doc: "The token as it is now, with its ETag.", schema: TOKEN } },
      problems: [404, 409, 412, 503],
      scopes: ADMIN,
      async run(context: ApiContext) {
        const { workspace } = context.var.caller;
        const id = context.req.param("id")!;
        const record = await orConflict(() =>
          tokens.revoke(id, workspace, actorOf(context), checkOf(context))
        );
        if (record === null) throw notFound("token", id);
        return context.json(printToken(record), 200, { ETag: tagOf(record) });
      },
    },
  ];
}

/** The tag of a token; that it was used is no change of it. */
function tagOf(record: TokenRecord): string {
  const { lastUsedAt: _, ...said } = printToken(record);
  return etagOf(said);
}

function checkOf(context: ApiContext): (record: TokenRecord) => void {
  return (record) => heedIfMatch(context, tagOf(record));
}

/** What `act` gives; tokens that do not go together are 409. */
export async function orConflict<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof TokenConflict)) throw error;
    throw new ApiProblem(409, error.code, `${error.message}: ${error.hint}.`);
  }
}

function keyOf({ name, id }: TokenRecord): string {
  return `${name} ${id}`;
}

/** `{overlap?}` in ms. */
function readOverlap(body: Record<string, unknown>): number {
  const errors: BodyError[] = Object.keys(body).filter((member) => member !== "overlap")
    .map((member) => ({ pointer: `/${member}`, detail: "is not known" }));
  const { overlap = null } = body;
  let ms: number | null = OVERLAP_MS;
  try {
    if (overlap !== null) ms = parseDuration(String(overlap));
    if (ms === null) throw new SyntaxError("the old secret has to end: write a duration such as 1h");
  } catch (error) {
    errors.push({ pointer: "/overlap", detail: (error as Error).message });
  }
  if (errors.length === 0) return ms!;
  throw new ApiProblem(422, "invalid", "The token can not be rotated.", [], errors);
}

/** A token without its secret. */
export function printToken(record: TokenRecord) {
  const { id, name, scope, workspace, createdAt, expiresAt, revokedAt, rotatedAt, previous, lastUsedAt } =
    record;
  return {
    id,
    name,
    scope,
    workspace,
    createdAt: time(createdAt),
    expiresAt: time(expiresAt),
    revokedAt: time(revokedAt),
    rotatedAt: time(rotatedAt),
    previousEndsAt: time(previous === null ? null : previous.endsAt),
    lastUsedAt: time(lastUsedAt),
  };
}

/** `{scope, workspace?, name?, ttl?}`; an admin makes tokens of its own workspace only. */
export function readWish(body: Record<string, unknown>, own: string | null): TokenWish {
  const errors: BodyError[] = [];
  const wrong = (member: string, detail: string) => errors.push({ pointer: `/${member}`, detail });
  for (const member of Object.keys(body)) {
    if (!["scope", "workspace", "name", "ttl"].includes(member)) wrong(member, "is not known");
  }
  const { scope, workspace = own ?? DEFAULT_WORKSPACE, name = null, ttl = null } = body;
  if (!SCOPES.some((known) => known === scope)) wrong("scope", `is one of ${SCOPES.join(", ")}`);
  if (typeof workspace !== "string") wrong("workspace", "is no text");
  if (name !== null && typeof name !== "string") wrong("name", "is no text");
  let ttlMs: number | null = null;
  try {
    if (ttl !== null) ttlMs = parseDuration(String(ttl));
  } catch (error) {
    wrong("ttl", (error as Error).message);
  }
  for (const member of ["workspace", "name"] as const) {
    const text = member === "workspace" ? workspace : name;
    if (typeof text === "string" && !isName(text)) wrong(member, NO_NAME);
  }
  if (errors.length > 0) throw new ApiProblem(422, "invalid", "The token can not be made.", [], errors);
  if (own !== null && workspace !== own) {
    throw new ApiProblem(403, "forbidden", "A token makes tokens of its own workspace only.");
  }
  // They tell of all workspaces.
  if (own !== null && scope === "metrics") {
    throw new ApiProblem(403, "forbidden", "A token of scope metrics is made on the hub's machine.");
  }
  return { scope: scope as Scope, workspace: workspace as string, name: name as string | null, ttlMs };
}

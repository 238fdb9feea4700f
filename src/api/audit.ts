/** The audit trail in an API, of hub and daemon alike. */
import type { Context } from "hono";
import type { AuditQuery, AuditRow, SignedHead, Verdict } from "../core/audit.ts";
import type { CallEnv, Operation } from "./app.ts";
import { readOptionalObject, readPaging, writeCursor } from "./call.ts";
import { object, pageOf, PAGING, type Schema } from "./documentation.ts";
import { ApiProblem } from "./problem.ts";

/** Where a trail is read. */
export interface Desk {
  list(query: AuditQuery): Promise<AuditRow[]>;
  head(): Promise<SignedHead>;
  verify(heads: readonly SignedHead[]): Promise<Verdict>;
}

/** A record in JSON. What can't be read, since somebody wrote over it, is null. */
export interface AuditJson {
  readonly seq: number;
  readonly at: string | null;
  readonly type: string | null;
  /** Null: it is nobody's in particular. */
  readonly workspace: string | null;
  readonly actor: string | null;
  readonly subject: string | null;
  readonly data: unknown;
  readonly prev: string | null;
  readonly hash: string | null;
}

const TEXT_OR_NULL: Schema = { type: ["string", "null"] };
const COUNT: Schema = { type: "integer", minimum: 0 };
const COUNT_OR_NULL: Schema = { type: ["integer", "null"] };
const DIGEST = /^[0-9a-f]{64}$/;
/** RFC 3339. */
const MOMENT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const HEX: Schema = { type: "string", pattern: DIGEST.source };

const RECORD: Schema = {
  title: "AuditRecord",
  ...object({
    seq: { type: "integer" },
    at: TEXT_OR_NULL,
    type: TEXT_OR_NULL,
    workspace: TEXT_OR_NULL,
    actor: { ...TEXT_OR_NULL, description: "Who did it." },
    subject: { ...TEXT_OR_NULL, description: "What it was done to: of link.* the link." },
    data: {},
    prev: { ...TEXT_OR_NULL, description: "The hash of the record before." },
    hash: TEXT_OR_NULL,
  }),
};

const HEAD: Schema = {
  title: "AuditHead",
  ...object({
    seq: COUNT,
    hash: HEX,
    at: { type: "string", pattern: MOMENT.source },
    key: { type: "string", description: "Ed25519, SPKI DER in base64url." },
    signature: { type: "string", description: "In base64url." },
  }),
};

const VERDICT: Schema = object({
  ok: { type: "boolean" },
  records: { ...COUNT, description: "So many are as they were written." },
  first: COUNT_OR_NULL,
  last: COUNT_OR_NULL,
  hash: HEX,
  unchecked: { ...COUNT, description: "Heads of records that were dropped by age since." },
  broken: {
    type: ["object", "null"],
    properties: {
      seq: { type: "integer" },
      kind: { type: "string", enum: ["edited", "missing", "unlinked", "head"] },
      detail: { type: "string" },
    },
    required: ["seq", "kind", "detail"],
  },
});

/** The operations on the trail of `deskOf`. `workspace` says whose records a caller sees; null: all. */
export function auditOperations<E extends CallEnv>(
  deskOf: () => Desk,
  workspace: (context: Context<E>) => string | null,
): Operation<E>[] {
  return [
    {
      method: "GET",
      path: "/v1/audit",
      summary: "The audit trail, newest first",
      query: {
        ...PAGING,
        type: {
          doc: "Records of this type, or of all below it: `link` means `link.revoked` too.",
          schema: { type: "string" },
        },
        link: { doc: "Records of this link: its name, at a hub its id.", schema: { type: "string" } },
      },
      answers: { 200: { doc: "One page.", schema: pageOf(RECORD) } },
      problems: [422, 503],
      async run(context) {
        const { limit, cursor } = readPaging(context);
        const { type = null, link = null } = context.req.query();
        const before = cursor === null ? null : readSeq(cursor);
        const rows = await deskOf().list({
          limit: limit + 1,
          before,
          type,
          link,
          workspace: workspace(context),
        });
        const shown = rows.slice(0, limit);
        const nextCursor = rows.length > limit ? writeCursor(String(shown[limit - 1].seq)) : null;
        return context.json({ items: shown.map(auditJson), nextCursor });
      },
    },
    {
      method: "GET",
      path: "/v1/audit/head",
      summary: "Where the audit trail stands, signed",
      answers: { 200: { doc: "The newest record's number and hash.", schema: HEAD } },
      problems: [503],
      run: async (context) => context.json(await deskOf().head()),
    },
    {
      method: "POST",
      path: "/v1/audit/verify",
      summary: "Check the audit trail",
      body: { schema: object({ heads: { type: "array", items: HEAD } }, ["heads"]), optional: true },
      answers: { 200: { doc: "What was found.", schema: VERDICT } },
      problems: [422, 503],
      run: async (context) =>
        context.json(await deskOf().verify(readHeads(await readOptionalObject(context)))),
    },
  ];
}

/** `cli` where a caller says that it is connectd's command line, which anybody can; else `api`. */
export function programOf(context: Context): "cli" | "api" {
  return context.req.header("User-Agent")?.startsWith("connectd/") ? "cli" : "api";
}

/** `row` as it is printed. */
export function auditJson(row: AuditRow): AuditJson {
  const text = (value: unknown) => typeof value === "string" ? value : null;
  const { seq, at, type, workspace, actor, subject, data, prev, hash } = row;
  return {
    seq: Number(seq),
    at: text(at),
    type: text(type),
    workspace: text(workspace) || null,
    actor: text(actor),
    subject: text(subject),
    data: parsed(data),
    prev: text(prev),
    hash: text(hash),
  };
}

function parsed(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return null;
  }
}

function readSeq(cursor: string): number {
  if (/^-?\d{1,16}$/.test(cursor)) return Number(cursor);
  throw new ApiProblem(422, "invalid", "cursor is not one that a list gave.");
}

function readHeads({ heads = [], ...others }: Record<string, unknown>): SignedHead[] {
  const [unknown] = Object.keys(others);
  const errors = unknown === undefined ? [] : [{ pointer: `/${unknown}`, detail: "is not known" }];
  if (!Array.isArray(heads)) errors.push({ pointer: "/heads", detail: "is no list" });
  else {
    heads.forEach((head, i) => {
      if (!isHead(head)) errors.push({ pointer: `/heads/${i}`, detail: "is no head" });
    });
  }
  if (errors.length > 0) throw new ApiProblem(422, "invalid", "The body can not be taken.", [], errors);
  return heads as SignedHead[];
}

/** Whether `value` has the form of a head. */
export function isHead(value: unknown): value is SignedHead {
  if (typeof value !== "object" || value === null) return false;
  const { seq, hash, at, key, signature, ...rest } = value as Record<string, unknown>;
  return Object.keys(rest).length === 0 && Number.isSafeInteger(seq) && (seq as number) >= 0 &&
    [hash, at, key, signature].every((text) => typeof text === "string") &&
    DIGEST.test(hash as string) && MOMENT.test(at as string);
}

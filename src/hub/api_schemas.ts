/** The shapes that the hub's API answers with (interfaces: APIs; product: Hub). */
import { COUNTS, object, type Schema, TIME } from "../api/documentation.ts";
import { SCOPES } from "./tokens.ts";

const TEXT: Schema = { type: "string" };
const TEXT_OR_NULL: Schema = { type: ["string", "null"] };
const COUNT: Schema = { type: "integer", minimum: 0 };
const TEXTS: Schema = { type: "array", items: TEXT };
const TEXTS_OR_NULL: Schema = { type: ["array", "null"], items: TEXT };
export const NAME: Schema = { type: "string", pattern: "^[a-z0-9][a-z0-9-]{0,62}$" };
/** Of a link that its daemon declares: `pending` is known to the daemon alone. */
const STATE: Schema = { type: "string", enum: ["active", "offline", "expired", "revoked", "error"] };

/** The parameter of a path that names a link or a token. */
export const ID = { doc: "Its id.", schema: { type: "string" } };

export const LINK: Schema = {
  title: "Link",
  ...object({
    name: TEXT,
    id: TEXT,
    url: TEXT,
    urls: {
      type: "array",
      items: object({ hub: TEXT, id: TEXT, url: TEXT, state: STATE, lastError: TEXT_OR_NULL }),
    },
    domain: {
      ...object({
        name: TEXT,
        url: { ...TEXT_OR_NULL, description: "Where it is reached by it; null: not yet." },
        message: { ...TEXT_OR_NULL, description: "What its owner has to do; null: nothing." },
      }),
      type: ["object", "null"],
      description: "Its own; null: it asks for none.",
    },
    target: { type: "null", description: "Only its daemon knows, as of all that is null." },
    state: STATE,
    service: { ...TEXT_OR_NULL, description: "Null: a target, which only its daemon knows." },
    source: {
      type: ["string", "null"],
      enum: ["file", "oneoff", "hub", null],
      description: "Null: its daemon does not say.",
    },
    activatedAt: TIME,
    expiresAt: { ...TIME, description: "Null: never." },
    revokedAt: TIME,
    policy: {
      ...object({
        methods: TEXTS_OR_NULL,
        paths: TEXTS_OR_NULL,
        rate: TEXTS_OR_NULL,
        auth: { type: ["array", "null"], items: { type: "string", enum: ["basic", "bearer"] } },
        allowIps: TEXTS_OR_NULL,
        maxBody: { type: ["integer", "null"], description: "Bytes." },
        maxStreams: { type: ["integer", "null"] },
        upgrade: TEXTS,
        shadow: { type: "boolean" },
      }),
      type: ["object", "null"],
      description: "Null: its daemon has not declared it since the hub started.",
    },
    counters: {
      ...object({
        allowed: COUNT,
        denied: COUNTS,
        bytesIn: COUNT,
        bytesOut: COUNT,
        open: COUNT,
      }),
      description: "Of this hub, since it started.",
    },
    lastError: { ...TEXT_OR_NULL, description: "What there is to do for its domain." },
    daemon: TEXT,
    workspace: TEXT,
  }),
};

export const SESSION: Schema = {
  title: "Session",
  ...object({
    id: TEXT,
    daemon: TEXT,
    instance: TEXT,
    connection: COUNT,
    software: TEXT,
    workspace: TEXT,
    token: TEXT,
    address: TEXT_OR_NULL,
    since: { type: "string", format: "date-time" },
    rttMs: { type: ["number", "null"], minimum: 0 },
    streams: COUNT,
  }),
};

const TOKEN_MEMBERS = {
  id: TEXT,
  name: TEXT,
  scope: { type: "string", enum: SCOPES },
  workspace: TEXT,
  createdAt: { type: "string", format: "date-time" },
  expiresAt: { ...TIME, description: "Null: never." },
  revokedAt: TIME,
  rotatedAt: { ...TIME, description: "Null: it has its first secret." },
  previousEndsAt: { ...TIME, description: "Until then the secret before the last rotation is good as well." },
  lastUsedAt: { ...TIME, description: "To five minutes. Null: never." },
};

export const TOKEN: Schema = { title: "Token", ...object(TOKEN_MEMBERS) };

export const NEW_TOKEN: Schema = {
  title: "NewToken",
  ...object({ ...TOKEN_MEMBERS, token: { type: "string", description: "The secret: shown this once." } }),
};

export const ROTATION: Schema = {
  title: "Rotation",
  ...object({
    overlap: {
      type: ["string", "null"],
      description: "How long the old secret is good, as in `24h`; `0s`: no more. Absent: 1h.",
    },
  }, ["overlap"]),
};

export const TOKEN_WISH: Schema = {
  title: "TokenWish",
  ...object({
    scope: { type: "string", enum: SCOPES },
    workspace: { ...NAME, description: "Absent: the caller's own; over the hub's socket `default`." },
    name: { type: ["string", "null"], pattern: NAME.pattern, description: "Absent: one is made up." },
    ttl: { type: ["string", "null"], description: "How long it is valid, as in `24h`. Absent: for ever." },
  }, ["workspace", "name", "ttl"]),
};

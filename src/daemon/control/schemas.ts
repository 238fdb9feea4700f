/** The shapes that the control API answers with (interfaces: APIs, Reload; product: control API). */
import { COUNTS, object, type Schema, TIME } from "../../api/documentation.ts";
import { FILE_PROBLEMS } from "../../api/file_problems.ts";
import { camelCase } from "../../config/json.ts";
import { schemaOfKeys } from "../../config/json_schema.ts";
import { ONE_OFF_KEYS } from "../../config/oneoff.ts";
import type { LinkState } from "../../core/link.ts";

const TEXT: Schema = { type: "string" };
const TEXT_OR_NULL: Schema = { type: ["string", "null"] };
const COUNT: Schema = { type: "integer", minimum: 0 };
const TEXTS: Schema = { type: "array", items: TEXT };
const TEXTS_OR_NULL: Schema = { type: ["array", "null"], items: TEXT };
/** A member that is always there. */
const MOMENT: Schema = { type: "string", format: "date-time" };

/** An object, so that the compiler misses a state that is forgotten. */
const STATES: Record<LinkState, true> = {
  pending: true,
  active: true,
  offline: true,
  expired: true,
  revoked: true,
  error: true,
};
const STATE: Schema = { type: "string", enum: Object.keys(STATES) };

/** What is changed of heads. */
const EDITS: Schema = {
  ...object({ set: { type: "object", additionalProperties: { const: "***" } }, remove: TEXTS }),
  type: ["object", "null"],
};

/** The parameter of a path that names a link. */
export const LINK_NAME = {
  doc: "The name of a link.",
  schema: { type: "string", pattern: "^[a-z0-9][a-z0-9-]{0,62}$" },
};

export const LINK: Schema = {
  title: "Link",
  ...object({
    name: TEXT,
    id: { ...TEXT_OR_NULL, description: "On the first hub that gave one; null: no hub did yet." },
    url: TEXT_OR_NULL,
    urls: {
      type: "array",
      items: object({
        hub: TEXT,
        id: TEXT_OR_NULL,
        url: TEXT_OR_NULL,
        state: STATE,
        lastError: TEXT_OR_NULL,
      }),
    },
    domain: {
      ...object({
        name: TEXT,
        url: { ...TEXT_OR_NULL, description: "Where it is reached by it; null: not yet." },
        message: { ...TEXT_OR_NULL, description: "What its owner has to do; null: nothing." },
      }),
      type: ["object", "null"],
      description: "Its own; null: it has none.",
    },
    target: TEXT,
    service: {
      ...TEXT_OR_NULL,
      description: "The service whose target it is; null: the link names its own.",
    },
    state: STATE,
    source: { type: "string", enum: ["file", "oneoff", "hub"] },
    activatedAt: TIME,
    expiresAt: { ...TIME, description: "Null: never." },
    revokedAt: TIME,
    uses: {
      ...object({ max: COUNT, left: COUNT }),
      type: ["object", "null"],
      description: "Requests that it admits, and those that are left; null: any number.",
    },
    policy: object({
      methods: TEXTS_OR_NULL,
      paths: TEXTS_OR_NULL,
      rate: TEXTS_OR_NULL,
      auth: { type: ["array", "null"], items: { type: "string", enum: ["basic", "bearer"] } },
      allowIps: TEXTS_OR_NULL,
      maxBody: { type: ["integer", "null"], description: "Bytes." },
      maxStreams: { type: ["integer", "null"] },
      upgrade: TEXTS,
      shadow: { type: "boolean" },
      maxUses: { type: ["integer", "null"] },
      host: TEXT,
      headers: {
        ...object({ request: EDITS, response: EDITS }),
        type: ["object", "null"],
        description: "Fields that are set and removed; values are not shown.",
      },
      timeout: TEXT,
      hold: TEXT_OR_NULL,
      drain: TEXT,
      inspect: { type: "string", enum: ["off", "heads", "bodies"] },
      inspectLast: COUNT,
      inspectRedact: TEXTS,
    }),
    counters: {
      ...object({
        allowed: COUNT,
        denied: COUNTS,
        shadowed: COUNTS,
        bytesIn: COUNT,
        bytesOut: COUNT,
        open: COUNT,
      }),
      description: "Since the daemon started.",
    },
    lastError: TEXT_OR_NULL,
  }),
};

/** What makes a link: the keys of an entry in links.yaml, in camelCase, and its name. */
export const LINK_WISH: Schema = {
  title: "LinkWish",
  type: "object",
  ...schemaOfKeys(ONE_OFF_KEYS, camelCase),
};

export const STEPS: Schema = {
  type: "array",
  items: {
    title: "Step",
    ...object({
      step: { type: "string", enum: ["open", "close", "retune"] },
      name: TEXT,
      changes: { type: "array", items: object({ key: TEXT, from: TEXT_OR_NULL, to: TEXT_OR_NULL }) },
      cuts: { ...object({ streams: COUNT }), description: "What is cut once the link's `drain` is over." },
    }),
  },
};

/** What a reload changes besides the links. */
export const SETTINGS: Schema = {
  type: "array",
  items: { title: "SettingChange", ...object({ key: TEXT, from: TEXT, to: TEXT }) },
};

export const STATUS: Schema = {
  title: "Status",
  ...object({
    version: TEXT,
    instance: TEXT,
    startedAt: MOMENT,
    config: object({
      file: TEXT_OR_NULL,
      generation: { ...COUNT, description: "Applied reloads that changed something." },
      appliedAt: TIME,
      hash: { ...TEXT_OR_NULL, description: "SHA-256 of the text that is applied." },
      problems: FILE_PROBLEMS,
    }),
    hubs: {
      type: "array",
      items: object({
        url: TEXT,
        state: { type: "string", enum: ["connecting", "connected", "refused", "replaced", "ignored"] },
        since: MOMENT,
        connections: COUNT,
        rttMs: { type: ["number", "null"], minimum: 0 },
        lastError: TEXT_OR_NULL,
      }),
    },
    links: { ...COUNTS, description: "How many links are in each state." },
    shadowed: {
      type: "object",
      additionalProperties: COUNTS,
      description: "Links in shadow by name, and how often each would have refused, by code.",
    },
  }),
};

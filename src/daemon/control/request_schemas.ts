/** The shapes of captured requests in the control API. */
import { object, type Schema } from "../../api/documentation.ts";

const TEXT: Schema = { type: "string" };
const TEXT_OR_NULL: Schema = { type: ["string", "null"] };
const COUNT: Schema = { type: "integer", minimum: 0 };
const MS: Schema = { type: "number", minimum: 0 };
const MS_OR_NULL: Schema = { type: ["number", "null"], minimum: 0 };

/** What logs, lists and events print of a request. */
export const SEEN_MEMBERS = {
  id: { ...TEXT, description: "As in the logs, and in X-Request-Id of refusals." },
  at: { type: "string", format: "date-time" },
  link: TEXT,
  address: TEXT,
  method: TEXT,
  path: { ...TEXT, description: "Without the query." },
  status: { ...COUNT, description: "0: no answer was sent." },
  code: {
    ...TEXT_OR_NULL,
    description: "Connectd's own answer, or why it cut the request; null: the target's, whole.",
  },
  verdict: {
    ...TEXT_OR_NULL,
    description: "What the policy refuses, also where the link is a shadow; null: nothing.",
  },
  bytesIn: COUNT,
  bytesOut: COUNT,
  ms: MS,
};

const MEMBERS = {
  ...SEEN_MEMBERS,
  captured: { type: "string", enum: ["heads", "bodies"] },
  replayOf: {
    ...TEXT_OR_NULL,
    description: "The request that was sent again; null: a visitor sent this one.",
  },
  times: {
    ...object({ judged: MS, connected: MS_OR_NULL, answered: MS_OR_NULL, over: MS }),
    description: "In ms from when its head came.",
  },
};

/** One in a list. */
export const REQUEST: Schema = { title: "Request", ...object(MEMBERS) };

const BODY: Schema = {
  title: "Body",
  ...object({
    length: { ...COUNT, description: "Octets that went by." },
    kept: { ...COUNT, description: "Octets that `text` holds: up to 64 KiB." },
    encoding: { type: "string", enum: ["utf8", "base64"] },
    text: TEXT,
  }),
};

const MESSAGE = object({
  head: { ...TEXT, description: "As it was on the wire, a character an octet; credentials as `***`." },
  body: { anyOf: [BODY, { type: "null" }], description: "Null: bodies are not kept." },
});

/** A whole one. */
export const FULL_REQUEST: Schema = {
  title: "FullRequest",
  ...object({
    ...MEMBERS,
    target: { ...TEXT, description: "With its query." },
    request: MESSAGE,
    response: { anyOf: [MESSAGE, { type: "null" }], description: "The target's; null: it gave none." },
  }),
};

/** How a request is sent again. */
export const REPLAY: Schema = object({
  via: {
    type: "string",
    enum: ["policy", "target"],
    default: "policy",
    description: "`policy`: as if the visitor came again. `target`: straight there.",
  },
  edit: {
    ...object({
      method: TEXT,
      target: TEXT,
      headers: {
        type: "array",
        items: { type: "array", items: TEXT, minItems: 2, maxItems: 2 },
        description:
          "All fields. What is shown as `***` and comes so is what it was; what frames the body is made anew.",
      },
      body: TEXT,
      bodyEncoding: { type: "string", enum: ["utf8", "base64"], default: "utf8" },
    }, ["method", "target", "headers", "body", "bodyEncoding"]),
    description: "What is to be another. Absent: it is sent octet for octet.",
  },
}, ["via", "edit"]);

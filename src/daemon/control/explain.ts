/** Why a request is let through or refused, in the control API. */
import type { CallEnv, Operation } from "../../api/app.ts";
import { readObject } from "../../api/call.ts";
import { object, type Schema } from "../../api/documentation.ts";
import { ApiProblem, type BodyError } from "../../api/problem.ts";
import { parseAddress, printAddress } from "../../core/address.ts";
import { CODES } from "../../core/errors.ts";
import { EXPLAINED } from "../../core/explain.ts";
import { POLICY_KEYS } from "../../core/policy.ts";
import type { ExplainWish } from "../explain.ts";
import { checkMembers } from "./members.ts";
import type { ControlState } from "./state.ts";

const TEXT: Schema = { type: "string" };
const COUNT: Schema = { type: "integer", minimum: 0 };
const STATUS: Schema = { type: "integer", minimum: 400, maximum: 599 };
const CODE: Schema = { type: "string", enum: Object.keys(CODES) };

const WISH: Schema = {
  title: "ExplainWish",
  ...object({
    method: { ...TEXT, examples: ["GET"] },
    url: {
      ...TEXT,
      description: "With the link's host; this or `path`.",
      examples: ["https://demo.example.com/api"],
    },
    path: { ...TEXT, description: "The request target, as it would be sent.", examples: ["/api?x=1"] },
    link: { ...TEXT, description: "Its name. Absent: the link that has the host of `url`." },
    from: { ...TEXT, description: "The visitor's address; absent: 127.0.0.1." },
    headers: {
      type: "object",
      description:
        "Fields of the request, each a value or a list of them. A credential is judged and not counted.",
      additionalProperties: { anyOf: [TEXT, { type: "array", items: TEXT }] },
    },
  }, ["url", "path", "link", "from", "headers"]),
};

const EXPLANATION: Schema = {
  title: "Explanation",
  ...object({
    verdict: { type: "string", enum: ["allow", "deny"] },
    code: { anyOf: [CODE, { type: "null" }] },
    status: { anyOf: [STATUS, { type: "null" }], description: "Null: the target's." },
    rule: {
      anyOf: [
        object({
          key: { ...TEXT, description: "As links.yaml spells it." },
          text: { type: ["string", "null"], description: "Its printed form." },
          line: { type: ["integer", "null"], minimum: 1, description: "Null: no file has it." },
          file: { type: ["string", "null"] },
          source: { type: ["string", "null"], description: "The line itself." },
        }),
        { type: "null" },
      ],
      description: "What refuses or, of a link in shadow, would.",
    },
    steps: {
      type: "array",
      items: object({
        step: { type: "string", enum: EXPLAINED },
        result: { type: "string", enum: ["pass", "deny", "skip"] },
        detail: TEXT,
      }),
    },
    counters: {
      type: "array",
      items: object({
        key: { type: "string", enum: POLICY_KEYS },
        text: { ...TEXT, description: "The limit." },
        left: COUNT,
        of: COUNT,
        waitMs: {
          type: ["integer", "null"],
          minimum: 0,
          description: "Until one is left again; null: who knows.",
        },
      }),
      description: "What the link's limits have left for this visitor.",
    },
    link: TEXT,
    from: TEXT,
    shadowed: {
      anyOf: [object({ code: CODE, status: STATUS }), { type: "null" }],
      description: "What a link in shadow would have answered.",
    },
  }),
};

/** The operation that explains. */
export function explainOperations(state: ControlState): Operation<CallEnv>[] {
  return [{
    method: "POST",
    path: "/v1/explain",
    summary: "Why a request would be let through or refused, counted as nothing",
    body: { schema: WISH },
    answers: { 200: { doc: "What is decided, and what that rests on.", schema: EXPLANATION } },
    problems: [503],
    run: async (context) => context.json(await state.explain(readExplain(await readObject(context)))),
  }];
}

/** `{method, url or path, link?, from?, headers?}`. Throws ApiProblem that points at what is wrong. */
export function readExplain(body: Record<string, unknown>): ExplainWish {
  const text = (example: string) => (value: unknown) =>
    typeof value === "string" && value !== "" ? null : `is no text such as ${example}`;
  checkMembers(body, {
    method: text("GET"),
    path: text("/api"),
    link: text("demo"),
    url: (value) => typeof value !== "string" ? "is no text" : readUrl(value) === null ? BAD_URL : null,
    from: (value) => typeof value === "string" && parseAddress(value) !== null ? null : BAD_ADDRESS,
    headers: (value) => isObject(value) ? null : "is no object of fields",
  });
  const { method, path, link = null, from = "127.0.0.1" } = body as Record<string, string | undefined>;
  const url = body.url === undefined ? null : readUrl(body.url as string);
  const { fields, errors } = readFields(body.headers as Record<string, unknown> ?? {});
  if (method === undefined) errors.push({ pointer: "/method", detail: "is missing" });
  if (url !== null && path !== undefined) {
    errors.push({ pointer: "/path", detail: "stands beside a url: give one" });
  }
  if (url === null && path === undefined) {
    errors.push({ pointer: "/path", detail: "is missing: give it, or a url" });
  }
  if (errors.length > 0) throw new ApiProblem(422, "invalid", "The body can not be taken.", [], errors);
  return {
    method: method!,
    target: url?.target ?? path!,
    host: url?.host ?? null,
    link,
    from: printAddress(parseAddress(from)!),
    fields,
  };
}

const BAD_URL = "is no URL such as https://demo.example.com/api, without a user in it";
const BAD_ADDRESS = "is no address such as 198.51.100.7";

/** Not by URL, which would tidy up what a visitor can send as it is. Clients keep the fragment to themselves. */
function readUrl(text: string): { host: string; target: string } | null {
  const parts = /^https?:\/\/([^\s/?#@\\]+)([/?][^#]*)?(?:#.*)?$/is.exec(text);
  if (parts === null) return null;
  const [, host, rest = "/"] = parts;
  return { host, target: rest.startsWith("/") ? rest : `/${rest}` };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** No field may end its line, or it would be the request's next. */
function readFields(headers: Record<string, unknown>): { fields: [string, string][]; errors: BodyError[] } {
  const fields: [string, string][] = [], errors: BodyError[] = [];
  for (const [name, given] of Object.entries(headers)) {
    const pointer = `/headers/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const values = Array.isArray(given) ? given : [given];
    if (!NAME.test(name)) errors.push({ pointer, detail: "is no name of a field" });
    else if (values.every((value) => typeof value === "string" && VALUE.test(value))) {
      fields.push(...values.map((value): [string, string] => [name, value]));
    } else errors.push({ pointer, detail: "is no value of a field, and no list of them" });
  }
  return { fields, errors };
}

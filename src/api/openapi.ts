/** The OpenAPI 3.1 document of a table of operations. */
import type { Env } from "hono";
import { VERSION } from "../core/version.ts";
import type { Operation } from "./app.ts";
import type { AnswerDoc, Documentation, Parameters, Schema } from "./documentation.ts";
import { PROBLEM_STATUSES, type ProblemStatus, titleOf } from "./problem.ts";

/** An operation as far as the document is concerned. */
export interface Documented extends Documentation {
  readonly method: string;
  /** As Hono writes it: `/v1/links/:name`. */
  readonly path: string;
}

/** What every call may meet, before any operation: the listener, the guard, an error that nobody expected. */
const EVERYWHERE: readonly ProblemStatus[] = [400, 401, 403, 408, 414, 421, 429, 431, 500];

/** What reading a body may meet. */
const WITH_BODY: readonly ProblemStatus[] = [413, 415, 422];

const PROBLEM: Schema = {
  title: "Problem",
  description: "What is wrong with a call (RFC 9457).",
  type: "object",
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer", enum: PROBLEM_STATUSES },
    code: { type: "string", pattern: "^[a-z0-9_]+$", description: "Stable: what a program decides by." },
    detail: { type: "string" },
    requestId: { type: "string", description: "The logs have it, and the answer as X-Request-Id." },
    errors: {
      type: "array",
      items: {
        type: "object",
        properties: {
          pointer: { type: "string", description: "Where in the body (RFC 6901)." },
          detail: { type: "string" },
        },
        required: ["pointer", "detail"],
        additionalProperties: false,
      },
    },
  },
  required: ["type", "title", "status", "code", "detail", "requestId"],
  additionalProperties: false,
};

/** The operation at `path` that shows the document of `operations` and of itself. */
export function documentOperation<E extends Env>(
  title: string,
  path: string,
  operations: readonly Documented[],
): Operation<E> {
  let document: Schema | null = null;
  const operation: Operation<E> = {
    method: "GET",
    path,
    summary: "This document",
    answers: { 200: { doc: "OpenAPI 3.1.", schema: { type: "object" } } },
    run: (context) => context.json(document ??= openApi(title, [...operations, operation])),
  };
  return operation;
}

/** The document. `title` is the API's name. */
export function openApi(title: string, operations: readonly Documented[]): Schema {
  const schemas: Record<string, Schema> = {};
  const paths: Record<string, Record<string, Schema>> = {};
  for (const operation of operations) {
    const path = operation.path.replaceAll(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[operation.method.toLowerCase()] = printOperation(operation, schemas);
  }
  const problems = PROBLEM_STATUSES.map((status) => [String(status), {
    description: `${titleOf(status)}.`,
    content: { "application/problem+json": { schema: hoist(PROBLEM, schemas) } },
  }]);
  return {
    openapi: "3.1.0",
    info: { title, version: VERSION },
    security: [{ token: [] }],
    paths,
    components: {
      schemas,
      responses: Object.fromEntries(problems),
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function printOperation(operation: Documented, schemas: Record<string, Schema>): Schema {
  const { summary, path, params = {}, query = {}, fields = {}, body, answers, problems = [], open } =
    operation;
  const inPath = Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name]) => [
    name,
    params[name] ?? { doc: `The ${name}.`, schema: { type: "string" } },
  ]));
  const parameters = [
    ...printParameters("path", inPath),
    ...printParameters("query", query),
    ...printParameters("header", fields),
  ];
  const statuses = new Set([...EVERYWHERE, ...(body === undefined ? [] : WITH_BODY), ...problems]);
  const responses: Record<string, Schema> = {};
  for (const status of statuses) responses[status] = { $ref: `#/components/responses/${status}` };
  for (const [status, answer] of Object.entries(answers)) {
    const alsoProblem = statuses.has(Number(status) as ProblemStatus);
    responses[status] = printAnswer(answer, alsoProblem, schemas);
  }
  return {
    summary,
    ...(open ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : {
      requestBody: {
        required: body.optional !== true,
        content: { "application/json": { schema: hoist(body.schema, schemas) } },
      },
    }),
    responses,
  };
}

function printParameters(place: "path" | "query" | "header", parameters: Parameters): Schema[] {
  return Object.entries(parameters).map(([name, { doc, schema }]) => ({
    name,
    in: place,
    description: doc,
    required: place === "path",
    schema,
  }));
}

function printAnswer(
  { doc, media = "application/json", schema }: AnswerDoc,
  alsoProblem: boolean,
  schemas: Record<string, Schema>,
): Schema {
  return {
    description: doc,
    content: {
      [media]: { schema: hoist(schema, schemas) },
      ...(alsoProblem ? { "application/problem+json": { schema: hoist(PROBLEM, schemas) } } : {}),
    },
  };
}

/** `schema` with those parts that have a title put into `schemas` and referred to. Throws TypeError for two of one title. */
function hoist(schema: Schema, schemas: Record<string, Schema>): Schema {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const walked = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, walk(part)]));
    const { title } = walked;
    // `title` may be a property's name as well: then its value is a schema.
    if (typeof title !== "string") return walked;
    const known = schemas[title];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(walked)) {
      throw new TypeError(`two schemas are called ${title}`);
    }
    schemas[title] = walked;
    return { $ref: `#/components/schemas/${title}` };
  };
  return walk(schema) as Schema;
}

/** Answers held against the OpenAPI document that describes them. */
import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Documented } from "../src/api/openapi.ts";
import type { Answer } from "./hub/rig.ts";

/** One call of an operation, and the status that it is due. */
export interface Row {
  /** Absent: the operation's own, which then has no parameter. */
  readonly path?: string;
  readonly body?: unknown;
  readonly fields?: readonly string[];
  /** The scope of the token; absent: that of who may everything. */
  readonly as?: string;
  readonly status: number;
}

interface Printed {
  readonly responses: Record<string, { $ref?: string; content?: Record<string, { schema: unknown }> }>;
}

/** A document as an API gave it. */
export class ApiDocument {
  readonly #ajv = new Ajv2020({ strict: true, allowUnionTypes: true, keywords: ["components"] });

  // deno-lint-ignore no-explicit-any
  constructor(readonly json: any) {
    this.#ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  }

  /** `GET /v1/links/:name` and its like. */
  get operations(): string[] {
    return Object.entries(this.json.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`)
    );
  }

  /** Throws where `answer` is not one that the document says `operation` may have. */
  check(operation: string, { status, head, body, json }: Answer): void {
    const [method, path] = operation.split(" ");
    const printed: Printed = this.json.paths[path.replaceAll(/:(\w+)/g, "{$1}")][method.toLowerCase()];
    const named = printed.responses[status];
    assert.ok(named, `${operation} answers ${status}, which is not documented: ${body}`);
    const response = named.$ref === undefined ? named : this.json.components.responses[status];
    const media = /^content-type: ([^;\r]+)/im.exec(head)?.[1] ?? "";
    const { schema } = response.content[media] ?? {};
    assert.ok(schema, `${operation} ${status} is ${media}, which is not documented`);
    // Not JSON: its text is all there is to say.
    if (!/json$/.test(media)) return;
    assert.ok(
      this.valid(schema, json),
      `${operation} ${status}: ${JSON.stringify(this.#why)}: ${body.slice(0, 500)}`,
    );
  }

  /** Whether `value` is as `schema`, a part of the document, says. */
  valid(schema: object, value: unknown): boolean {
    const validate = this.#ajv.compile({ ...schema, components: this.json.components });
    const valid = validate(value);
    this.#why = validate.errors;
    return valid as boolean;
  }

  #why: unknown = null;
}

/**
 * Runs every row, and throws where an operation of the table has none, where one answers something else than is due or
 * documented, or where it is said to have an answer that no row brings about; `elsewhere` names statuses that another
 * test brings about.
 */
export async function runRows(
  document: ApiDocument,
  operations: readonly Documented[],
  rows: Readonly<Record<string, readonly Row[]>>,
  elsewhere: readonly number[],
  call: (method: string, path: string, row: Row) => Promise<Answer>,
): Promise<void> {
  const names = operations.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(
    Object.keys(rows).sort(),
    names.toSorted(),
    "each operation has rows, and each row an operation",
  );
  assert.deepEqual(document.operations.sort(), names.sort());
  for (const { method, path, answers, body, problems = [] } of operations) {
    const name = `${method} ${path}`;
    const due = new Set([...Object.keys(answers).map(Number), ...problems, ...(body ? [413, 415, 422] : [])]);
    for (const row of rows[name]) {
      const answer = await call(method, row.path ?? path, row);
      assert.equal(answer.status, row.status, `${name} ${JSON.stringify(row)}: ${answer.body}`);
      document.check(name, answer);
      due.delete(row.status);
    }
    assert.deepEqual(
      [...due].filter((status) => !elsewhere.includes(status)),
      [],
      `${name}: answers without a row`,
    );
  }
}

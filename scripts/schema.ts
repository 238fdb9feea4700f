/**
 * Writes config/links.schema.json and config/hub.schema.json, for editors, from the tables of keys that read the files.
 *
 *     deno run --allow-read --allow-write scripts/schema.ts
 */
import { HUB_ROOT_KEYS } from "../src/config/hub.ts";
import { ROOT_KEYS } from "../src/config/links.ts";
import type { Kind } from "../src/config/node.ts";
import type { Shape, Table } from "../src/config/schema.ts";

/** A JSON Schema, or a part of one. */
export type Schema = { readonly [keyword: string]: unknown };

const TYPES: Partial<Record<Kind, string>> = {
  text: "string",
  number: "integer",
  boolean: "boolean",
  null: "null",
  list: "array",
  mapping: "object",
};

/** What a shape takes, as a schema. Its keywords each concern one type, so a shape of several needs no `anyOf`. */
function schemaOf(shape: Shape): Schema {
  const { kinds, words, pattern, range, items, most = Infinity, keys, some, values, names } = shape;
  const types = kinds.map((kind) => TYPES[kind]);
  return {
    type: types.length === 1 ? types[0] : types,
    ...(words === undefined ? {} : { enum: words }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(range === undefined ? {} : { minimum: range[0], maximum: range[1] }),
    ...(items === undefined ? {} : { items: schemaOf(items), minItems: 1 }),
    ...(most === Infinity ? {} : { maxItems: most }),
    ...(keys === undefined ? {} : schemaOfKeys(keys)),
    ...(some === undefined ? {} : { minProperties: 1 }),
    ...(names === undefined ? {} : { propertyNames: { pattern: names } }),
    ...(values === undefined ? {} : { additionalProperties: schemaOf(values) }),
  };
}

function schemaOfKeys(table: Table): Schema {
  const keys = Object.entries(table);
  const required = keys.filter(([, key]) => key.required).map(([name]) => name);
  return {
    properties: Object.fromEntries(
      keys.map(([name, { reader, doc }]) => [name, { description: doc, ...schemaOf(reader.shape) }]),
    ),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/** The schema of a file with these keys. Draft 7 is the newest that every version of yaml-language-server reads. */
function fileSchema(title: string, table: Table): Schema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title,
    type: "object",
    ...schemaOfKeys(table),
  };
}

/** The schemas by the name of their file in config/. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  "links.schema.json": fileSchema("connectd links.yaml", ROOT_KEYS),
  "hub.schema.json": fileSchema("connectd hub.yaml", HUB_ROOT_KEYS),
};

if (import.meta.main) {
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    const text = JSON.stringify(schema, null, 2) + "\n";
    await Deno.writeTextFile(new URL(`../config/${name}`, import.meta.url), text);
  }
}

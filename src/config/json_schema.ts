/** What the readers take, as JSON Schema: for editors, and for bodies of the control API. */
import type { Kind } from "./node.ts";
import type { Shape, Table } from "./schema.ts";

/** A JSON Schema, or a part of one; its keywords mean the same in draft 7 and in 2020-12. */
export type Schema = { readonly [keyword: string]: unknown };

const TYPES: Partial<Record<Kind, string>> = {
  text: "string",
  number: "integer",
  boolean: "boolean",
  null: "null",
  list: "array",
  mapping: "object",
};

/** The schema of a mapping with the keys of `table`; `spell` writes them as the format does. */
export function schemaOfKeys(table: Table, spell: (key: string) => string = (key) => key): Schema {
  const keys = Object.entries(table);
  const required = keys.filter(([, key]) => key.required).map(([name]) => spell(name));
  return {
    properties: Object.fromEntries(
      keys.map(([name, { reader, doc }]) => [
        spell(name),
        { description: doc, ...schemaOf(reader.shape, spell) },
      ]),
    ),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/** What a shape takes, as a schema. Its keywords each concern one type, so a shape of several needs no `anyOf`. */
function schemaOf(shape: Shape, spell: (key: string) => string): Schema {
  const { kinds, words, pattern, range, items, most = Infinity, keys, some, values, names } = shape;
  const types = kinds.map((kind) => TYPES[kind]);
  return {
    type: types.length === 1 ? types[0] : types,
    ...(words === undefined ? {} : { enum: words }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(range === undefined ? {} : { minimum: range[0], maximum: range[1] }),
    ...(items === undefined ? {} : { items: schemaOf(items, spell), minItems: 1 }),
    ...(most === Infinity ? {} : { maxItems: most }),
    ...(keys === undefined ? {} : schemaOfKeys(keys, spell)),
    ...(some === undefined ? {} : { minProperties: 1 }),
    ...(names === undefined ? {} : { propertyNames: { pattern: names } }),
    ...(values === undefined ? {} : { additionalProperties: schemaOf(values, spell) }),
  };
}

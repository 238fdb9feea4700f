/**
 * Writes config/links.schema.json and config/hub.schema.json, for editors, from the tables of keys that read the files.
 *
 *     deno run --allow-read --allow-write scripts/schema.ts
 */
import { HUB_ROOT_KEYS } from "../src/config/hub.ts";
import { type Schema, schemaOfKeys } from "../src/config/json_schema.ts";
import { ROOT_KEYS } from "../src/config/links.ts";
import type { Table } from "../src/config/schema.ts";

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

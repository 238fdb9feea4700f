/** The schemas for editors against the readers that decide. */
import assert from "node:assert/strict";
import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";
import { SCHEMAS } from "../../scripts/schema.ts";
import { HUB_ROOT_KEYS, KEEP_KEYS, LIMIT_KEYS } from "../../src/config/hub.ts";
import { HUB_KEYS } from "../../src/config/hubs.ts";
import { DEFAULT_KEYS, LINK_KEYS, SERVICE_KEYS } from "../../src/config/keys.ts";
import { ROOT_KEYS } from "../../src/config/links.ts";
import type { Table } from "../../src/config/schema.ts";
import { fixtures } from "./read.ts";

interface Part {
  readonly description?: string;
  readonly properties?: Record<string, Part>;
  readonly required?: string[];
  readonly additionalProperties?: Part | false;
  readonly items?: Part;
}

const read = (name: string): Part =>
  JSON.parse(Deno.readTextFileSync(new URL(`../../config/${name}`, import.meta.url)));
const links = read("links.schema.json"), hub = read("hub.schema.json");

function compile(schema: Part): ValidateFunction {
  // Strict: a keyword that is misspelt, or stands where it means nothing, throws.
  return new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);
}

/** The mapping of a schema and the table it is read by. */
const PAIRS: [string, Part | false | undefined, Table][] = [
  ["links.yaml", links, ROOT_KEYS],
  ["hub items", links.properties?.hub.items, HUB_KEYS],
  ["defaults", links.properties?.defaults, DEFAULT_KEYS],
  ["services", links.properties?.services.additionalProperties, SERVICE_KEYS],
  ["links", links.properties?.links.additionalProperties, LINK_KEYS],
  ["hub.yaml", hub, HUB_ROOT_KEYS],
  ["limits", hub.properties?.limits, LIMIT_KEYS],
  ["keep", hub.properties?.keep, KEEP_KEYS],
];

Deno.test("the schemas in config/ are those that the readers' tables make (deno task schema)", () => {
  assert.deepEqual(Object.keys(SCHEMAS), ["links.schema.json", "hub.schema.json"]);
  for (const [name, schema] of Object.entries(SCHEMAS)) assert.deepEqual(read(name), schema);
});

Deno.test("a schema has every key of the reader with its sentence, and the reader every key of the schema", () => {
  for (const [what, part, table] of PAIRS) {
    assert.ok(part, what);
    assert.deepEqual(Object.keys(part.properties ?? {}).sort(), Object.keys(table).sort(), what);
    const required = Object.keys(table).filter((key) => table[key].required);
    assert.deepEqual(part.required ?? [], required, what);
    assert.equal(part.additionalProperties, false, what);
    for (const [key, { doc }] of Object.entries(table)) {
      assert.equal(part.properties?.[key].description, doc, `${what}: ${key}`);
      assert.match(doc, /\.$/, `${what}: ${key} is described by a sentence`);
    }
  }
});

Deno.test("every valid configuration and every example is valid by its schema", () => {
  const validate = compile(links);
  for (const kind of ["valid", "warned"]) {
    for (const [name, text] of fixtures(kind)) {
      assert.ok(validate(parse(text)), `${name}: ${JSON.stringify(validate.errors)}`);
    }
  }
  const example = (name: string) =>
    parse(Deno.readTextFileSync(new URL(`../../config/${name}`, import.meta.url)));
  assert.ok(validate(example("links.yaml")), JSON.stringify(validate.errors));
  const validateHub = compile(hub);
  assert.ok(validateHub(example("hub.yaml")), JSON.stringify(validateHub.errors));
});

/** Problems that lie in how a file is written, or between its values: no schema sees them. */
const UNSEEN =
  /error (?:syntax|alias|tag|multi_document|duplicate_key|too_deep|conflict|unknown_service|bad_target|bad_address)$/;
/** Files whose problem a schema could see, and ours does not: it must never be wrong about a good value. */
const BEYOND: Record<string, string> = {
  "bad-rate-zero.yaml": "0/m is a rate by its form",
  "bad-rate-zero-number.yaml": "a number where a rate is due",
  "bad-path-many.yaml": "only its beginning tells a path",
  "bad-path-controls.yaml": "only its beginning tells a path",
  "wrong-type-date.yaml": "in quotes the date would be a name",
  "wrong-type-rate-exponent.yaml": "1e3 is a whole number in YAML",
};

Deno.test("what the reader refuses, an editor shows, as far as a schema can tell", () => {
  const validate = compile(links);
  let told = 0;
  for (const [name, text] of fixtures("invalid")) {
    const problems = text.split("# problems\n")[1].trimEnd().split("\n");
    if (problems.every((line) => UNSEEN.test(line) || line.includes(" warning "))) continue;
    if (Object.hasOwn(BEYOND, name)) continue;
    if (problems.some((line) => /error (?:syntax|too_deep|alias|multi_document)$/.test(line))) continue;
    assert.ok(!validate(parse(text, { uniqueKeys: false })), `${name} is valid by the schema`);
    told++;
  }
  assert.ok(told > 40, `${told} files`);
});

Deno.test("no pattern of the schema refuses a text that the grammar admits", () => {
  const cases: { kind: string; text: string | unknown[]; ok: boolean }[] = JSON.parse(
    Deno.readTextFileSync(new URL("../vectors/grammar.json", import.meta.url)),
  );
  const validate = compile(links);
  const link: Record<string, (text: string) => object> = {
    duration: (ttl) => ({ target: "echo", ttl }),
    rate: (rate) => ({ target: "echo", rate }),
    size: (max_body) => ({ target: "echo", max_body }),
    methods: (methods) => ({ target: "echo", methods: methods.split(",") }),
    target: (target) => ({ target }),
  };
  let admitted = 0;
  for (const { kind, text, ok } of cases) {
    if (!ok || typeof text !== "string" || text.startsWith("tcp:")) continue;
    const document = kind === "name"
      ? { version: 1, links: { [text]: { target: "echo" } } }
      : { version: 1, links: { a: link[kind](text) } };
    assert.ok(validate(document), `${kind} ${text}: ${JSON.stringify(validate.errors)}`);
    admitted++;
  }
  assert.ok(admitted > 80, `${admitted} cases`);
});

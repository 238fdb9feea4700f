/** `connectd help links.yaml`: nothing that can be written there goes unexplained, and what it shows can be written. */
import assert from "node:assert/strict";
import { TOPICS } from "../../src/cli/topics.ts";
import { HUB_ROOT_KEYS, KEEP_KEYS, LIMIT_KEYS, readHubConfig } from "../../src/config/hub.ts";
import { HUB_KEYS } from "../../src/config/hubs.ts";
import { LINK_KEYS, SERVICE_KEYS } from "../../src/config/keys.ts";
import { readConfig, ROOT_KEYS } from "../../src/config/links.ts";
import type { Problem } from "../../src/config/problem.ts";
import type { Table } from "../../src/config/schema.ts";
import { CODES } from "../../src/core/errors.ts";
import { Rig } from "../e2e/rig.ts";

const HERE = { file: "/here/links.yaml", now: 0, home: "/home" };

function links(text: string): Problem[] {
  return readConfig(text, HERE).problems;
}

/** A file with one key of a table as its example shows it, beside what has to be there. */
const FILES: readonly [what: string, table: Table, read: (key: string, example: string) => Problem[]][] = [
  ["links.yaml", ROOT_KEYS, (key, example) => {
    const services = key === "links" ? "services: { my-api: echo }\n" : "";
    return links(`${key === "version" ? "" : "version: 1\n"}${services}${example}\n`);
  }],
  ["a link", LINK_KEYS, (key, example) => {
    const target = key === "tls" ? "https://localhost" : "echo";
    return links(
      `version: 1\nlinks:\n  a:\n${key === "target" ? "" : `    target: ${target}\n`}    ${example}\n`,
    );
  }],
  [
    "a service",
    SERVICE_KEYS,
    (key, example) =>
      links(`version: 1\nservices:\n  a:\n${key === "target" ? "" : "    target: echo\n"}    ${example}\n`),
  ],
  [
    "hub.yaml",
    HUB_ROOT_KEYS,
    (key, example) => {
      const proxies = key === "proxy_protocol" ? "trusted_proxies: [127.0.0.1]\n" : "";
      return readHubConfig(`${key === "version" ? "" : "version: 1\n"}${proxies}${example}\n`, HERE).problems;
    },
  ],
];

for (const [what, table, read] of FILES) {
  Deno.test(`every key of ${what} has an example, which is a line that is taken and is shown by help`, () => {
    const shown = Object.values(TOPICS).map((text) => text()).join("\n");
    for (const [key, { example, doc }] of Object.entries(table)) {
      assert.ok(example !== undefined && example.startsWith(`${key}: `), `${what}: ${key} has no example`);
      assert.deepEqual(read(key, example), [], example);
      assert.ok(shown.includes(`\n  ${example}\n`), example);
      assert.ok(shown.replaceAll(/\s+/g, " ").includes(doc), doc);
    }
  });
}

Deno.test("keys within a key are explained too, and so is every code", () => {
  const text = Object.values(TOPICS).map((text) => text()).join("\n").replaceAll(/\s+/g, " ");
  const inner: [string, Table][] = [["hub", HUB_KEYS], ["limits", LIMIT_KEYS], ["keep", KEEP_KEYS]];
  for (const [key, table] of inner) {
    for (const [name, { doc }] of Object.entries(table)) {
      assert.ok(text.includes(`${key}.${name}: ${doc}`), name);
    }
  }
  for (const path of ["auth.basic.file", "auth.bearer.token_file", "tls.insecure"]) {
    assert.ok(text.includes(`${path}: `), path);
  }
  for (const [code, [status, title]] of Object.entries(CODES)) {
    assert.ok(text.includes(`${status} ${code} ${title}`), code);
  }
});

Deno.test("a topic is printed by its name, and a slip of one is told which was meant", async () => {
  await using rig = new Rig();
  assert.deepEqual(await rig.run(["help", "codes"]), { code: 0, stdout: `${TOPICS.codes()}\n`, stderr: "" });
  for (const text of Object.values(TOPICS)) {
    for (const line of text().split("\n")) assert.ok(line.length <= 110, line);
  }
  const slip = await rig.run(["help", "link.yaml"]);
  assert.equal(slip.code, 2);
  assert.match(slip.stderr, /did you mean links\.yaml\?/);
});

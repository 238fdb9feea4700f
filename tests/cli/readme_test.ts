/** The README is the reference: what is not in it, nobody can know of. */
import assert from "node:assert/strict";
import { VERBS } from "../../src/cli/main.ts";
import { HUB_ROOT_KEYS, KEEP_KEYS, LIMIT_KEYS } from "../../src/config/hub.ts";
import { LINK_KEYS, SERVICE_KEYS } from "../../src/config/keys.ts";
import { WORKSPACE_KEYS } from "../../src/config/workspaces.ts";
import { ROOT_KEYS } from "../../src/config/links.ts";
import { CODES } from "../../src/core/errors.ts";
import { Type } from "../../src/core/frame.ts";

const root = new URL("../../", import.meta.url);
const README = Deno.readTextFileSync(new URL("README.md", root));

/** What stands between backquotes. */
const CODE = new Set(README.match(/`[^`\n]+`/g)?.map((text) => text.slice(1, -1)));

const REFERENCE: Record<string, readonly string[]> = {
  "key of links.yaml": Object.keys(ROOT_KEYS),
  "key of a link": Object.keys(LINK_KEYS),
  "key of a service": Object.keys(SERVICE_KEYS).map((key) => `services.*.${key}`),
  "key of hub.yaml": [
    ...Object.keys(HUB_ROOT_KEYS).filter((key) => !["limits", "keep"].includes(key)),
    ...Object.keys(LIMIT_KEYS).map((key) => `limits.${key}`),
    ...Object.keys(WORKSPACE_KEYS).map((key) => `workspaces.*.${key}`),
    ...Object.keys(KEEP_KEYS).map((key) => `keep.${key}`),
  ],
  "code": Object.keys(CODES),
};

for (const [what, names] of Object.entries(REFERENCE)) {
  Deno.test(`the README names every ${what}`, () => {
    assert.deepEqual(names.filter((name) => !CODE.has(name)), []);
  });
}

Deno.test("the README names every flag as the help does, and every verb", () => {
  for (const { name, flags } of VERBS) {
    assert.match(README, new RegExp(`\\b${name}\\b`));
    for (const { name, short, value } of flags) {
      const text = `${short === undefined ? "" : `-${short}, `}--${name}${
        value === undefined ? "" : ` ${value}`
      }`;
      assert.ok(CODE.has(text), text);
    }
  }
});

Deno.test("the README has the frames as they are numbered", () => {
  for (const [name, number] of Object.entries(Type)) {
    assert.match(
      README,
      new RegExp(`^\\| (?:\\d+, )?${number}(?:, \\d+)? \\| (?:\\w+, )?${name}(?:, \\w+)? \\|`, "m"),
      name,
    );
  }
});

Deno.test("every file that the README shows or links to is there", () => {
  const links = [...README.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path);
  for (const path of links.filter((path) => !/^https?:/.test(path))) {
    assert.ok(Deno.statSync(new URL(path, root)).isFile, path);
  }
  assert.ok(links.length > 4);
});

Deno.test("there is a task for every verb", () => {
  const { tasks, version } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));
  for (const { name } of VERBS) {
    assert.match(tasks[name] ?? "", new RegExp(`--no-prompt .* mod\\.ts ${name}`), name);
  }
  assert.match(Deno.readTextFileSync(new URL("src/core/version.ts", root)), new RegExp(`"${version}"`));
});

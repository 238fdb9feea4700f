/** docs/upgrading.md and what the README says of running a hub: what is typed there is understood, what is said is so. */
import assert from "node:assert/strict";
import { VERBS } from "../../src/cli/main.ts";
import { readWords } from "../../src/cli/verb.ts";
import { VERSION } from "../../src/core/version.ts";
import { VERSION as PROTOCOL } from "../../src/wire/hello.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
const upgrading = read("docs/upgrading.md"), readme = read("README.md");

Deno.test("what is to be typed for a hub is understood by the command line", () => {
  const lines = [
    ...`${upgrading}\n${readme}`.matchAll(/^connectd (hub (?:check|reload|backup|restore)\b[^#\n]*)/gm),
  ];
  assert.ok(lines.length >= 7);
  for (const [, line] of lines) {
    const [name, ...words] = line.trim().split(/ +/);
    const { words: [action, ...files] } = readWords(VERBS.find((verb) => verb.name === name)!, words);
    assert.ok(files.length === (/backup|restore/.test(action) ? 1 : Math.min(files.length, 1)), line);
  }
});

Deno.test("the versions and files that an upgrade is about are those that there are", () => {
  const [, layout] = /^const LAYOUT = (\d+);/m.exec(read("src/store/sqlite_worker.ts"))!;
  assert.equal(upgrading.match(new RegExp(`\\| layout ${layout} \\|`, "g"))?.length, 2);
  assert.ok(upgrading.includes(`protocol \`connectd.${PROTOCOL}\`, version ${PROTOCOL}`));
  assert.ok(upgrading.includes(`checkout v${VERSION}`));
  for (const [, path] of upgrading.matchAll(/\/opt\/connectd\/(\S+\.ts)/g)) assert.ok(read(path));
  for (const [, path] of upgrading.matchAll(/\]\(([^)#]+)/g)) assert.ok(read(`docs/${path}`));
  for (const [, path] of upgrading.matchAll(/(config\/[\w.]+)/g)) assert.ok(read(path));
});

/** What an operator copies from config/ works as it stands, and as it stands with any comment taken away. */
import assert from "node:assert/strict";
import { config, hubConfig } from "./read.ts";

const folder = new URL("../../config/", import.meta.url);
const links = Deno.readTextFileSync(new URL("links.yaml", folder));
const hub = Deno.readTextFileSync(new URL("hub.yaml", folder));

/** A commented-out key, and not a sentence: `# key: value`, as deep as it will stand. */
const EXAMPLE = /^( *)# ( *[a-z][a-z0-9_]*:(?: .*)?)$/gm;

const uncommented = (text: string) => text.replace(EXAMPLE, "$1$2");

Deno.test("the first link of the example answers from echo, for ever, under a random name", () => {
  const first = [...config(links).links.values()][0];
  assert.deepEqual(first.target, { kind: "echo" });
  assert.deepEqual([first.ttlMs, first.until, first.subdomain], [null, null, null]);
});

Deno.test("the example runs on any machine: no hub to reach, no port to find taken, no file to find missing", () => {
  const { hubs, listen, control, tokenFile, links: entries } = config(links);
  assert.deepEqual([hubs, listen, control, tokenFile], [[], null, null, null]);
  for (const { auth, tls } of entries.values()) {
    assert.deepEqual([auth.basicFile, auth.bearerFile, tls], [null, null, null]);
  }
});

Deno.test("every commented-out example is valid as it stands", () => {
  for (const [text, read, least] of [[links, config, 15], [hub, hubConfig, 1]] as const) {
    assert.ok([...text.matchAll(EXAMPLE)].length >= least);
    read(text);
    read(uncommented(text));
  }
  const names = [...config(uncommented(links)).links.keys()];
  assert.deepEqual(names, ["hello", "webhook", "demo", "partner"]);
});

Deno.test("the examples name their schemas, and no other file that is not there", () => {
  for (const [name, text] of [["links", links], ["hub", hub]]) {
    assert.ok(text.startsWith(`# yaml-language-server: $schema=./${name}.schema.json\n`));
    for (const [, file] of text.matchAll(/\b([\w.-]+\.schema\.json|Caddyfile|[\w-]+\.service)\b/g)) {
      assert.ok(Deno.statSync(new URL(file, folder)).isFile, file);
    }
  }
});

Deno.test("the limits in hub.yaml are the defaults that it calls them", () => {
  assert.deepEqual(hubConfig(hub).limits, hubConfig("version: 1\n").limits);
});

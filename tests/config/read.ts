/** What the tests of links.yaml and hub.yaml have in common. */
import assert from "node:assert/strict";
import type { Entry } from "../../src/core/entry.ts";
import { type HubConfig, readHubConfig } from "../../src/config/hub.ts";
import { type Config, readConfig } from "../../src/config/links.ts";
import type { Problem } from "../../src/config/problem.ts";

export const NOW = Date.parse("2026-01-01T00:00:00Z");
export const OPTIONS = { file: "/etc/connectd/links.yaml", now: NOW, home: "/home/ann" };

/** The problems of a links.yaml, as `line:column severity code`. */
export function problemsOf(text: string): string[] {
  return readConfig(text, OPTIONS).problems.map(short);
}

/** The problems of a hub.yaml, as `line:column severity code`. */
export function hubProblemsOf(text: string): string[] {
  return readHubConfig(text, OPTIONS).problems.map(short);
}

/** `line:column severity code`. */
export function short({ line, column, severity, code }: Problem): string {
  return `${line}:${column} ${severity} ${code}`;
}

/** The only problem of a links.yaml. */
export function problemOf(text: string): Problem {
  const { problems } = readConfig(text, OPTIONS);
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return problems[0];
}

/** A links.yaml without a problem. */
export function config(text: string): Config {
  const { config, problems } = readConfig(text, OPTIONS);
  assert.deepEqual(problems, []);
  assert.ok(config !== null);
  return config;
}

/** A hub.yaml without a problem. */
export function hubConfig(text: string): HubConfig {
  const { config, problems } = readHubConfig(text, OPTIONS);
  assert.deepEqual(problems, []);
  assert.ok(config !== null);
  return config;
}

/** The link of a links.yaml that has one, `a`, with these keys; `above` stands before the links. */
export function link(keys: string, above = ""): Entry {
  const entry = config(`version: 1\n${above}links:\n  a: { ${keys} }\n`).links.get("a");
  assert.ok(entry !== undefined);
  return entry;
}

const VECTORS = new URL("../vectors/configs/", import.meta.url);

/** The texts of a folder's fixtures by name. A folder that yields none is a mistake, not a success. */
export function fixtures(kind: string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { name } of Deno.readDirSync(new URL(`${kind}/`, VECTORS))) {
    if (name.endsWith(".yaml")) texts.set(name, Deno.readTextFileSync(new URL(`${kind}/${name}`, VECTORS)));
  }
  assert.ok(texts.size > 0, `no fixtures in ${VECTORS.pathname}${kind}`);
  return texts;
}

/** A folder of a test's own, gone at its end. */
export class Folder {
  readonly path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "connectd-" }));

  /** The path of a file in it, written when there is text for it. */
  file(name: string, content?: string | Uint8Array): string {
    const path = `${this.path}/${name}`;
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else if (content !== undefined) Deno.writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

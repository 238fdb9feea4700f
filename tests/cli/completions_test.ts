/** Real shells are given the scripts, and asked what they offer. */
import assert from "node:assert/strict";
import { offersOf } from "../../src/cli/completions.ts";
import { bashScript } from "../../src/cli/completions/bash.ts";
import { fishScript } from "../../src/cli/completions/fish.ts";
import { zshScript } from "../../src/cli/completions/zsh.ts";
import { VERBS } from "../../src/cli/main.ts";
import { packaged, Rig } from "../e2e/rig.ts";
import { Terminal } from "./terminal.ts";

const root = new URL("../../", import.meta.url).pathname;
const GRANTS = "--no-prompt --allow-net --allow-read --allow-write --allow-env";
const LINKS = "version: 1\nlinks:\n  stripe: { target: echo }\n  staging: { target: echo }\n";

/** What each shell has to offer behind a line whose last word is half typed. */
const CASES: [line: string[], offered: string[]][] = [
  [["rev"], ["revoke"]],
  [["re"], ["reload", "renew", "replay", "requests", "revoke"]],
  [["link", "--ex"], ["--expires"]],
  [["link", "echo", "--me"], ["--methods"]],
  [["--log-f"], ["--log-format"]],
  [["run", "--log-level", ""], ["debug", "error", "info", "warn"]],
  [["token", "re"], ["revoke"]],
  [["token", "create", "--scope", "d"], ["daemon"]],
  [["completions", ""], ["bash", "fish", "zsh"]],
  [["help", "ren"], ["renew"]],
  [["check", "some"], ["some file.yaml", "some.yaml"]],
  [["run", "-c", "some"], ["some file.yaml", "some.yaml"]],
  [["list", "--state", "fold"], ["folder"]],
  [["revoke", "st"], ["staging", "stripe"]],
];

/** A daemon with two links, files to be found, `connectd` on PATH, and the script of `shell`. */
async function world(rig: Rig, shell: string): Promise<{ env: Record<string, string>; script: string }> {
  const { state } = await rig.daemon(LINKS);
  const bin = `${rig.folder}/bin`;
  Deno.mkdirSync(bin);
  Deno.writeTextFileSync(
    `${bin}/connectd`,
    `#!/bin/sh\nexec '${Deno.execPath()}' run ${GRANTS} '${root}mod.ts' "$@"\n`,
    {
      mode: 0o755,
    },
  );
  for (const name of ["some.yaml", "some file.yaml"]) rig.file(name, "");
  Deno.mkdirSync(`${rig.folder}/folder`);
  const made = await rig.run(["completions", shell]);
  assert.deepEqual([made.code, made.stderr], [0, ""]);
  return {
    env: { PATH: `${bin}:${Deno.env.get("PATH")}`, STATE_DIRECTORY: state, HOME: rig.folder },
    script: rig.file(`script.${shell}`, made.stdout),
  };
}

/** A word between single quotes, for any of the shells. */
function quote(word: string): string {
  return `'${word}'`;
}

Deno.test("bash completes verbs, flags, their values, files and the names of links", async () => {
  const bash = packaged("bash", "bash");
  if (bash === null) return;
  await using rig = new Rig();
  const { env, script } = await world(rig, "bash");
  const ask = CASES.map(([line]) =>
    `COMP_WORDS=(connectd ${
      line.map(quote).join(" ")
    }); COMP_CWORD=${line.length}; _connectd; printf '%s\\n' "\${COMPREPLY[@]}" --`
  );
  const { code, stdout, stderr } = await rig.spawn(
    bash,
    ["--norc", "-c", `. '${script}'\n${ask.join("\n")}`],
    env,
  ).ended();
  assert.deepEqual([code, stderr], [0, ""]);
  check(stdout.split("--\n").slice(0, -1).map((text) => text.split("\n").filter(Boolean)));
  // As readline splits it.
  const equals = await rig.spawn(
    bash,
    [
      "--norc",
      "-c",
      `. '${script}'\nCOMP_WORDS=(connectd run --log-level = de); COMP_CWORD=4; _connectd; echo "\${COMPREPLY[@]}"`,
    ],
    env,
  ).ended();
  assert.equal(equals.stdout, "debug\n");
});

Deno.test("fish completes verbs, flags, their values, files and the names of links", async () => {
  const fish = packaged("fish", "fish");
  if (fish === null) return;
  await using rig = new Rig();
  const { env, script } = await world(rig, "fish");
  const ask = CASES.map(([line]) => `complete -C 'connectd ${line.join(" ")}'; echo ==`);
  const { code, stdout, stderr } = await rig.spawn(
    fish,
    ["--no-config", "-c", `source '${script}'\n${ask.join("\n")}`],
    env,
  ).ended();
  assert.deepEqual([code, stderr], [0, ""]);
  check(
    stdout.split("==\n").slice(0, -1).map((text) =>
      text.split("\n").filter(Boolean).map((line) =>
        line.split("\t")[0].replace(/\/$/, "").replaceAll("\\ ", " ")
      )
    ),
  );
});

function check(offered: readonly string[][]): void {
  assert.equal(offered.length, CASES.length);
  CASES.forEach(([line, expected], i) => assert.deepEqual(offered[i].sort(), expected, line.join(" ")));
}

Deno.test("zsh completes verbs, flags, their values, files and the names of links", async () => {
  if (packaged("script", "bsdutils") === null) return;
  const zsh = packaged("zsh", "zsh");
  if (zsh === null) return;
  await using rig = new Rig();
  const { env, script } = await world(rig, "zsh");
  await using terminal = new Terminal([zsh, "-f", "-i"], { cwd: rig.folder, env });
  const setup = rig.file(
    "setup.zsh",
    `PROMPT='ready> '; autoload -Uz compinit; compinit -D -u; . '${script}'\n`,
  );
  await terminal.type(`. '${setup}'\r`);
  await terminal.until(/ready> /);
  for (const [i, [line, expected]] of CASES.entries()) {
    const at = terminal.text.length;
    // One that is left is typed out; of several there is a list.
    await terminal.type(`connectd ${line.join(" ")}\t`);
    for (const word of expected) {
      const shown = word.replaceAll(" ", "\\\\? ").replaceAll(".", "\\.");
      await terminal.until(new RegExp(`${shown}(?![\\w-])`), at);
    }
    await terminal.type(`\x15print $((${i} + 1000))\r`);
    await terminal.until(new RegExp(`${i + 1000}[^]*ready> `), at);
  }
});

Deno.test("every verb is offered, with every flag, in every shell", () => {
  const offers = offersOf(VERBS, []);
  assert.deepEqual(offers.map(({ verb }) => verb), VERBS.map(({ name }) => name));
  for (const script of [bashScript, zshScript, fishScript]) {
    const text = script(offers);
    for (const { verb, flags } of offers) {
      assert.match(text, new RegExp(`\\b${verb}\\b`));
      for (const { flag } of flags) assert.match(text, new RegExp(`(--|-l )${flag.name}\\b`), verb);
    }
  }
});

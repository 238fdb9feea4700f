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
  [["re"], ["reach", "reload", "renew", "replay", "requests", "revoke"]],
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

/** A daemon with two links, files to be found, and `connectd` on PATH. */
async function world(rig: Rig): Promise<Record<string, string>> {
  const { state } = await rig.daemon(LINKS);
  const bin = `${rig.folder}/bin`;
  Deno.mkdirSync(bin);
  const program = `#!/bin/sh\nexec '${Deno.execPath()}' run ${GRANTS} '${root}mod.ts' "$@"\n`;
  Deno.writeTextFileSync(`${bin}/connectd`, program, { mode: 0o755 });
  for (const name of ["some.yaml", "some file.yaml"]) rig.file(name, "");
  Deno.mkdirSync(`${rig.folder}/folder`);
  return { PATH: `${bin}:${Deno.env.get("PATH")}`, STATE_DIRECTORY: state, HOME: rig.folder };
}

/** A shell's answers to all of CASES, each in order of the alphabet. */
type Shell = (rig: Rig, program: string, env: Record<string, string>, script: string) => Promise<string[][]>;

const SHELLS: Readonly<Record<string, Shell>> = {
  async bash(rig, program, env, script) {
    const ask = CASES.map(([line]) => {
      const words = line.map((word) => `'${word}'`).join(" ");
      return `COMP_WORDS=(connectd ${words}); COMP_CWORD=${line.length}; _connectd; printf '%s\\n' "\${COMPREPLY[@]}" --`;
    });
    const { code, stdout, stderr } = await rig.spawn(
      program,
      ["--norc", "-c", `. '${script}'\n${ask.join("\n")}`],
      env,
    ).ended();
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout.split("--\n").slice(0, -1).map((text) => text.split("\n").filter(Boolean).sort());
  },
  async fish(rig, program, env, script) {
    const ask = CASES.map(([line]) => `complete -C 'connectd ${line.join(" ")}'; echo ==`);
    const { code, stdout, stderr } = await rig.spawn(
      program,
      ["--no-config", "-c", `source '${script}'\n${ask.join("\n")}`],
      env,
    ).ended();
    assert.deepEqual([code, stderr], [0, ""]);
    const word = (line: string) => line.split("\t")[0].replace(/\/$/, "").replaceAll("\\ ", " ");
    return stdout.split("==\n").slice(0, -1).map((text) => text.split("\n").filter(Boolean).map(word).sort());
  },
  /** Has no way to be asked but by its keys. */
  async zsh(rig, program, env, script) {
    await using terminal = new Terminal([program, "-f", "-i"], { cwd: rig.folder, env });
    await terminal.until(/[%#] /);
    const start = `PROMPT='ready> '; autoload -Uz compinit; compinit -D -u; . '${script}'\n`;
    await terminal.type(`. '${rig.file("setup.zsh", start)}'\r`);
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
    return CASES.map(([, expected]) => expected);
  },
};

Deno.test("bash, fish and zsh complete verbs, flags, their values, files and the names of links", async () => {
  const shells = Object.entries(SHELLS).flatMap(([name, ask]) => {
    const program = packaged(name, name);
    const there = program !== null && (name !== "zsh" || packaged("script", "bsdutils") !== null);
    return there ? [{ name, ask, program }] : [];
  });
  await using rig = new Rig();
  const env = await world(rig);
  await Promise.all(shells.map(async ({ name, ask, program }) => {
    const made = await rig.run(["completions", name]);
    assert.deepEqual([made.code, made.stderr], [0, ""]);
    const offered = await ask(rig, program, env, rig.file(`script.${name}`, made.stdout));
    assert.equal(offered.length, CASES.length, name);
    CASES.forEach(([line, expected], i) =>
      assert.deepEqual(offered[i], expected, `${name}: ${line.join(" ")}`)
    );
  }));
});

Deno.test("bash completes the value behind --flag=, which comes to it as words of their own", async () => {
  const bash = packaged("bash", "bash");
  if (bash === null) return;
  await using rig = new Rig();
  const script = rig.file("script.bash", bashScript(offersOf(VERBS, [])));
  const ask =
    `. '${script}'; COMP_WORDS=(connectd run --log-level = de); COMP_CWORD=4; _connectd; echo "\${COMPREPLY[@]}"`;
  assert.equal((await rig.spawn(bash, ["--norc", "-c", ask]).ended()).stdout, "debug\n");
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

import assert from "node:assert/strict";
import { authFiles, checkAuthFiles } from "../../src/config/auth_files.ts";
import { loadConfig } from "../../src/config/load.ts";
import { printProblem } from "../../src/config/problem.ts";
import { config, Folder, NOW } from "./read.ts";

const HASH = "$2y$05$" + "a".repeat(53);

Deno.test("every auth file that a link leans on is listed once for each kind, defaults too", () => {
  const files = authFiles(config(
    "version: 1\ndefaults: { auth: { basic: { file: ./p } } }\nlinks:\n  a: { target: echo }\n  b: { target: echo }\n" +
      "  c:\n    target: echo\n    auth: { basic: { file: /etc/connectd/p }, bearer: { token_file: p } }\n",
  ));
  assert.deepEqual(files, [
    { kind: "basic", path: "/etc/connectd/p", link: "a", line: 2 },
    { kind: "bearer", path: "/etc/connectd/p", link: "c", line: 8 },
  ]);
});

Deno.test("what is wrong in an auth file is told with its own line, and its text is not shown", async () => {
  using folder = new Folder();
  folder.file("good.htpasswd", `ann:${HASH}\n`);
  const bad = folder.file("bad.htpasswd", `ann:${HASH}\n\nbob:hunter2\n:x\n`);
  const short = folder.file("short.tokens", "0123456789abcdef\nsecret\n");
  const gone = folder.file("gone.tokens");
  const file = folder.file(
    "links.yaml",
    "version: 1\nlinks:\n  a: { target: echo, auth: { basic: { file: good.htpasswd } } }\n" +
      "  b: { target: echo, auth: { basic: { file: bad.htpasswd }, bearer: { token_file: short.tokens } } }\n" +
      "  c: { target: echo, auth: { bearer: { token_file: gone.tokens } } }\n",
  );
  const { config } = await loadConfig(file, NOW);
  assert.ok(config !== null, "an auth file refuses no configuration");
  const problems = await checkAuthFiles(config);
  assert.deepEqual(
    problems.map((p) => `${p.file}:${p.line}:${p.column} ${p.severity} ${p.code}`),
    [`${bad}:3:1`, `${bad}:4:1`, `${short}:2:1`, `${gone}:1:1`].map((place) =>
      `${place} error bad_auth_file`
    ),
  );
  assert.equal(problems[0].hint, `the link "b" needs it (${file}:4)`);
  assert.match(problems[3].message, /there is no file/);
  for (const problem of problems) assert.doesNotMatch(printProblem(problem), /hunter2|secret/);
});

Deno.test("an auth file that is a directory or larger than 1 MiB is a problem", async () => {
  using folder = new Folder();
  const big = folder.file("big", "#".repeat(1024 * 1024 + 1));
  const auth = (path: string) => ({ basic: { file: path } });
  const text = JSON.stringify({
    version: 1,
    links: { a: { target: "echo", auth: auth(folder.path) }, b: { target: "echo", auth: auth(big) } },
  });
  const problems = await checkAuthFiles(config(text));
  assert.deepEqual(problems.map((p) => p.file), [folder.path, big]);
  assert.match(problems[0].message, /is a directory/);
  assert.match(problems[1].message, /larger than 1024 KiB/);
});

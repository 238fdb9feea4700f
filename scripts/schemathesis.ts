/**
 * Lets schemathesis (PyPI) ask the APIs of a daemon and a hub what their documents say, and what they do not: every check
 * that it has. Prints what it finds; exits 1.
 *
 *     deno task schemathesis [--examples 30] [--seed 1] [--only daemon|hub]
 *
 * It is installed into a folder of its own below the cache folder, once.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { startPair } from "../tests/e2e/pair.ts";
import { curl, Rig } from "../tests/e2e/rig.ts";

const VERSION = "4.32.5";

/** DELETE revokes: what was revoked is still there to be looked at, and a link to be renewed. */
const REVOKED_STAYS = "use_after_free";

const LINKS = `  demo: { target: echo, ttl: 1h, inspect: bodies }
  dated: { target: echo, until: 2999-01-01T00:00:00Z, subdomain: dated }
remote: manage
services:
  web: { target: echo, remote: true }
  own: echo
  db: { target: "tcp://127.0.0.1:5432", access: private }
`;

const { values } = parseArgs({
  options: {
    examples: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});

const program = await installed();
await using rig = new Rig();
const pair = await startPair(rig, LINKS);
// Something to look at.
for (const path of ["/", "/?status=503", "/?bytes=1000"]) {
  await curl(
    `http://dated.localhost:${pair.port}${path}`,
    "--resolve",
    `dated.localhost:${pair.port}:127.0.0.1`,
  );
}
const state = `${rig.folder}/hub`;
const admin = (await rig.run(["token", "create", "--scope", "admin", "--state", state])).stdout.trim();
const apis: Record<string, { document: string; token: string }> = {
  daemon: { document: `${pair.control}/openapi.json`, token: pair.token },
  hub: { document: `http://127.0.0.1:${pair.port}/v1/openapi.json`, token: admin },
};
let failed = 0;
for (const [name, { document, token }] of Object.entries(apis)) {
  if (values.only !== undefined && values.only !== name) continue;
  console.log(`schemathesis: the ${name}`);
  if (!await run(document, token)) failed++;
  // A run whose token was revoked on its way has asked for nothing but 401.
  const { status } = await curl(document, "-H", `Authorization: Bearer ${token}`);
  if (status === 200) continue;
  failed++;
  console.error(`${name}: the token was good no more: ${status}`);
}
for (const [name, { stderr }] of Object.entries({ daemon: pair.daemon, hub: pair.hub })) {
  const errors = stderr.split("\n").filter((line) => line.includes("an API call failed"));
  if (errors.length > 0) failed++;
  for (const line of errors.slice(0, 20)) console.error(`${name}: ${line}`);
}
process.exitCode = failed > 0 ? 1 : 0;

/** True where nothing was found. The token goes by the environment: arguments are everybody's to read. */
async function run(document: string, token: string): Promise<boolean> {
  const { success } = await new Deno.Command(program, {
    args: [
      ...["--config-file", new URL("schemathesis/schemathesis.toml", import.meta.url).pathname],
      ...["run", document, "--checks", "all", "--exclude-checks", REVOKED_STAYS],
      ...["--seed", values.seed, "--max-examples", values.examples],
    ],
    env: { CONNECTD_TOKEN: token, NO_COLOR: "1" },
    cwd: rig.folder,
    stdin: "null",
  }).output().then((output) => {
    if (!output.success) console.log(new TextDecoder().decode(output.stdout));
    else console.log(lastLine(new TextDecoder().decode(output.stdout)));
    console.error(new TextDecoder().decode(output.stderr));
    return output;
  });
  return success;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)!.replaceAll("=", "").trim();
}

/** The path of the program. */
async function installed(): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const folder = `${cache}/connectd/schemathesis-${VERSION}`, path = `${folder}/bin/schemathesis`;
  try {
    Deno.statSync(path);
    return path;
  } catch {
    // Not yet.
  }
  Deno.mkdirSync(folder, { recursive: true });
  await must("python3", ["-m", "venv", folder], "apt-get install python3-venv");
  await must(
    `${folder}/bin/pip`,
    ["install", "--quiet", `schemathesis==${VERSION}`],
    "is PyPI within reach?",
  );
  return path;
}

async function must(command: string, args: readonly string[], hint: string): Promise<void> {
  const { success } = await new Deno.Command(command, { args: [...args], stdin: "null" }).spawn().status;
  if (success) return;
  console.error(`${command} ${args.join(" ")} failed: ${hint}`);
  Deno.exit(1);
}

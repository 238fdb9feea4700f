/** `connectd token`: credentials of a hub, made, listed, rotated and revoked; logins, approved and denied. */
import { Failure } from "../core/errors.ts";
import { checkName } from "../core/names.ts";
import { parseDuration } from "../core/units.ts";
import { SCOPES } from "../hub/tokens.ts";
import { oneLine } from "../log.ts";
import { HUB_CONFIG_FLAG } from "./hub_settings.ts";
import { oneOf } from "./log_flags.ts";
import { complain, out, outJson, relative, table } from "./print.ts";
import { CA_FLAG, HUB_FLAG, JSON_FLAG, STATE_FLAG, TOKEN_FLAG } from "./reach.ts";
import { checkSecretFile, writeSecretFile } from "./secret_file.ts";
import {
  type LoginAnswer,
  type LoginJson,
  type NewTokenJson,
  type TokenDesk,
  type TokenJson,
  withTokens,
} from "./tokens.ts";
import { type Flag, type Given, on, orUsage, parsed, text, UsageError, type Verb } from "./verb.ts";

const ACTIONS = ["create", "list", "rotate", "revoke", "approve", "deny"] as const;
type Action = typeof ACTIONS[number];

/** Flags that only some actions understand, and which. */
const OWN_FLAGS: readonly (Flag & { readonly of: readonly Action[] })[] = [
  {
    ...{ name: "scope", value: "SCOPE", choices: SCOPES, of: ["create", "approve"] },
    help: `create, approve: ${SCOPES.join(", ")}`,
  },
  {
    ...{ name: "workspace", value: "NAME", of: ["create", "approve"] },
    help: "create, approve: the workspace it is for (default: default)",
  },
  {
    ...{ name: "name", value: "NAME", of: ["create", "approve"] },
    help: "create, approve: what to call it (default: made of its scope)",
  },
  {
    ...{ name: "expires", short: "e", value: "TIME", of: ["create", "approve"] },
    help: "create, approve: how long it is good, as in 90d (default: never)",
  },
  {
    ...{ name: "overlap", value: "TIME", of: ["rotate"] },
    help: "rotate: how long the old secret is good, too (default 1h)",
  },
  {
    ...{ name: "out", value: "FILE", of: ["create", "rotate"] },
    help: "create, rotate: put it into this file (0600), whole and at once, instead of printing it",
  },
];

export const token: Verb = {
  name: "token",
  words: `${ACTIONS.join("|")} [ID…]`,
  count: [1, Infinity],
  summary:
    "Makes, lists, rotates and revokes the tokens of a hub: the one on this machine, or with --hub another.",
  more:
    "`create` prints the token, once, and nothing else on stdout: connectd token create --scope daemon > token\n" +
    "`rotate` and `revoke` take ids or names. A rotated token has a new secret; the old one is good for the overlap.\n" +
    "Live sessions of a revoked token end at once. `approve` and `deny` take the code that `connectd login` shows.",
  flags: [
    ...OWN_FLAGS.map(({ of: _of, ...flag }) => flag),
    { ...HUB_FLAG, help: "ask this hub, with an admin's token, instead of the one on this machine" },
    { ...TOKEN_FLAG, help: "the admin's token for --hub" },
    CA_FLAG,
    { ...STATE_FLAG, help: "the hub's state directory" },
    HUB_CONFIG_FLAG,
    JSON_FLAG,
  ],
  async run(given) {
    const [written, ...ids] = given.words;
    const action = orUsage("", () => oneOf(written, ACTIONS));
    refuseFlags(given, action);
    refuseWords(action, ids);
    const json = on(given, "json");
    await withTokens(given, await workOf(given, action, ids, json), action === "create");
    return 0;
  },
};

/** What `action` does at the desk; what was typed has been read, and a file can be written, before anything is asked. */
async function workOf(
  given: Given,
  action: Action,
  ids: readonly string[],
  json: boolean,
): Promise<(desk: TokenDesk) => Promise<void>> {
  if (action === "list") return (desk) => list(desk, json);
  if (action === "revoke") return (desk) => revoke(desk, ids, json);
  if (action === "approve") {
    const ask = readAsk(given);
    return (desk) => approve(desk, ids[0], ask, json);
  }
  if (action === "deny") return (desk) => deny(desk, ids[0], json);
  const file = text(given, "out");
  if (action === "create") {
    const ask = readAsk(given), { scope } = ask;
    if (scope === null) {
      throw new UsageError("`token create` needs --scope", { hint: `one of ${SCOPES.join(", ")}` });
    }
    if (file !== null) await checkSecretFile(file);
    return async (desk) => give(await desk.create({ ...ask, scope }), "made", file, json);
  }
  const overlapMs = parsed(given, "overlap", readOverlap);
  if (file !== null) await checkSecretFile(file);
  return async (desk) => give(await desk.rotate(ids[0], overlapMs), "rotated", file, json);
}

function refuseFlags(given: Given, action: Action): void {
  for (const { name, of } of OWN_FLAGS) {
    if (given.flags[name] === undefined || of.includes(action)) continue;
    throw new UsageError(`--${name} is for \`token ${of.join("` and `")}\`, not \`${action}\``);
  }
}

function refuseWords(action: Action, words: readonly string[]): void {
  const [least, most] = action === "revoke" ? [1, Infinity] : /create|list/.test(action) ? [0, 0] : [1, 1];
  const needed = /approve|deny/.test(action) ? "CODE" : action === "revoke" ? "ID…" : "ID";
  if (words.length < least) throw new UsageError(`\`token ${action}\` needs ${needed}`);
  if (words.length > most) {
    throw new UsageError(`\`token ${action}\` takes no word like ${JSON.stringify(words[most])}`);
  }
}

function readAsk(given: Given): LoginAnswer {
  return {
    scope: parsed(given, "scope", (text) => oneOf(text, SCOPES)),
    workspace: parsed(given, "workspace", nameOf),
    name: parsed(given, "name", nameOf),
    ttlMs: parsed(given, "expires", parseDuration),
  };
}

function readOverlap(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new SyntaxError("the old secret has to end: write a duration such as 1h");
  return ms;
}

function nameOf(text: string): string {
  checkName(text);
  return text;
}

/** Hands the token over: into `file`, else to stdout. */
async function give(made: NewTokenJson, done: string, file: string | null, json: boolean): Promise<void> {
  const { token, name, scope, workspace, expiresAt, previousEndsAt } = made, now = Date.now();
  const kept = file === null ? null : await writeSecretFile(file, token);
  // Alone on stdout, so that `> token` makes the file that a daemon reads.
  if (json) outJson(kept === null ? made : { ...made, token: undefined, file: kept });
  else if (kept === null) out(token);
  if (json) return;
  const where = kept === null ? "It is shown this once." : `It is in ${kept}.`;
  const old = previousEndsAt === null ? "" : ` The old secret ends ${relative(previousEndsAt, now)}.`;
  complain(
    `${done} ${name}: scope ${scope}, workspace ${workspace}, expires ${
      relative(expiresAt, now)
    }. ${where}${old}`,
  );
}

async function approve(desk: TokenDesk, code: string, ask: LoginAnswer, json: boolean): Promise<void> {
  const login = await desk.lookUp(code);
  complain(describe(login, ask.scope ?? login.scope));
  // A code that somebody else sent is how people are made to let a stranger in: who approves sees what for.
  if (Deno.stdin.isTerminal() && !confirm("Let it in?")) {
    throw new Failure("nobody was let in", { hint: "`connectd token deny CODE` ends it at once" });
  }
  await desk.approve(code, ask);
  if (json) outJson(login);
  else out("approved: it has its token within a few seconds");
}

async function deny(desk: TokenDesk, code: string, json: boolean): Promise<void> {
  const login = await desk.deny(code);
  if (json) outJson(login);
  else out("denied");
}

function describe({ address, software, createdAt }: LoginJson, scope: string): string {
  const by = oneLine(software) || "a program that says no name";
  return `${by} at ${address} asked ${relative(createdAt, Date.now())} to be let in as ${scope}`;
}

async function list(desk: TokenDesk, json: boolean): Promise<void> {
  const items = await desk.list();
  if (json) outJson({ items, nextCursor: null });
  else out(tokenTable(items, Date.now()));
}

/** The table of `token list`. */
export function tokenTable(tokens: readonly TokenJson[], now: number): string {
  const rows = tokens.map((token) => [
    token.id,
    token.name,
    token.scope,
    token.workspace,
    relative(token.createdAt, now),
    token.lastUsedAt === null ? "never" : relative(token.lastUsedAt, now),
    token.revokedAt === null ? relative(token.expiresAt, now) : "revoked",
  ]);
  const empty = "no tokens: make one with `connectd token create --scope daemon`";
  return table(["id", "name", "scope", "workspace", "made", "used", "expires"], rows, empty);
}

async function revoke(desk: TokenDesk, ids: readonly string[], json: boolean): Promise<void> {
  const revoked: TokenJson[] = [];
  for (const id of ids) {
    const token = await desk.revoke(id);
    revoked.push(token);
    // At once: what comes after it may fail.
    if (!json) out(`revoked ${token.name} (${token.id})`);
  }
  if (json) outJson(revoked.length === 1 ? revoked[0] : { items: revoked, nextCursor: null });
}

/** `connectd token`: credentials of a hub, made, listed and revoked. */
import { checkName } from "../core/names.ts";
import { parseDuration } from "../core/units.ts";
import { SCOPES } from "../hub/tokens.ts";
import { HUB_CONFIG_FLAG } from "./hub_settings.ts";
import { oneOf } from "./log_flags.ts";
import { complain, out, outJson, relative, table } from "./print.ts";
import { HUB_FLAG, JSON_FLAG, STATE_FLAG, TOKEN_FLAG } from "./reach.ts";
import { type TokenAsk, type TokenDesk, type TokenJson, withTokens } from "./tokens.ts";
import { type Given, on, orUsage, parsed, UsageError, type Verb } from "./verb.ts";

const ACTIONS = ["create", "list", "revoke"] as const;

/** Flags that only `create` understands. */
const CREATE_FLAGS = [
  { name: "scope", value: "SCOPE", choices: SCOPES, help: `create: ${SCOPES.join(", ")}` },
  { name: "workspace", value: "NAME", help: "create: the workspace it is for (default: default)" },
  { name: "name", value: "NAME", help: "create: what to call it (default: made of its scope)" },
  {
    name: "expires",
    short: "e",
    value: "TIME",
    help: "create: how long it is good, as in 90d (default: never)",
  },
];

export const token: Verb = {
  name: "token",
  words: "create|list|revoke [ID…]",
  count: [1, Infinity],
  summary: "Makes, lists and revokes the tokens of a hub: the one on this machine, or with --hub another.",
  more:
    "`create` prints the token, once, and nothing else on stdout: connectd token create --scope daemon > token\n" +
    "`revoke` takes ids or names; live sessions of the token end at once.",
  flags: [
    ...CREATE_FLAGS,
    { ...HUB_FLAG, help: "ask this hub, with an admin's token, instead of the one on this machine" },
    { ...TOKEN_FLAG, help: "the admin's token for --hub" },
    { ...STATE_FLAG, help: "the hub's state directory" },
    HUB_CONFIG_FLAG,
    JSON_FLAG,
  ],
  async run(given) {
    const [written, ...ids] = given.words;
    const action = orUsage("", () => oneOf(written, ACTIONS));
    if (action !== "create") refuseFlags(given, action);
    if (action === "revoke" && ids.length === 0) throw new UsageError("`token revoke` needs ID…");
    if (action !== "revoke" && ids.length > 0) {
      throw new UsageError(`\`token ${action}\` takes no word like ${JSON.stringify(ids[0])}`);
    }
    const ask = action === "create" ? readAsk(given) : null;
    const json = on(given, "json");
    await withTokens(given, (desk) => {
      if (ask !== null) return create(desk, ask, json);
      return action === "list" ? list(desk, json) : revoke(desk, ids, json);
    });
    return 0;
  },
};

function refuseFlags(given: Given, action: string): void {
  for (const { name } of CREATE_FLAGS) {
    if (given.flags[name] !== undefined) {
      throw new UsageError(`--${name} is for \`token create\`, not \`${action}\``);
    }
  }
}

function readAsk(given: Given): TokenAsk {
  const scope = parsed(given, "scope", (text) => oneOf(text, SCOPES));
  if (scope === null) {
    throw new UsageError("`token create` needs --scope", { hint: `one of ${SCOPES.join(", ")}` });
  }
  return {
    scope,
    workspace: parsed(given, "workspace", nameOf),
    name: parsed(given, "name", nameOf),
    ttlMs: parsed(given, "expires", parseDuration),
  };
}

function nameOf(text: string): string {
  checkName(text);
  return text;
}

async function create(desk: TokenDesk, ask: TokenAsk, json: boolean): Promise<void> {
  const made = await desk.create(ask);
  if (json) return outJson(made);
  const { token, name, scope, workspace, expiresAt } = made;
  // Alone on stdout, so that `> token` makes the file that a daemon reads.
  out(token);
  const end = relative(expiresAt, Date.now());
  complain(`made ${name}: scope ${scope}, workspace ${workspace}, expires ${end}. It is shown this once.`);
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
    token.revokedAt === null ? relative(token.expiresAt, now) : "revoked",
  ]);
  const empty = "no tokens: make one with `connectd token create --scope daemon`";
  return table(["id", "name", "scope", "workspace", "made", "expires"], rows, empty);
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

/** Where the token verb does its work: at a hub that runs, or on the store of one that does not. */
import { Failure } from "../core/errors.ts";
import { DEFAULT_WORKSPACE, OVERLAP_MS, printToken } from "../hub/api_tokens.ts";
import { hubSocketPath, openTokens, StoreTaken } from "../hub/place.ts";
import type { Scope } from "../hub/tokens.ts";
import { ApiClient, Unanswered, Unreached } from "./client.ts";
import { isFile } from "./find.ts";
import { hubConfigOf, noStore, storePathOf } from "./hub_settings.ts";
import { complain } from "./print.ts";
import { hubOf, makeState, stateOf, withHub } from "./reach.ts";
import type { Given } from "./verb.ts";

/** A token as the hub's API prints it. */
export type TokenJson = ReturnType<typeof printToken>;

/** What a new token shall be; null: the default. */
export interface TokenAsk {
  readonly scope: Scope;
  readonly workspace: string | null;
  readonly name: string | null;
  readonly ttlMs: number | null;
}

/** A token whose secret is seen this once. */
export type NewTokenJson = TokenJson & { token: string };

/** What a login shall be let in as; null: as it asks, or the default. */
export type LoginAnswer = Omit<TokenAsk, "scope"> & { readonly scope: Scope | null };

/** A login that waits, as the hub's API prints it. */
export interface LoginJson {
  readonly scope: Scope;
  readonly address: string;
  readonly software: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** Makes, lists, rotates and revokes tokens, and decides about logins. */
export interface TokenDesk {
  create(ask: TokenAsk): Promise<NewTokenJson>;
  list(): Promise<TokenJson[]>;
  /** `overlapMs`: null: the default. */
  rotate(idOrName: string, overlapMs: number | null): Promise<NewTokenJson>;
  revoke(idOrName: string): Promise<TokenJson>;
  lookUp(code: string): Promise<LoginJson>;
  approve(code: string, answer: LoginAnswer): Promise<LoginJson>;
  deny(code: string): Promise<LoginJson>;
}

/**
 * Works at the desk that the flags name: of `--hub`, else of the hub on the state directory, else its store, which is
 * made there if `make` says so. Throws Failure where none is.
 */
export async function withTokens<T>(
  given: Given,
  work: (desk: TokenDesk) => Promise<T>,
  make = false,
): Promise<T> {
  if (hubOf(given) !== null) return await withHub(given, (api) => work(atHub(api)));
  const store = storePathOf(given, await hubConfigOf(given));
  const state = stateOf(given);
  const api = new ApiClient({ socket: hubSocketPath(state) });
  try {
    return await work(atHub(api));
  } catch (error) {
    // No hub runs here, so nobody minds.
    if (!(error instanceof Unreached)) throw error instanceof Unanswered ? unsure(error) : error;
    if (make) await makeState(state);
    else if (!isFile(store)) throw noStore(state, store);
    return await onStore(state, store, work);
  }
}

/** One that was rotated once more would not have its old secret any longer. */
function unsure(cause: Unanswered): Failure {
  const hint = "see with `connectd token list` whether the hub has done it before you say it again";
  return new Failure(cause.message, { hint, cause });
}

function atHub(api: ApiClient): TokenDesk {
  const said = ({ scope, workspace, name, ttlMs }: LoginAnswer) => ({
    ...(scope === null ? {} : { scope }),
    ...(workspace === null ? {} : { workspace }),
    ...(name === null ? {} : { name }),
    ...(ttlMs === null ? {} : { ttl: `${ttlMs}ms` }),
  });
  return {
    create: (ask) => api.call("POST", "/v1/tokens", said(ask)),
    lookUp: (userCode) => api.call("POST", "/v1/device/lookup", { userCode }),
    approve: (userCode, answer) => api.call("POST", "/v1/device/approve", { userCode, ...said(answer) }),
    deny: (userCode) => api.call("POST", "/v1/device/deny", { userCode }),
    list: () => api.all("/v1/tokens"),
    rotate: (idOrName, overlapMs) =>
      api.call("POST", `/v1/tokens/${encodeURIComponent(idOrName)}/rotate`, {
        ...(overlapMs === null ? {} : { overlap: `${overlapMs}ms` }),
      }),
    revoke: (idOrName) => api.call("DELETE", `/v1/tokens/${encodeURIComponent(idOrName)}`),
  };
}

async function onStore<T>(
  state: string,
  path: string,
  work: (desk: TokenDesk) => Promise<T>,
): Promise<T> {
  const { tokens, close } = await openTokens(path).catch((error) => {
    // A hub of its own would have answered at its socket.
    if (!(error instanceof StoreTaken) || !isFile(`${state}/state.db`)) throw error;
    throw new Failure(`the hub inside the daemon at ${state} has no tokens: only that daemon is on it`, {
      hint: "for links that the world reaches run a hub of its own, `connectd hub`, and name its --state",
      permanent: true,
      cause: error,
    });
  });
  // Else a token that was made for the wrong directory would look as good as any.
  complain(`no hub runs at ${state}: this is about the tokens in ${path}`);
  try {
    return await work({
      async create({ workspace, ...ask }) {
        const { token, record } = await tokens.create(
          { ...ask, workspace: workspace ?? DEFAULT_WORKSPACE },
          "cli",
        );
        return { ...printToken(record), token: token.expose() };
      },
      lookUp: nobodyWaits,
      approve: nobodyWaits,
      deny: nobodyWaits,
      list: () => Promise.resolve(tokens.list(null).map((record) => printToken(record))),
      async rotate(idOrName, overlapMs) {
        const rotated = await tokens.rotate(idOrName, overlapMs ?? OVERLAP_MS, null, "cli");
        if (rotated === null) throw unknown(idOrName);
        return { ...printToken(rotated.record), token: rotated.token.expose() };
      },
      async revoke(idOrName) {
        const record = await tokens.revoke(idOrName, null, "cli");
        if (record === null) throw unknown(idOrName);
        return printToken(record);
      },
    });
  } finally {
    await close();
  }
}

function unknown(idOrName: string): Failure {
  return new Failure(`there is no token ${JSON.stringify(idOrName)}`, {
    hint: "`connectd token list` shows those there are",
  });
}

/** Logins wait in the hub's memory. */
function nobodyWaits(): Promise<never> {
  return Promise.reject(
    new Failure("no login waits where no hub runs", { hint: "start the hub, or name it with --hub" }),
  );
}

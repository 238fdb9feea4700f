/** Who proves a domain to be theirs. Pure but for the prover: what is asked of it, and what its answers mean. */
import { createHmac } from "node:crypto";
import type { Prover } from "./prover.ts";

/** How a domain was proven. */
export type Means = "txt" | "http";

/** What a look at a domain gave: `unknown` where its name servers could not be asked. */
export type Proof = { readonly workspace: string; readonly by: Means } | "none" | "unknown";

const PATH = "/.well-known/connectd-challenge/";

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
/** 130 bits. */
const TOKEN_LENGTH = 26;

/** What shows that `workspace` has `domain`: nobody who has not `key` can tell it beforehand. */
export function tokenOf(key: string, workspace: string, domain: string): string {
  const digest = createHmac("sha256", key).update(`${workspace}\n${domain}`).digest();
  return [...digest.subarray(0, TOKEN_LENGTH)].map((octet) => LETTERS[octet & 31]).join("");
}

/** The name of the record that holds the token. */
export function recordName(domain: string): string {
  return `_connectd.${domain}`;
}

/** The path at which `token` stands. */
export function challengePath(token: string): string {
  return PATH + token;
}

/** The token that is asked for at `path`; null: it is another path. */
export function challenged(path: string): string | null {
  return path.startsWith(PATH) ? path.slice(PATH.length) : null;
}

/**
 * Which of `workspaces` shows that `domain` is its own; `holder` has it until now. A record outdoes a web server: it can
 * be made by nobody but the domain's owner, while whoever points a name at a hub before a link asks for it has it
 * answered for whoever asks first. So where several ask, a web server proves nothing.
 */
export async function prove(
  domain: string,
  workspaces: readonly string[],
  holder: string | null,
  token: (workspace: string) => string,
  prover: Prover,
): Promise<Proof> {
  const values = await prover.txt(recordName(domain));
  const named = workspaces.filter((workspace) => values?.includes(token(workspace)));
  if (named.length > 0) return { workspace: named.find((one) => one === holder) ?? named[0], by: "txt" };
  const asked = holder ?? (workspaces.length === 1 ? workspaces[0] : null);
  if (asked !== null) {
    const secret = token(asked);
    const shown = await prover.http(domain, challengePath(secret));
    if (shown?.trim() === secret) return { workspace: asked, by: "http" };
  }
  return values === null ? "unknown" : "none";
}

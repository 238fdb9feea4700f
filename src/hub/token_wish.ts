/** What is asked of a new token. */
import { Failure } from "../core/errors.ts";
import { isName, NAME_RULE } from "../core/names.ts";
import type { Scope } from "./tokens.ts";

/** What a new token shall be. */
export interface TokenWish {
  readonly scope: Scope;
  readonly workspace: string;
  /** Null: one is made of scope and id. */
  readonly name: string | null;
  /** Null: it does not expire. */
  readonly ttlMs: number | null;
}

/** Throws Failure where there can be no such token. */
export function checkWish({ workspace, name }: TokenWish): void {
  for (const [what, text] of [["workspace", workspace], ["token", name]] as const) {
    if (text !== null && !isName(text)) {
      throw new Failure(`${JSON.stringify(text)} can not name a ${what}`, {
        hint: `write ${NAME_RULE}`,
        permanent: true,
      });
    }
  }
}

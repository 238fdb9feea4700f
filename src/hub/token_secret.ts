/** The text of a token: made, taken apart, and held against what is kept of it. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { equalBytes, Secret } from "../core/secret.ts";
import type { Draw } from "./random.ts";

const ID_LENGTH = 8;

/**
 * 160 bits of the system's randomness. There is no list of likely ones to try, so a hash that is slow on purpose, as
 * passwords need, would keep it no better than SHA-256 does, and would cost whoever shows a token, or a wrong one, more.
 */
const SECRET_LENGTH = 32;

const FORM = /^connectd_([a-z2-7]{8})_[a-z2-7]{32}$/;

/** A fresh token's id. */
export function tokenId(draw: Draw): string {
  return draw("token id", ID_LENGTH);
}

/** A fresh token with this id. */
export function tokenText(id: string, draw: Draw): Secret {
  return new Secret(`connectd_${id}_${draw(`token ${id}`, SECRET_LENGTH)}`);
}

/** The token in an Authorization field (RFC 6750 §2.1), and the id that it says to have; null: there is none. */
export function readBearer(authorization: string | undefined): { token: Secret; id: string } | null {
  const text = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  const id = FORM.exec(text ?? "")?.[1];
  return text === undefined || id === undefined ? null : { token: new Secret(text), id };
}

/** SHA-256, hex. */
export function hashOf(token: Secret): string {
  return digest(token).toString("hex");
}

/** Whether `hash` is that of `token`. */
export function matches(token: Secret, hash: string): boolean {
  return equalBytes(digest(token), new Uint8Array(Buffer.from(hash, "hex")));
}

function digest(token: Secret): Buffer {
  return createHash("sha256").update(token.expose()).digest();
}

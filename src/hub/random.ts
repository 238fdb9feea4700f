/** Ids and secrets of the hub: letters and digits that survive a host name, a header and being read out. */
import { hkdfSync, randomBytes } from "node:crypto";

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";

/** `length` characters of `[a-z2-7]`, five bits each, from the system's source of randomness. */
export function randomText(length: number): string {
  return spell(randomBytes(length));
}

/** Gives `length` characters as `randomText` does, for `what`. */
export type Draw = (what: string, length: number) => string;

/** Others each time. */
export const byChance: Draw = (_what, length) => randomText(length);

/** The same ones for the same `what`: what was made by `seed` is known again by it. Nobody without it can tell them. */
export function drawFrom(seed: Uint8Array): Draw {
  return (what, length) => spell(new Uint8Array(hkdfSync("sha256", seed, "", `connectd ${what}`, length)));
}

function spell(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += LETTERS[byte & 31];
  return text;
}

/** A link's random id holds 65 bits: never guessed, never met twice. */
const ID_LENGTH = 13;

/** A fresh public id. */
export function randomId(): string {
  return randomText(ID_LENGTH);
}

/** Whether `label` has the form of a random id. */
export function isRandomId(label: string): boolean {
  return label.length === ID_LENGTH && /^[a-z2-7]+$/.test(label);
}

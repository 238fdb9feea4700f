/** Names of requests, cheap enough to give one to each. */

/** 40 random bits keep the ids of two processes apart. */
const prefix = [...crypto.getRandomValues(new Uint8Array(8))].map((octet) => (octet & 31).toString(32)).join(
  "",
);
let count = 0;

/** Prefix of the process and a number: `k3vd0q7m-2s`. */
export function nextRequestId(): string {
  return `${prefix}-${(++count).toString(36)}`;
}

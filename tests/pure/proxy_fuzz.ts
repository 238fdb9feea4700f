/** What must hold of any octets that are read as a PROXY protocol header, one case at a time. */
import assert from "node:assert/strict";
import { parseAddress } from "../../src/core/address.ts";
import { type ProxyHeader, readProxyHeader } from "../../src/core/proxy_protocol.ts";
import { extra, header, IPV4, IPV6, summed } from "./proxy_inputs.ts";
import type { Random } from "./random.ts";

/**
 * Headers with octets changed, cut and added: whatever is read is read alike as the octets come, and is within them.
 * Returns whether it was taken.
 */
export function proxyCase(random: Random): boolean {
  const bytes = changed(plain(random), random);
  const whole = outcome(bytes);
  for (let n = 0; n < bytes.length; n += 1 + random.below(9)) {
    const part = outcome(bytes.subarray(0, n));
    // What is refused stays refused, what is read is read no further, and what waits can still become either.
    if (part === null) continue;
    if (typeof part === "string") assert.equal(typeof whole, "string");
    assert.deepEqual(part, whole);
  }
  if (whole === null || typeof whole === "string") return false;
  assert.ok(whole.length >= 16 && whole.length <= bytes.length);
  assert.ok(whole.source === null || parseAddress(whole.source) !== null, `${whole.source}`);
  return true;
}

function outcome(bytes: Uint8Array): ProxyHeader | string | null {
  try {
    return readProxyHeader(bytes);
  } catch (error) {
    assert.ok(error instanceof SyntaxError, `${error}`);
    return error.message;
  }
}

function plain(random: Random): Uint8Array {
  const octets = (most: number) => Array.from({ length: random.below(most) }, () => random.below(256));
  const extras = Array.from(
    { length: random.below(3) },
    () => extra(random.of([1, 2, 4, 5, 0x20, 0xe0]), octets(20)),
  );
  switch (random.below(5)) {
    case 0:
      return header({ kind: 0x20, family: random.of([0, 0x11, 0x21, 0x31]), rest: octets(40) });
    case 1:
      return header({ family: random.of([0x21, 0x22]), rest: [...IPV6, ...extras.flat()] });
    case 2:
      return summed(extras.flat());
    case 3:
      return header({ kind: random.below(256), family: random.below(256), rest: octets(60) });
    default:
      return header({ rest: [...IPV4, ...extras.flat()] });
  }
}

function changed(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from([...bytes, ...Array(random.below(4)).fill(65)]);
  for (let i = random.below(3); i > 0; i--) copy[random.below(copy.length)] = random.below(256);
  return random.below(8) === 0 ? copy.subarray(0, random.below(copy.length)) : copy;
}

/** IP addresses and blocks of them. One address has one form: an IPv4-mapped IPv6 address is the IPv4 one it stands for. */
import { quote } from "./units.ts";

/** An address as 16-bit groups, the first one first: two of IPv4, eight of IPv6. */
export interface Address {
  readonly groups: readonly number[];
}

/** A block of addresses: those that share the first `bits` bits. */
export interface Cidr extends Address {
  readonly bits: number;
}

const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** Dotted decimal, four numbers without leading zeros (some readers take those for octal). Null: no IPv4 address. */
function ipv4Groups(text: string): number[] | null {
  const parts = IPV4.exec(text);
  if (parts === null) return null;
  const [a, b, c, d] = [Number(parts[1]), Number(parts[2]), Number(parts[3]), Number(parts[4])];
  return a > 255 || b > 255 || c > 255 || d > 255 ? null : [a << 8 | b, c << 8 | d];
}

/** RFC 4291 §2.2, without a zone. Null: no IPv6 address. */
export function ipv6Groups(text: string): number[] | null {
  if (text.length > 45) return null;
  const gap = text.indexOf("::");
  if (gap < 0) {
    const groups = hexGroups(text);
    return groups?.length === 8 ? groups : null;
  }
  const front = text.slice(0, gap), back = text.slice(gap + 2);
  // A dotted quad stands at the very end only.
  const before = front === "" ? [] : front.includes(".") ? null : hexGroups(front);
  const after = back === "" ? [] : hexGroups(back);
  if (before === null || after === null || before.length + after.length > 7) return null;
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function hexGroups(text: string): number[] | null {
  const groups: number[] = [];
  const parts = text.split(":");
  for (let i = 0; i < parts.length; i++) {
    if (/^[0-9a-f]{1,4}$/i.test(parts[i])) {
      groups.push(parseInt(parts[i], 16));
      continue;
    }
    const quad = i === parts.length - 1 ? ipv4Groups(parts[i]) : null;
    if (quad === null) return null;
    groups.push(...quad);
  }
  return groups;
}

/** `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
function isMapped(groups: readonly number[]): boolean {
  return groups.length === 8 && groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

/** Reads an address as it stands alone: no brackets, port or zone. Null: it is none. */
export function parseAddress(text: string): Address | null {
  if (!text.includes(":")) {
    const groups = ipv4Groups(text);
    return groups === null ? null : { groups };
  }
  const groups = ipv6Groups(text);
  if (groups === null) return null;
  return { groups: isMapped(groups) ? groups.slice(6) : groups };
}

/** The canonical text: dotted decimal, or RFC 5952. */
export function printAddress({ groups }: Address): string {
  if (groups.length === 2) return `${groups[0] >> 8}.${groups[0] & 255}.${groups[1] >> 8}.${groups[1] & 255}`;
  if (isMapped(groups)) return `::ffff:${printAddress({ groups: groups.slice(6) })}`;
  let from = 0, longest = 0;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > longest) [from, longest] = [i, end - i];
  }
  const hex = groups.map((group) => group.toString(16));
  if (longest < 2) return hex.join(":");
  return `${hex.slice(0, from).join(":")}::${hex.slice(from + longest).join(":")}`;
}

/** Reads `198.51.100.0/24`, `2001:db8::/32` or a bare address. Bits behind the block's length count as 0. Throws a SyntaxError. */
export function parseCidr(text: string): Cidr {
  const slash = text.indexOf("/");
  const written = slash < 0 ? text : text.slice(0, slash);
  const address = parseAddress(written);
  if (address === null) {
    throw new SyntaxError(`${quote(text)} is no address and no block such as 198.51.100.0/24`);
  }
  const whole = address.groups.length * 16;
  if (slash < 0) return { groups: address.groups, bits: whole };
  const length = text.slice(slash + 1);
  // The length of a mapped block counts from the front of the IPv6 address.
  const mapped = whole === 32 && written.includes(":") ? 96 : 0;
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) - mapped : NaN;
  if (!(bits >= 0 && bits <= whole)) {
    throw new SyntaxError(
      `${quote(text)} is no block: behind the slash stands a number from ${mapped} to ${whole + mapped}`,
    );
  }
  return { groups: address.groups.map((group, i) => group & groupMask(bits, i)), bits };
}

/** Canonical: zeros behind the block's length, no length for a single address. */
export function printCidr(cidr: Cidr): string {
  const address = printAddress(cidr);
  return cidr.bits === cidr.groups.length * 16 ? address : `${address}/${cidr.bits}`;
}

/** Which bits of group `i` belong to the first `bits`. */
function groupMask(bits: number, i: number): number {
  const own = Math.min(16, Math.max(0, bits - i * 16));
  return 0xffff << (16 - own) & 0xffff;
}

/** True where one of the blocks holds the address. A block of one family holds none of the other. */
export function contains(cidrs: readonly Cidr[], { groups }: Address): boolean {
  for (const cidr of cidrs) {
    if (cidr.groups.length === groups.length && shares(cidr, groups)) return true;
  }
  return false;
}

function shares({ groups: block, bits }: Cidr, groups: readonly number[]): boolean {
  for (let i = 0, left = bits; left > 0; i++, left -= 16) {
    const differ = block[i] ^ groups[i];
    if (left >= 16 ? differ !== 0 : differ >> (16 - left) !== 0) return false;
  }
  return true;
}

const LOOPBACK = [parseCidr("127.0.0.0/8"), parseCidr("::1")];

/** True for an address of this machine alone: 127.0.0.0/8, ::1. False for all other text, names included. */
export function isLoopback(text: string): boolean {
  const address = parseAddress(text);
  return address !== null && contains(LOOPBACK, address);
}

/** What rates count by: an IPv4 address, or the /64 of an IPv6 one, since one visitor has a whole /64 to call from. */
export function rateKey(text: string): string {
  if (!text.includes(":")) return text;
  const address = parseAddress(text);
  if (address === null) return text;
  const { groups } = address;
  if (groups.length === 2) return printAddress(address);
  return `${groups[0].toString(16)}:${groups[1].toString(16)}:${groups[2].toString(16)}:${
    groups[3].toString(16)
  }::`;
}

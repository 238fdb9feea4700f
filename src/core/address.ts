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

const DOT = 0x2e, ZERO = 0x30, NINE = 0x39, COLON = 0x3a;

/**
 * Dotted decimal, four numbers without leading zeros (some readers take those for octal). Null: no IPv4 address.
 * Character by character: `allow_ips` asks for every request.
 */
function ipv4Groups(text: string): number[] | null {
  let whole = 0, part = -1, dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (part < 0 || ++dots > 3) return null;
      whole = whole << 8 | part;
      part = -1;
    } else {
      if (code < ZERO || code > NINE || part === 0) return null;
      part = 10 * Math.max(part, 0) + code - ZERO;
      if (part > 255) return null;
    }
  }
  if (part < 0 || dots !== 3) return null;
  whole = whole << 8 | part;
  return [whole >>> 16, whole & 0xffff];
}

/** RFC 4291 §2.2, without a zone. Null: no IPv6 address. Character by character: rates ask for every request. */
export function ipv6Groups(text: string): number[] | null {
  const groups: number[] = [];
  let gap = -1, i = 0;
  if (text.startsWith("::")) [gap, i] = [0, 2];
  while (i < text.length) {
    const start = i;
    let group = 0;
    for (let digit = 0; i < text.length && (digit = hexDigit(text.charCodeAt(i))) >= 0; i++) {
      group = group << 4 | digit;
    }
    if (text[i] === ".") {
      // A dotted quad takes the place of the last two groups.
      const quad = ipv4Groups(text.slice(start));
      if (quad === null) return null;
      groups.push(quad[0], quad[1]);
      break;
    }
    if (i === start || i - start > 4) return null;
    groups.push(group);
    if (i === text.length) break;
    if (text.charCodeAt(i++) !== COLON || i === text.length) return null;
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return null;
      gap = groups.length;
      i++;
    }
  }
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return null;
  return gap < 0 ? groups : withGap(groups, gap);
}

/** The groups with zeros at `gap`, eight in all. */
function withGap(groups: readonly number[], gap: number): number[] {
  const zeros = 8 - groups.length;
  const all = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < groups.length; i++) all[i < gap ? i : i + zeros] = groups[i];
  return all;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
function isMapped(groups: readonly number[]): boolean {
  if (groups.length !== 8 || groups[5] !== 0xffff) return false;
  return (groups[0] | groups[1] | groups[2] | groups[3] | groups[4]) === 0;
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

/** A host as a URL or a Host field has it, an IPv6 address without its brackets. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

/** True for an address of this machine alone: 127.0.0.0/8, ::1. False for all other text, names included. */
export function isLoopback(text: string): boolean {
  const address = parseAddress(text);
  return address !== null && contains(LOOPBACK, address);
}

/** What rates and limits count by: an IPv4 address, or the /64 of an IPv6 one, since one visitor has a whole /64 to call from. */
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

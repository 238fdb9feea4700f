/** PROXY protocol, version 2: how a proxy that passes on octets says who they come from (HAProxy doc/proxy-protocol.txt §2.2). */
import { parseAddress, printAddress } from "./address.ts";
import { crc32c } from "./crc32c.ts";

/** What stands before the first octet of a visitor. */
export interface ProxyHeader {
  /** Octets of it: what follows is the visitor's. */
  readonly length: number;
  /** The visitor's address; null: the proxy speaks for itself, or names none. */
  readonly source: string | null;
}

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
/** Signature, version and command, family, length. */
const FIXED = 16;

const LOCAL = 0, PROXY = 1;
/** Octets of both addresses and ports, by family: none, IPv4, IPv6, unix. */
const ADDRESSES = [0, 12, 36, 216];
const UNIX = 3;

const TLV_CRC = 0x03, CRC_OCTETS = 4;

/**
 * Reads the header at the front of `bytes`. Null: all of it is right so far, and more of it has to come. Throws a
 * SyntaxError for what can not become one, at the first octet that shows it.
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader | null {
  for (let i = 0; i < Math.min(bytes.length, SIGNATURE.length); i++) {
    if (bytes[i] !== SIGNATURE[i]) throw new SyntaxError(unsigned(bytes));
  }
  const [kind, family] = [bytes[12] ?? 0x20, bytes[13] ?? 0];
  if (kind >> 4 !== 2) {
    throw new SyntaxError(`version ${kind >> 4} of the PROXY protocol, and only 2 is known`);
  }
  const command = kind & 15;
  if (command > PROXY) throw new SyntaxError(`the unknown command ${command}`);
  if (family >> 4 > UNIX || (family & 15) > 2) throw new SyntaxError(`the unknown family ${family}`);
  if (bytes.length < FIXED) return null;
  const length = FIXED + (bytes[14] << 8 | bytes[15]);
  const addresses = FIXED + ADDRESSES[family >> 4];
  // What comes with LOCAL has no meaning.
  if (command === PROXY && length < addresses) throw new SyntaxError("a header too short for its addresses");
  if (bytes.length < length) return null;
  if (command === LOCAL) return { length, source: null };
  checkExtras(bytes.subarray(0, length), addresses);
  return { length, source: sourceOf(bytes, family >> 4) };
}

function unsigned(bytes: Uint8Array): string {
  return bytes[0] === 0x50
    ? "version 1 of the PROXY protocol, and only 2 is known"
    : "no PROXY protocol header";
}

function sourceOf(bytes: Uint8Array, family: number): string | null {
  if (ADDRESSES[family] === 0 || family === UNIX) return null;
  const groups: number[] = [];
  const end = FIXED + (ADDRESSES[family] - 4) / 2;
  for (let i = FIXED; i < end; i += 2) groups.push(bytes[i] << 8 | bytes[i + 1]);
  // An IPv4 address may come in the dress of an IPv6 one.
  return printAddress(parseAddress(printAddress({ groups }))!);
}

/** Walks through what comes behind the addresses (type, length, value); only a checksum means anything here. */
function checkExtras(header: Uint8Array, from: number): void {
  let sums = 0;
  for (let at = from; at < header.length;) {
    const value = at + 3;
    const next = value + (header[at + 1] << 8 | header[at + 2]);
    if (!(next <= header.length)) throw new SyntaxError("an extra that ends beyond its header");
    if (header[at] === TLV_CRC) {
      if (++sums > 1 || next - value !== CRC_OCTETS) throw new SyntaxError("a malformed checksum");
      checkSum(header, value);
    }
    at = next;
  }
}

/** The sum is over the header with zeros in its place (§2.2.3). */
function checkSum(header: Uint8Array, at: number): void {
  const told = (header[at] << 24 | header[at + 1] << 16 | header[at + 2] << 8 | header[at + 3]) >>> 0;
  const blank = header.slice();
  blank.fill(0, at, at + CRC_OCTETS);
  if (crc32c(blank) !== told) throw new SyntaxError("a wrong checksum");
}

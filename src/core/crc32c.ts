/** CRC-32C (Castagnoli), as RFC 3720 appendix B.4 has it. */

/** The polynomial 0x1edc6f41, its bits turned round. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let rest = octet;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? rest >>> 1 ^ POLYNOMIAL : rest >>> 1;
  return rest;
});

/** The checksum of `bytes`, an unsigned number of 32 bits. */
export function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const octet of bytes) sum = TABLE[(sum ^ octet) & 255] ^ sum >>> 8;
  return (sum ^ 0xffffffff) >>> 0;
}

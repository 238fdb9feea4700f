/** Bodies that were compressed on their way, as far as somebody wants to read them. */
import { brotliDecompressSync, constants, gunzipSync, inflateSync } from "node:zlib";

/** What a few octets may become: somebody else has sent them, and it is the daemon that unpacks. */
const MOST = 256 * 1024;

/**
 * `bytes` without the one coding that `head` names in Content-Encoding (RFC 9110 §8.4.1), or the beginning of that where they are
 * cut short; null: there is none, several, one that is not known, or more in it than anybody reads.
 */
export function withoutCoding(head: string, bytes: Uint8Array): Uint8Array | null {
  const unpacked = unpack(head, bytes);
  return unpacked === null || unpacked.length === 0 ? null : unpacked;
}

function unpack(head: string, bytes: Uint8Array): Uint8Array | null {
  const coding = /^content-encoding: *([a-z-]+) *\r?$/im.exec(head)?.[1].toLowerCase();
  try {
    if (coding === "gzip" || coding === "x-gzip") return gunzipSync(bytes, SOFT);
    if (coding === "deflate") return inflateSync(bytes, SOFT);
    if (coding === "br") {
      return brotliDecompressSync(bytes, { ...SOFT, finishFlush: constants.BROTLI_OPERATION_FLUSH });
    }
    return null;
  } catch {
    return null;
  }
}

/** A body may be cut short where it was kept. */
const SOFT = { maxOutputLength: MOST, finishFlush: constants.Z_SYNC_FLUSH };

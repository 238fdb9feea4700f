/** Who a request comes from, behind proxies that are believed (policy: "Client address"). */
import { parseAddress, printAddress } from "../core/address.ts";
import { fieldAll, type RequestHead } from "../core/http1/types.ts";

/** An address with the port that some proxies add: `198.51.100.7:4711`, `[2001:db8::1]:4711`, `[2001:db8::1]`. */
const WITH_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/;

/** The canonical form of an address as a socket or a proxy writes it; null: it is none. */
export function canonicalAddress(text: string): string | null {
  const parts = WITH_PORT.exec(text);
  const address = parseAddress(parts === null ? text : parts[1] ?? parts[2]);
  return address === null ? null : printAddress(address);
}

/**
 * The right-most address of X-Forwarded-For that is not `trusted`: what stands left of it, its bearer may have made up.
 * Where all are trusted it is the left-most one, and where something else stands in between, the one right of that.
 */
export function clientAddress(head: RequestHead, peer: string, trusted: (ip: string) => boolean): string {
  const hops = fieldAll(head, "x-forwarded-for").join(",").split(",");
  let client = peer;
  for (let i = hops.length - 1; i >= 0; i--) {
    const address = canonicalAddress(hops[i].trim());
    if (address === null) break;
    client = address;
    if (!trusted(address)) break;
  }
  return client;
}

/** True where the nearest proxy says that its visitor used https: it writes the last value. */
export function forwardedSecure(head: RequestHead): boolean {
  const values = fieldAll(head, "x-forwarded-proto");
  if (values.length === 0) return false;
  const last = values[values.length - 1];
  return last.slice(last.lastIndexOf(",") + 1).trim().toLowerCase() === "https";
}

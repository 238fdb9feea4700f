/** Which addresses are the internet's, as against somebody's own network (IANA's registries of special addresses). */
import { type Address, contains, parseCidr } from "./address.ts";

const blocks = (text: string) => text.trim().split(/\s+/).map(parseCidr);

/** Networks of one's own, this machine, carriers' (100.64/10), documentation, benchmarks, multicast, what nobody has. */
const SPECIAL_IPV4 = blocks(`
  0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
  192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3
`);

/** Looks public, and is the one at which machines of Azure find what the cloud tells them. */
const METADATA = blocks("168.63.129.16");

/** All that has been given out so far. */
const UNICAST_IPV6 = blocks("2000::/3");
/** Of that: protocols (Teredo, ORCHID and others), documentation, 6to4, which has an IPv4 address inside. */
const SPECIAL_IPV6 = blocks("2001::/23 2001:db8::/32 2002::/16 3fff::/20");

/** True for an address that anybody on the internet may have, and that leads to the same place from everywhere. */
export function isPublic(address: Address): boolean {
  return address.groups.length === 2
    ? !contains(SPECIAL_IPV4, address) && !contains(METADATA, address)
    : contains(UNICAST_IPV6, address) && !contains(SPECIAL_IPV6, address);
}

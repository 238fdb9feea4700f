/** Whose a domain is: what its name servers and its web server say. */
import { parseAddress, printAddress, withoutBrackets } from "../core/address.ts";
import { isPublic } from "../core/public_address.ts";
import { converse } from "../net/converse.ts";
import { dial } from "../net/dial.ts";

/** Asks about domains; it never rejects. */
export interface Prover {
  /** The TXT records of `name`: empty where there are none, null where nobody could be asked. */
  txt(name: string): Promise<readonly string[] | null>;
  /** The beginning of what stands at `http://<domain><path>`; null: nothing does, or it is not to be asked. */
  http(domain: string, path: string): Promise<string | null>;
}

export interface ProverOptions {
  /** The host at which the hub itself is reached. */
  readonly home: () => string;
  /** Absent: those of this machine. */
  readonly nameServer?: { readonly ipAddr: string; readonly port: number };
  /** Where web servers are asked; absent: 80. */
  readonly port?: number;
  /** Name servers have so long, and web servers. */
  readonly patienceMs?: number;
}

const HTTP = 80;

const PATIENCE_MS = 5_000;

/** A token is far shorter. */
const MOST_CHARACTERS = 1024;

/** So many addresses of a name are tried. */
const MOST_ADDRESSES = 4;

const LOOPBACK = ["127.0.0.1", "::1"];

/**
 * Asks the name servers, and the web server that a domain leads to. Whoever asks for a domain says where its name leads:
 * a hub that went there wherever it is would be his hand in the hub's own network, or at the metadata of its cloud. So
 * only public addresses are asked, and those that the hub itself is reached at. What is dialled is the address that
 * was looked at, never the name once more: a second answer may be another one.
 */
export function proverBy(
  { home, nameServer, port = HTTP, patienceMs = PATIENCE_MS }: ProverOptions,
): Prover {
  const resolve = async (name: string, kind: "A" | "AAAA"): Promise<string[]> => {
    const signal = AbortSignal.timeout(patienceMs);
    try {
      return await Deno.resolveDns(whole(name), kind, { signal, ...(nameServer && { nameServer }) });
    } catch {
      return [];
    }
  };

  /** In canonical form, IPv4 first: not every hub has both. */
  const addressesOf = async (name: string): Promise<string[]> => {
    const found = await Promise.all([resolve(name, "A"), resolve(name, "AAAA")]);
    return found.flat().map(parseAddress).filter((one) => one !== null).map(printAddress);
  };

  const ownAddresses = async (): Promise<readonly string[]> => {
    const host = withoutBrackets(home()), address = parseAddress(host);
    if (address !== null) return [printAddress(address)];
    return host === "localhost" || host.endsWith(".localhost") ? LOOPBACK : await addressesOf(host);
  };

  const askable = async (domain: string): Promise<string[]> => {
    const all = await addressesOf(domain);
    const open = all.filter((one) => isPublic(parseAddress(one)!));
    if (open.length === all.length) return open;
    const own = await ownAddresses();
    return all.filter((one) => open.includes(one) || own.includes(one));
  };

  return {
    async txt(name) {
      try {
        const signal = AbortSignal.timeout(patienceMs);
        const records = await Deno.resolveDns(whole(name), "TXT", {
          signal,
          ...(nameServer && { nameServer }),
        });
        // A long value comes in pieces (RFC 7208 §3.3).
        return records.map((pieces) => pieces.join(""));
      } catch (error) {
        // So does the runtime call it where a name server says that it failed.
        return error instanceof Deno.errors.NotFound ? [] : null;
      }
    },
    async http(domain, path) {
      const hosts = await askable(domain), signal = AbortSignal.timeout(patienceMs);
      for (const host of hosts.slice(0, MOST_ADDRESSES)) {
        try {
          const socket = await dial({ kind: "http", host, port }, null, signal);
          const headers = { Accept: "text/plain, */*;q=0.1", "User-Agent": "connectd" };
          const call = { method: "GET", path, headers, body: null };
          const { status, text } = await converse(socket, domain, call, signal, MOST_CHARACTERS);
          // Whoever redirects leads elsewhere: what stands there is not the domain's word.
          return status === 200 ? text : null;
        } catch {
          if (signal.aborted) return null;
        }
      }
      return null;
    },
  };
}

/** Nothing is tried behind it: not the names of the hub's own network. */
function whole(name: string): string {
  return name.endsWith(".") ? name : `${name}.`;
}

/** Files and addresses as configurations name them. All throw SyntaxError, naming what they can not read. */
import { join, resolve } from "node:path";
import { isLoopback, parseAddress, withoutBrackets } from "../core/address.ts";
import { quoted } from "./wording.ts";

/** An absolute path: `~` is the home directory, a relative one starts at the folder of the file it is written in. */
export function resolvePath(text: string, from: { dir: string; home: string | null }): string {
  if (text === "") throw new SyntaxError("an empty path");
  if (text.includes("\0")) throw new SyntaxError(`${quoted(text)} has a NUL in it`);
  if (text !== "~" && !text.startsWith("~/")) return resolve(from.dir, text);
  if (from.home === null) {
    throw new SyntaxError(`${quoted(text)} needs a home directory, and HOME is not set`);
  }
  return join(from.home, text.slice(1));
}

/** Where a listener binds. */
export interface ListenAddress {
  /** A name or an address, an IPv6 one without brackets. */
  readonly hostname: string;
  /** 0 picks a free one. */
  readonly port: number;
}

const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** A DNS name: labels of letters, digits and dashes. The last is not all digits, or it would be an address. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text) && !/(?:^|\.)\d+$/.test(text);
}

/** What a Host header may hold: a name (underscores too, docker has them) or an address, and perhaps a port. */
export function isHost(text: string): boolean {
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  if (parts === null || Number(parts[3] ?? 1) > 65535 || Number(parts[3] ?? 1) < 1) return false;
  if (parts[1] !== undefined) return parts[1].includes(":") && parseAddress(parts[1]) !== null;
  return isHostName(parts[2].replaceAll("_", "-").replace(/\.$/, "")) || isIpv4(parts[2]);
}

/** Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`. */
export function parseListen(text: string): ListenAddress {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const port = Number(parts?.[3]);
  const hostname = parts?.[1] ?? parts?.[2] ?? "";
  const known = parts?.[1] === undefined
    ? isHostName(hostname) || isIpv4(hostname)
    : parseAddress(hostname) !== null;
  if (!known || !(port <= 65535)) {
    throw new SyntaxError(`${quoted(text)} is no address and port such as 127.0.0.1:8080 or [::1]:8080`);
  }
  return { hostname: hostname.toLowerCase(), port };
}

function isIpv4(text: string): boolean {
  return !text.includes(":") && parseAddress(text) !== null;
}

/** `host:port`, an IPv6 address in brackets. */
export function printListen({ hostname, port }: ListenAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** This machine, by name or by address: nothing that is sent there crosses a wire. */
export function isLocal(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || isLoopback(hostname);
}

/** The origin of an http or https URL that has nothing but scheme, host and port. */
export interface Origin {
  /** `https://hub.example.com:8443`; no port where it is the scheme's, no slash at the end. */
  readonly url: string;
  readonly hostname: string;
  readonly secure: boolean;
}

/** Reads an origin; a slash at its end is nothing. */
export function parseOrigin(text: string): Origin {
  const parts = /^(https?):\/\/((?:\[[0-9a-f:.]+\]|[^\s:/?#@\\[\]]+)(?::\d{1,5})?)\/?$/i.exec(text);
  if (parts === null || !URL.canParse(text)) throw badOrigin(text);
  const url = new URL(text);
  const hostname = withoutBrackets(url.hostname);
  // What URL reads into another host (0x7f.1, Unicode) is not what somebody would see in the file.
  const written = withoutBrackets(parts[2].toLowerCase().replace(/:\d+$/, ""));
  const literal = hostname.includes(":") ? parseAddress(written) !== null : hostname === written;
  if (!literal || !(isHostName(hostname) || parseAddress(hostname) !== null)) throw badOrigin(text);
  return { url: url.origin, hostname, secure: url.protocol === "https:" };
}

function badOrigin(text: string): SyntaxError {
  const at = text.lastIndexOf("@");
  // What stands before the @ may be a password, which is printed nowhere.
  return new SyntaxError(
    `${
      quoted(at < 0 ? text : `…${text.slice(at)}`)
    } is no URL such as https://hub.example.com (scheme, host, port and no more)`,
  );
}

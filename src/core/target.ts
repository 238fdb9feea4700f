/** Where a daemon sends requests: targets as links.yaml writes them. */
import { ipv6Groups, parseAddress, printAddress } from "./address.ts";
import { quote } from "./units.ts";

/** `host` is a name in lower case or an address, an IPv6 one without brackets; `path` is as it was written. */
export type Target =
  | { readonly kind: "http" | "https" | "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "echo" };

const AUTHORITY = /^(?:(https?|tcp):\/\/)?(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([1-9]\d{0,4}))?(\/)?$/i;

/** Underscores are no DNS, but docker's names have them. */
const NAME = /^(?=.{1,254}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?$/;

/** Resolvers read a name whose last label is a number as an address: `127.1`, `0x7f.1`, `2130706433`. */
const NUMBER_LAST = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/;

/** Reads `localhost:3000`, `https://…`, `tcp://localhost:5432`, `unix:/run/app.sock` or `echo`. Throws a SyntaxError. */
export function parseTarget(text: string): Target {
  if (text === "") throw new SyntaxError("a target is empty");
  if (text === "echo") return { kind: "echo" };
  if (text.startsWith("unix:")) return parseUnix(text);
  const parts = AUTHORITY.exec(text);
  if (parts === null || (parts[1] !== undefined && parts[1] !== parts[1].toLowerCase())) {
    throw badTarget(text);
  }
  const kind = (parts[1] ?? "http") as "http" | "https" | "tcp";
  const host = readHost(parts[2], parts[3]);
  const port = readPort(parts[4], parts[1]);
  if (host === null || port === null) throw badTarget(text);
  return { kind, host, port };
}

function parseUnix(text: string): Target {
  const path = text.slice("unix:".length);
  if (path === "") throw new SyntaxError(`${quote(text)} has no path: write unix:/run/app.sock`);
  if (path.includes("\0")) throw new SyntaxError(`${quote(text)} has a NUL in its path`);
  return { kind: "unix", path };
}

function readHost(ipv6: string | undefined, written: string): string | null {
  if (ipv6 !== undefined) {
    const groups = ipv6Groups(ipv6);
    // Kept as IPv6 where it maps an IPv4 address: that is the family to connect with.
    return groups === null ? null : printAddress({ groups });
  }
  if (parseAddress(written) !== null) return written;
  const host = written.toLowerCase();
  return NAME.test(host) && !NUMBER_LAST.test(host) ? host : null;
}

function readPort(written: string | undefined, scheme: string | undefined): number | null {
  if (written !== undefined) return Number(written) <= 65535 ? Number(written) : null;
  return scheme === "http" ? 80 : scheme === "https" ? 443 : null;
}

function badTarget(text: string): SyntaxError {
  const at = text.lastIndexOf("@");
  // What stands before the @ may be a password, which is printed nowhere.
  if (at >= 0) {
    return new SyntaxError(`${quote("…" + text.slice(at))} has a user in it: a target is a host and a port`);
  }
  const behind = /^(?:[a-z]+:\/\/)?[^/?#]+[/?#]./i.test(text) ? " and no more" : "";
  return new SyntaxError(
    `${
      quote(text)
    } is no target: write a host and a port${behind}, as in localhost:3000, or https://…, unix:/…, echo`,
  );
}

/** The canonical form, port included: `http://localhost:3000`. */
export function printTarget(target: Target): string {
  if (target.kind === "echo") return "echo";
  if (target.kind === "unix") return `unix:${target.path}`;
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `${target.kind}://${host}:${target.port}`;
}

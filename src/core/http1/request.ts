/** A request's head, from its scanned section (RFC 9112 §3). */
import { ipv6Groups } from "../address.ts";
import { type Field, Malformed } from "../errors.ts";
import { Facts, pairs } from "./fields.ts";
import type { Section } from "./section.ts";
import type { Framing, RequestHead } from "./types.ts";

/** Where the minor version stands behind a target. */
const MINOR = " HTTP/1.".length;

const NONE: Framing = { kind: "none" };
const CHUNKED: Framing = { kind: "chunked" };

/** Methods that ask for something else than an answer of a link: a tunnel, an echo of credentials, HTTP/2. */
const REFUSED: readonly string[] = ["CONNECT", "TRACE", "PRI"];

/** Reads a complete section. Throws Malformed `bad_request`. */
export function readRequest({ text, lines, targetFrom, targetTo }: Section): RequestHead {
  return new Request(text!, lines, targetFrom, targetTo);
}

class Request implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly minor: 0 | 1;
  readonly host: string;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly expect: boolean;
  readonly upgrade: string | null;
  #fields: Field[] | null = null;

  constructor(readonly raw: string, readonly lines: number[], targetFrom: number, targetTo: number) {
    this.method = raw.slice(0, targetFrom - 1);
    this.target = raw.slice(targetFrom, targetTo);
    this.minor = raw[targetTo + MINOR] === "1" ? 1 : 0;
    if (REFUSED.includes(this.method)) refuse(`the method ${this.method}`);
    const facts = new Facts(raw, lines, "bad_request");
    if (facts.host === null || !isAuthority(facts.host)) refuse("no Host, or one that is no host[:port]");
    if (facts.chunked && this.minor === 0) refuse("Transfer-Encoding in HTTP/1.0");
    this.host = facts.host;
    this.framing = facts.chunked
      ? CHUNKED
      : facts.length < 0
      ? NONE
      : { kind: "length", length: facts.length };
    this.keepAlive = this.minor === 1 && !facts.close;
    // HTTP/1.0 knows neither (RFC 9110 §7.8, §10.1.1).
    this.expect = this.minor === 1 && facts.expect?.toLowerCase() === "100-continue";
    this.upgrade = this.minor === 1 ? facts.upgrade : null;
  }

  get fields(): readonly Field[] {
    return this.#fields ??= pairs(this);
  }
}

const NAME = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?(?::[1-9][0-9]{0,4})?$/;
const BRACKETED = /^\[([0-9A-Fa-f:.]+)\](?::[1-9][0-9]{0,4})?$/;

/** A name of non-empty labels, an IPv4 or a bracketed IPv6 address, and maybe a port. */
function isAuthority(host: string): boolean {
  const bracket = host.lastIndexOf("]");
  if (bracket < 0 ? !NAME.test(host) : ipv6Groups(BRACKETED.exec(host)?.[1] ?? "") === null) return false;
  const colon = host.indexOf(":", bracket + 1);
  return colon < 0 || Number(host.slice(colon + 1)) <= 65535;
}

function refuse(message: string): never {
  throw new Malformed("bad_request", message);
}

/** Names of links and services, and the subdomains a hub is asked for. */
import { quote } from "./units.ts";

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** A DNS label (RFC 1035 §2.3.1, with a digit first as RFC 1123 §2.1 allows). */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Subdomains that visitors would take for the hub's own, or that mail and name servers go by. */
export const RESERVED: ReadonlySet<string> = new Set([
  ..."www api hub admin mail smtp ftp ns ns1 ns2 static assets status dashboard connectd".split(" "),
]);

/** What names are made of, for people. */
export const NAME_RULE = `a-z, 0-9 and "-", a letter or a digit first, 63 characters at most`;

/** What is said of a member of a request that is no such name. */
export const NO_NAME = `is no name: ${NAME_RULE}`;

/** True for the name of a link or a service: `[a-z0-9][a-z0-9-]{0,62}`. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** Throws a SyntaxError unless `text` may name a link or a service. */
export function checkName(text: string): void {
  if (text === "") throw new SyntaxError("a name is empty");
  if (isName(text)) return;
  throw new SyntaxError(
    `${quote(text)} is no name: write ${NAME_RULE}`,
  );
}

/** A DNS name in the form in which two of them are one: lower-case, of two labels at least, the last not all digits. */
const DOMAIN =
  /^(?=.{4,240}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** True for a domain that `checkDomain` takes. */
export function isDomain(text: string): boolean {
  return DOMAIN.test(text);
}

/** Throws a SyntaxError unless a link may have `text` for a domain of its own; it says how the name is written. */
export function checkDomain(text: string): void {
  if (isDomain(text)) return;
  if (text.startsWith("*.")) throw new SyntaxError(`${quote(text)} is a wildcard: a link has one domain`);
  const plain = plainDomain(text);
  if (isDomain(plain)) throw new SyntaxError(`${quote(text)} is written ${plain}`);
  throw new SyntaxError(`${quote(text)} is no domain such as api.example.com`);
}

/** What browsers make of a domain: Unicode letters as `xn--`, without a port and a dot at its end. */
function plainDomain(text: string): string {
  const url = `http://${text}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, "") : "";
}

/** Throws a SyntaxError unless a hub may be asked for `text`: a lower-case DNS label, not `xn--`, not reserved. */
export function checkSubdomain(text: string): void {
  if (text === "") throw new SyntaxError("a subdomain is empty");
  if (!LABEL.test(text)) {
    throw new SyntaxError(
      `${quote(text)} is no subdomain: write a-z, 0-9 and "-" inside, 63 characters at most`,
    );
  }
  // A Unicode name in disguise could be drawn like somebody else's.
  if (text.startsWith("xn--")) throw new SyntaxError(`${quote(text)} begins with "xn--", which no link may`);
  if (RESERVED.has(text)) throw new SyntaxError(`${quote(text)} is reserved: ask for another name`);
}

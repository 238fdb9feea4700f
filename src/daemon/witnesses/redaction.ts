/** What is shown of heads and targets: credentials as `***`. */
import { valueOf } from "../../core/http1/fields.ts";
import type { Head, RequestHead } from "../../core/http1/types.ts";

export const HIDDEN = "***";

/** Fields that hold credentials whatever a link says. */
const CREDENTIALS: readonly string[] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/** Fields whose values are URLs, which may lead to where the request went. */
const URLS: ReadonlySet<string> = new Set(["referer", "location", "content-location"]);

export class Redaction {
  readonly #fields: ReadonlySet<string>;
  readonly #parameters: ReadonlySet<string>;

  /** `listed`: names of fields and of parameters of a query. */
  constructor(listed: readonly string[]) {
    this.#parameters = new Set(listed.map(canonical));
    this.#fields = new Set([...CREDENTIALS, ...this.#parameters]);
  }

  /** True where the values of fields of this name are hidden. */
  hides(name: string): boolean {
    return this.#fields.has(canonical(name));
  }

  /** A head as it is shown: as it was on the wire, but for values that are hidden. */
  head(head: Head | RequestHead): string {
    const { raw, lines } = head;
    const start = raw.slice(0, raw.indexOf("\n") + 1);
    let text = "target" in head ? start.replace(head.target, () => this.target(head.target)) : start;
    for (let at = 0; at < lines.length; at += 4) {
      const name = raw.slice(lines[at + 1], lines[at + 2]);
      text += this.hides(name)
        ? `${name}: ${HIDDEN}\r\n`
        : URLS.has(name.toLowerCase())
        ? `${name}: ${this.target(valueOf(raw, lines[at + 2], lines[at + 3]))}\r\n`
        : raw.slice(lines[at + 1], lines[at + 3] + 2);
    }
    return text + "\r\n";
  }

  /** A request's target or a URL, values of listed parameters hidden. */
  target(target: string): string {
    if (this.#parameters.size === 0) return target;
    return eachParameter(target, (name) => this.#parameters.has(canonical(name)) ? HIDDEN : null);
  }
}

/** `target` with the values of parameters of its query as `value` says; null: as it is. `name` is decoded. */
export function eachParameter(target: string, value: (name: string, is: string) => string | null): string {
  const parts = /^([^?#]*\?)([^#]*)(.*)$/s.exec(target);
  if (parts === null) return target;
  const [, before, query, after] = parts;
  const pairs = query.split(/([&;])/).map((pair) => {
    const equals = pair.indexOf("=");
    if (equals < 0) return pair;
    const wanted = value(decoded(pair.slice(0, equals)), pair.slice(equals + 1));
    return wanted === null ? pair : pair.slice(0, equals + 1) + wanted;
  });
  return before + pairs.join("") + after;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** Case and `_` make no difference to whoever reads a field. */
export function canonical(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

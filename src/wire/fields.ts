/** Reads the members of JSON objects that came from a peer who is not trusted. */
import { Failure } from "../core/errors.ts";

/** The end of the year 9999: RFC 3339 goes no further. */
const LAST_MS = Date.UTC(10_000) - 1;

/** One object. Reads own members only; those nobody asks for are left behind: a newer version may have more. */
export class Fields {
  readonly #object: object;
  readonly #path: string;

  /** `path`: what it is, for messages. Throws Failure unless `value` is an object; so do all methods for a member that does not fit. */
  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new Failure(`${path} is no object`);
    }
    this.#object = value;
    this.#path = path;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  get(name: string): unknown {
    return this.has(name) ? (this.#object as Record<string, unknown>)[name] : undefined;
  }

  /** Text that matches `pattern`, which bounds its length. */
  text(name: string, pattern: RegExp): string {
    const value = this.get(name);
    if (typeof value !== "string" || !pattern.test(value)) throw this.#bad(name);
    return value;
  }

  textOrNull(name: string, pattern: RegExp): string | null {
    return this.get(name) === null ? null : this.text(name, pattern);
  }

  oneOf<const T extends string | number>(name: string, values: readonly T[]): T {
    const value = values.find((known) => known === this.get(name));
    if (value === undefined) throw this.#bad(name);
    return value;
  }

  flag(name: string): boolean {
    const value = this.get(name);
    if (typeof value !== "boolean") throw this.#bad(name);
    return value;
  }

  /** A whole number that is not negative. */
  count(name: string): number {
    const value = this.get(name);
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw this.#bad(name);
    return value as number;
  }

  /** A TCP port. */
  portOrNull(name: string): number | null {
    if (this.get(name) === null) return null;
    const port = this.count(name);
    if (port === 0 || port > 65_535) throw this.#bad(name);
    return port;
  }

  /** ms since 1970, in a year of four digits: one that can not be printed would spoil every list that it stands in. */
  time(name: string): number {
    const ms = this.count(name);
    if (ms > LAST_MS) throw this.#bad(name);
    return ms;
  }

  timeOrNull(name: string): number | null {
    return this.get(name) === null ? null : this.time(name);
  }

  /** The items of a list, each read by `read`; how many is bounded by the size of a message. */
  list<T>(name: string, read: (item: unknown, path: string) => T): T[] {
    const value = this.get(name);
    if (!Array.isArray(value)) throw this.#bad(name);
    return value.map((item, i) => read(item, `${this.#path}.${name}[${i}]`));
  }

  /** A list of objects. */
  objects<T>(name: string, read: (fields: Fields) => T): T[] {
    return this.list(name, (item, path) => read(new Fields(item, path)));
  }

  /** A JSON object whose members are for somebody else to read. */
  object(name: string): Readonly<Record<string, unknown>> {
    const value = this.get(name);
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.#bad(name);
    return value as Record<string, unknown>;
  }

  /** A list of texts. */
  texts(name: string, pattern: RegExp): string[] {
    return this.list(name, (item, path) => {
      if (typeof item !== "string" || !pattern.test(item)) {
        throw new Failure(`${path} is missing or malformed`);
      }
      return item;
    });
  }

  #bad(name: string): Failure {
    return new Failure(`${this.#path}.${name} is missing or malformed`);
  }
}

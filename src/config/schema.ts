/** How values are read: readers for kinds of value, and tables of keys that are documentation and reader in one. */
import type { Context } from "./context.ts";
import type { At, Kind, Node } from "./node.ts";
import type { Finding } from "./problem.ts";
import { nearest } from "./suggest.ts";
import { DATE, meant, quoted, wrongType, YAML_1_1_BOOLEAN } from "./wording.ts";

/** What a reader takes, as data: the JSON Schema of a file is held against it. */
export interface Shape {
  readonly kinds: readonly Kind[];
  /** The only texts that are taken. */
  readonly words?: readonly string[];
  /** A regular expression that every text matches which is taken; not the other way round. */
  readonly pattern?: string;
  /** Bounds of a whole number, inclusive. */
  readonly range?: readonly [min: number, max: number];
  /** What items of a list are. */
  readonly items?: Shape;
  /** So many items a list may have. */
  readonly most?: number;
  /** Keys of a mapping. */
  readonly keys?: Table;
  /** One of the keys at least must be there. */
  readonly some?: true;
  /** What every value of a mapping with free names is. */
  readonly values?: Shape;
  /** What those names match, as with `pattern`. */
  readonly names?: string;
}

/** Turns a node into a value, or reports why not and returns undefined. `owner` is where a lack is reported. */
export interface Reader<T> {
  readonly shape: Shape;
  /** What is due, for messages: "a duration such as 24h". */
  readonly wants: string;
  read(node: Node, context: Context, owner: At): T | undefined;
}

/** One key of a mapping: how it is read, and the sentence that documents it. */
export interface Key<T> {
  readonly reader: Reader<T>;
  readonly doc: string;
  /** A line of a file; keys within a mapping have none where that one's shows them. */
  readonly example?: string;
  readonly required?: true;
}

export type Table = Readonly<Record<string, Key<unknown>>>;

/** A value that was read, and where it stands. */
export interface Found<T> {
  readonly value: T;
  readonly at: At;
  /** Where the key stands whose value it is; a block list begins below its key. Absent: it is an item, or under a name. */
  readonly key?: At;
}

/** What a table's keys were read as; a key that is absent or wrong is undefined. */
export type Read<T extends Table> = {
  readonly [K in keyof T]?: T[K] extends Key<infer V> ? Found<V> : never;
};

interface TextOptions {
  readonly wants: string;
  readonly code: Finding["code"];
  /** The only texts that are taken; they may look like YAML 1.1's booleans. */
  readonly words?: readonly string[];
  /** For editors; `parse` decides. */
  readonly pattern?: string;
  /** A plain date is not mistaken for text. */
  readonly dates?: true;
  /** Numbers are read too, as they are written. */
  readonly numbers?: true;
}

/** Text that `parse` understands; what it throws becomes the message of a problem with `code`. */
export function text<T>(options: TextOptions, parse: (text: string, context: Context) => T): Reader<T> {
  const { wants, code, words, pattern, numbers = false } = options;
  const shape: Shape = { kinds: numbers ? ["text", "number"] : ["text"], words, pattern };
  return {
    shape,
    wants,
    read(node, context) {
      const due = node.kind === "number" ? numbers && WHOLE.test(node.text) : node.kind === "text";
      if (!due || isMistaken(node, options)) return wrongType(node, wants, context);
      try {
        return parse((node as { text: string }).text, context);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        context.report(node.at, { code, message: error.message });
      }
    },
  };
}

/** Written without an exponent, a fraction or a base: as people count. */
const WHOLE = /^-?\d+$/;

function isMistaken(node: Node, options: TextOptions): boolean {
  if (node.kind !== "text" || !node.plain) return false;
  if (YAML_1_1_BOOLEAN.test(node.text)) return !options.words?.includes(node.text);
  return !options.dates && DATE.test(node.text);
}

/** One of a few words. */
export function word<const W extends string>(words: readonly W[]): Reader<W> {
  const wants = words.map((w) => `"${w}"`).join(words.length === 2 ? " or " : ", ");
  return text({ wants, code: "bad_value", words }, (value) => {
    const found = words.find((w) => w === value);
    if (found === undefined) {
      throw new SyntaxError(`${quoted(value)} is none of ${wants}${meant(value, words)}`);
    }
    return found;
  });
}

/** A whole number within bounds, both inclusive. */
export function integer(min: number, max: number): Reader<number> {
  const wants = `a whole number from ${min} to ${max}`;
  return {
    shape: { kinds: ["number"], range: [min, max] },
    wants,
    read(node, context) {
      if (node.kind !== "number" || !WHOLE.test(node.text)) return wrongType(node, wants, context);
      const value = Number(node.text);
      if (value >= min && value <= max) return value;
      context.report(node.at, { code: "bad_value", message: `${node.text.slice(0, 60)} is not ${wants}` });
    },
  };
}

/** `true` or `false`, as YAML 1.2 writes them. */
export const boolean: Reader<boolean> = {
  shape: { kinds: ["boolean"] },
  wants: "true or false",
  read: (node, context) => node.kind === "boolean" ? node.value : wrongType(node, "true or false", context),
};

/** A list of one to `most` items; items that are wrong are reported, and left out. */
export function list<T>(
  item: Reader<T>,
  wants: string,
  most = Infinity,
  check?: (items: readonly Found<T>[], context: Context) => void,
): Reader<readonly Found<T>[]> {
  return {
    shape: { kinds: ["list"], items: item.shape, most },
    wants,
    read(node, context) {
      if (node.kind !== "list") return wrongType(node, wants, context);
      if (node.items.length === 0) {
        context.report(node.at, {
          code: "bad_value",
          message: `an empty list where ${wants} is due; leave the key out`,
        });
        return undefined;
      }
      if (node.items.length > most) {
        context.report(node.items[most].at, {
          code: "bad_value",
          message: `more than ${most} items in a list`,
        });
        return undefined;
      }
      const items = node.items.flatMap((each) => {
        const value = item.read(each, context, each.at);
        return value === undefined ? [] : [{ value, at: each.at }];
      });
      check?.(items, context);
      return items;
    },
  };
}

/** The value of `reader`, made into something else. */
export function map<T, U>(reader: Reader<T>, into: (value: T) => U): Reader<U> {
  return {
    ...reader,
    read(node, context, owner) {
      const value = reader.read(node, context, owner);
      return value === undefined ? undefined : into(value);
    },
  };
}

/** Whichever of the readers takes the kind of value that is there. */
export function either<T>(wants: string, ...readers: readonly Reader<T>[]): Reader<T> {
  const shapes = readers.map((reader) => reader.shape);
  return {
    shape: Object.assign({}, ...shapes, { kinds: shapes.flatMap((shape) => shape.kinds) }) as Shape,
    wants,
    read(node, context, owner) {
      const reader = readers.find((each) => each.shape.kinds.includes(node.kind));
      return reader === undefined ? wrongType(node, wants, context) : reader.read(node, context, owner);
    },
  };
}

/** A mapping with the keys of `table`; with `some`, at least one of them. */
export function mapping<T extends Table>(
  wants: string,
  table: T,
  { some }: { some?: true } = {},
): Reader<Read<T>> {
  return {
    shape: { kinds: ["mapping"], keys: table, some },
    wants,
    read(node, context, owner) {
      if (node.kind !== "mapping") return wrongType(node, wants, context);
      // No prototype: a key is one of the table's, or it is not there.
      const read = Object.create(null) as Record<string, Found<unknown>>;
      const seen = new Set<string>();
      const known = new Map(Object.keys(table).map((key) => [context.spell(key), key]));
      for (const { key: written, at, value } of uniquePairs(node, context)) {
        const key = known.get(written);
        if (key === undefined) {
          context.report(at, unknownKey(written, [...known.keys()]));
          continue;
        }
        seen.add(key);
        const got = table[key].reader.read(value, context, at);
        if (got !== undefined) read[key] = { value: got, at: value.at, key: at };
      }
      for (const [key, { required }] of Object.entries(table)) {
        if (required && !seen.has(key)) missing([key]);
      }
      if (some && seen.size === 0) missing(Object.keys(table));
      return read as Read<T>;

      function missing(keys: readonly string[]): void {
        const message = `${keys.map((key) => quoted(context.spell(key))).join(" or ")} is missing`;
        context.report(owner, { code: "missing", message, missing: keys[0] });
      }
    },
  };
}

/** A mapping whose keys are names that people choose. null is an empty one. Names are handed on with their places. */
export function named<T>(
  wants: string,
  name: { readonly check: (name: string) => void; readonly pattern: string },
  reader: Reader<T>,
): Reader<ReadonlyMap<string, Found<T | undefined>>> {
  return {
    shape: { kinds: ["mapping", "null"], values: reader.shape, names: name.pattern },
    wants,
    read(node, context) {
      const read = new Map<string, Found<T | undefined>>();
      if (node.kind === "null") return read;
      if (node.kind !== "mapping") return wrongType(node, wants, context);
      for (const { key, at, value } of uniquePairs(node, context)) {
        try {
          name.check(key);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          context.report(at, { code: "bad_name", message: error.message });
        }
        read.set(key, { value: reader.read(value, context, at), at });
      }
      return read;
    },
  };
}

function* uniquePairs(node: Extract<Node, { kind: "mapping" }>, context: Context) {
  const seen = new Set<string>();
  for (const pair of node.pairs) {
    if (!seen.has(pair.key)) yield pair;
    else context.report(pair.at, { code: "duplicate_key", message: `${quoted(pair.key)} stands here twice` });
    seen.add(pair.key);
  }
}

function unknownKey(key: string, known: readonly string[]): Finding {
  return {
    code: "unknown_key",
    message: `${quoted(key)} is no key here`,
    hint() {
      const close = nearest(key, known);
      return close === null ? `known here: ${known.join(", ")}` : `did you mean "${close}"?`;
    },
  };
}

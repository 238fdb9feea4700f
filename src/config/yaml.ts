/** YAML text to values with places. The only file that knows the YAML package. */
import {
  Composer,
  Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  type ParsedNode,
  Parser,
} from "yaml";
import { type At, MAX_DEPTH, type Node, type Pair } from "./node.ts";
import { yamlWords } from "./yaml_words.ts";

/** Something that YAML admits and a configuration does not, or that is no YAML. */
export interface YamlFault {
  readonly at: At;
  readonly code: "syntax" | "multi_document" | "alias" | "tag" | "too_deep";
  readonly message: string;
  readonly hint?: string;
}

export interface Yaml {
  /** null: the text can not be read at all, and `faults` says why. */
  readonly root: Node | null;
  readonly faults: readonly YamlFault[];
}

// YAML 1.2 c-printable, without the byte order mark that the reader of the file has taken off.
const UNPRINTABLE = /[^\t\n\r\x20-\x7e\x85\xa0-\ufefe\uff00-\ufffd]/;

/** The tokens of the package that open a level. */
const COLLECTIONS: ReadonlySet<string> = new Set(["block-map", "block-seq", "flow-collection"]);

/** Errors that only repeat what is reported as `alias` or `tag`. */
const REPEATED: ReadonlySet<string> = new Set([
  "ALIAS_PROPS",
  "BAD_ALIAS",
  "MULTIPLE_ANCHORS",
  "MULTIPLE_TAGS",
  "TAG_RESOLVE_FAILED",
]);

/**
 * Reads one YAML 1.2 document (core schema). Aliases, anchors, tags and second documents are faults; a broken
 * text yields its first fault only, because the rest follows from it.
 */
export function readYaml(text: string): Yaml {
  const odd = UNPRINTABLE.exec(text);
  if (odd !== null) {
    const code = odd[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    return failed([], {
      at: odd.index,
      code: "syntax",
      message: `the character U+${code} may not stand in YAML`,
    });
  }
  const { documents, faults, deep } = parse(text);
  if (deep !== null) return failed(faults, deep);

  const [first, second] = documents;
  const end = second?.at ?? Infinity;
  const error = first.document.errors.filter((e) => !REPEATED.has(e.code) && e.pos[0] < end)
    .sort((a, b) => a.pos[0] - b.pos[0])[0];
  if (error !== undefined) {
    return failed(faults, { at: error.pos[0], code: "syntax", ...yamlWords(error.message) });
  }
  const kept = faults.filter((fault) => fault.at < end);
  if (second !== undefined) {
    kept.push({ at: end, code: "multi_document", message: "a second document: a file holds one" });
  }
  const contents = first.document.contents as ParsedNode | null;
  return { root: contents === null ? { kind: "null", at: 0 } : toNode(contents), faults: kept };
}

/** What stands before the fault is true whatever comes after it. */
function failed(faults: readonly YamlFault[], fatal: YamlFault): Yaml {
  return { root: null, faults: [...faults.filter((fault) => fault.at < fatal.at), fatal] };
}

interface Parsed {
  documents: { at: At; document: Document.Parsed }[];
  faults: YamlFault[];
  deep: YamlFault | null;
}

/**
 * Drives the package's lexer by hand, for two things that the composed document no longer tells: where anchors and
 * tags stand, and how deep the nesting goes before the (recursive) composer would overflow on it.
 */
function parse(text: string): Parsed {
  const parser = new Parser();
  // Plain keys: `<<` is a key like any other, and duplicates are found by the reader, which knows both places.
  const composer = new Composer({ schema: "core", merge: false, uniqueKeys: false, prettyErrors: false });
  const parsed: Parsed = { documents: [], faults: [], deep: null };
  const starts: At[] = [];
  let inScalar = false;

  for (const lexeme of new Lexer().lex(text)) {
    const at = parser.offset;
    if (inScalar) inScalar = false;
    else if (lexeme === SCALAR_FOLLOWS) inScalar = true;
    else report(lexeme, at, parsed.faults);
    compose(parser.next(lexeme));
    if (tooDeep(parser)) {
      return {
        ...parsed,
        deep: { at, code: "too_deep", message: `more than ${MAX_DEPTH} levels of nesting` },
      };
    }
  }
  compose(parser.end());
  add(composer.end(true, text.length));
  return parsed;

  function compose(tokens: ReturnType<Parser["next"]>): void {
    for (const token of tokens) {
      if (token.type === "document") {
        starts.push(token.start.find((part) => part.type === "doc-start")?.offset ?? token.offset);
      }
      add(composer.next(token));
    }
  }

  function add(documents: ReturnType<Composer["next"]>): void {
    for (const document of documents) {
      parsed.documents.push({
        at: starts[parsed.documents.length] ?? 0,
        document: document as Document.Parsed,
      });
    }
  }
}

function tooDeep(parser: Parser): boolean {
  if (parser.stack.length <= MAX_DEPTH) return false;
  return parser.stack.filter((token) => COLLECTIONS.has(token.type)).length > MAX_DEPTH;
}

/** The lexer's mark before the text of a scalar that has no quotes; that text may look like any other lexeme. */
const SCALAR_FOLLOWS = "\x1f";

function report(lexeme: string, at: At, faults: YamlFault[]): void {
  const name = lexeme.slice(0, 60);
  switch (lexeme[0]) {
    case "&":
      faults.push({
        at,
        code: "alias",
        message: `an anchor (${name}): write the value out where it is needed`,
      });
      break;
    case "*":
      faults.push({ at, code: "alias", message: `an alias (${name}): write the value out` });
      break;
    case "!":
      faults.push({ at, code: "tag", message: `a tag (${name}): values are read as they are written` });
      break;
  }
}

function toNode(node: ParsedNode): Node {
  const at = node.range[0];
  if (isAlias(node) || node.tag !== undefined) return { kind: "opaque", at };
  if (isSeq(node)) {
    return { kind: "list", at, items: node.items.map((item) => toNode(item as ParsedNode)) };
  }
  if (isMap(node)) return { kind: "mapping", at, pairs: node.items.flatMap(toPair) };
  if (!isScalar(node)) throw new TypeError("a YAML node of an unknown kind");
  const { value } = node;
  const plain = node.type === "PLAIN";
  if (typeof value === "string") return { kind: "text", at, text: value, plain };
  if (typeof value === "boolean") return { kind: "boolean", at, value };
  if (typeof value === "number") return { kind: "number", at, text: node.source ?? String(value) };
  return { kind: "null", at };
}

/** Keys are text as written: a link may be called `0`. A key that is an alias, tagged or no scalar has none. */
function toPair(pair: unknown): Pair[] {
  if (!isPair(pair)) return [];
  const key = pair.key as ParsedNode;
  const at = key.range[0];
  const value = pair.value as ParsedNode | null;
  if (isAlias(key) || key.tag !== undefined) return [];
  return [{
    key: isScalar(key) ? key.source ?? String(key.value) : "? …",
    at,
    value: value === null ? { kind: "null", at: key.range[1] } : toNode(value),
  }];
}

/** The key `headers` of a link: which fields are set in heads, and which are taken out. */
import {
  checkEditable,
  checkFieldValue,
  EDIT_LIMITS,
  editedName,
  type EditsSpec,
  type HeadersSpec,
} from "../core/field_edits.ts";
import { Secret } from "../core/secret.ts";
import type { At } from "./node.ts";
import type { Context } from "./context.ts";
import { type Found, list, map, mapping, named, type Reader, text } from "./schema.ts";
import { quoted, wrongType } from "./wording.ts";

type Side = "request" | "response";

const TOKEN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

/** Never quoted, also where it is wrong: it may be a credential. A whole number is taken as it is written. */
const value: Reader<Secret> = {
  shape: { kinds: ["text", "number"], pattern: "^[\\t -~]*$" },
  wants: "the value of a field",
  read(node, context) {
    context.hide(node.at);
    if (node.kind !== "text" && node.kind !== "number") return wrongType(node, this.wants, context);
    try {
      if (node.kind === "number" && !/^-?\d+$/.test(node.text)) {
        throw new SyntaxError("a number that is not whole needs quotes here");
      }
      checkFieldValue(node.text);
      return new Secret(node.text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      context.report(node.at, { code: "bad_value", message: error.message });
    }
  },
};

function edits(head: Side): Reader<EditsSpec> {
  const check = (name: string) => checkEditable(name, head);
  const table = {
    set: {
      reader: named("a mapping of fields to values", { check, pattern: TOKEN }, value),
      doc:
        "Fields and their values, each in place of all of that name. A value may be a credential: it is never shown.",
    },
    remove: {
      reader: list(
        text({ wants: "the name of a field", code: "bad_name", pattern: TOKEN }, (name) => {
          check(name);
          return name;
        }),
        "a list of fields such as [Cookie]",
        EDIT_LIMITS.fields,
      ),
      doc: "Fields to take out.",
    },
  };
  const reader = mapping("a mapping with set or remove", table, { some: true });
  return {
    ...reader,
    read(node, context, owner) {
      const read = reader.read(node, context, owner);
      if (read === undefined) return;
      const set = [...read.set?.value ?? []], remove = read.remove?.value ?? [];
      const names: [string, At][] = [
        ...set.map(([name, { at }]): [string, At] => [name, at]),
        ...remove.map(({ value, at }): [string, At] => [value, at]),
      ];
      checkTogether(names, set, node.at, context);
      return {
        set: set.flatMap(([name, { value }]) => value === undefined ? [] : [[name, value] as const]),
        remove: remove.map(({ value }) => value),
      };
    },
  };
}

function checkTogether(
  names: readonly [string, At][],
  set: readonly [string, Found<Secret | undefined>][],
  at: At,
  context: Context,
): void {
  const seen = new Map<string, string>();
  for (const [name, at] of names) {
    const before = seen.get(editedName(name));
    if (before !== undefined) {
      const message = `${quoted(before)} and ${quoted(name)} are one field, and it is changed once`;
      context.report(at, { code: "conflict", message });
    }
    seen.set(editedName(name), name);
  }
  const octets = set.reduce(
    (sum, [name, { value }]) => sum + name.length + (value?.expose().length ?? 0) + 4,
    0,
  );
  if (names.length > EDIT_LIMITS.fields) {
    context.report(at, { code: "bad_value", message: `more than ${EDIT_LIMITS.fields} fields are changed` });
  } else if (octets > EDIT_LIMITS.octets) {
    context.report(at, { code: "bad_value", message: `more than ${EDIT_LIMITS.octets} octets are set` });
  }
}

/** What is changed of requests and of the target's answers. */
export const headers: Reader<HeadersSpec> = map(
  mapping("a mapping with request or response", {
    request: { reader: edits("request"), doc: "Fields of what the target gets." },
    response: { reader: edits("response"), doc: "Fields of the target's answers, as visitors get them." },
  }, { some: true }),
  ({ request, response }) => ({ request: request?.value ?? null, response: response?.value ?? null }),
);

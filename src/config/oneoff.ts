/** One-off links: an entry that came as JSON. */
import type { Entry } from "../core/entry.ts";
import { checkName } from "../core/names.ts";
import { makeEntry, type Services } from "./entry.ts";
import { camelCase, fromJson } from "./json.ts";
import { LINK_KEYS } from "./keys.ts";
import type { Config } from "./links.ts";
import { hintOf } from "./problem.ts";
import type { Context } from "./context.ts";
import { mapping, text } from "./schema.ts";

/** What is wrong with a member of a JSON body (interfaces: errors of APIs). */
export interface MemberError {
  readonly pointer: string;
  readonly detail: string;
}

/** What surrounds a one-off: the file's services and defaults, the folder that relative paths start from. */
export interface OneOffOptions {
  readonly now: number;
  readonly source: "oneoff" | "hub";
  /** null: there is no file. */
  readonly config: Pick<Config, "services" | "defaults"> | null;
  readonly dir: string;
  readonly home?: string;
}

/** Keys of a one-off's body: those of an entry, and its name. */
export const ONE_OFF_KEYS = {
  name: {
    reader: text(
      { wants: "a name such as demo", code: "bad_name", pattern: "^[a-z0-9][a-z0-9-]{0,62}$" },
      (written) => {
        checkName(written);
        return written;
      },
    ),
    doc: "The name of the link.",
    required: true,
  },
  ...LINK_KEYS,
} as const;

const reader = mapping("a JSON object", ONE_OFF_KEYS);

/** Reads a one-off's JSON (keys of an entry in camelCase, and `name`). With errors, `entry` is null. */
export function readEntry(
  value: unknown,
  options: OneOffOptions,
): { entry: Entry | null; errors: MemberError[] } {
  const json = fromJson(value);
  const errors: MemberError[] = [];
  const context: Context = {
    now: options.now,
    dir: options.dir,
    home: options.home ?? null,
    spell: camelCase,
    place: () => ({ line: 0, column: 0 }),
    // Messages about a body quote nothing but what a reader chose.
    hide: () => {},
    report(at, { missing, ...finding }) {
      const { severity, code, message } = finding;
      // Nobody keeps a body's warnings; but a link that has ended before it begins is a mistake.
      if (severity === "warning" && code !== "expired") return;
      const hint = hintOf(finding);
      errors.push({
        pointer: json.pointer(at, missing),
        detail: hint === undefined ? message : `${message}; ${hint}`,
      });
    },
  };
  if (json.tooDeep !== null) context.report(json.tooDeep, { code: "too_deep", message: "nested too deep" });
  const read = reader.read(json.root, context, json.root.at);
  if (read === undefined) return { entry: null, errors };

  const known = options.config?.services ?? new Map<string, never>();
  const services: Services = { known, declared: new Set(known.keys()) };
  const around = { source: options.source, defaults: options.config?.defaults ?? {}, services };
  const entry = makeEntry(read.name?.value ?? "", json.root.at, read, around, context);
  return { entry: errors.length === 0 ? entry : null, errors };
}

/** The fields of a link that a hub may set, for a new one and for one that is changed. */
import type { ApiProblem } from "../../api/problem.ts";
import { readList } from "../../api/form.ts";

export type Typed = ReadonlyMap<string, string>;

/** In the order in which they are asked for: the key of the API, and how its text is read. */
const FIELDS = [
  { name: "ttl", label: "For how long", hint: "24h" },
  { name: "methods", label: "Methods", hint: "all; or GET, POST" },
  { name: "paths", label: "Paths", hint: "all; or /api, /health" },
  { name: "rate", label: "Rate", hint: "no limit; or 60/m" },
  { name: "allowIps", label: "Addresses", hint: "all; or 198.51.100.0/24" },
  { name: "maxBody", label: "Largest body", hint: "no limit; or 10MiB" },
  { name: "maxStreams", label: "Requests in flight", hint: "no limit; or 100" },
] as const;

type Name = typeof FIELDS[number]["name"];

const LISTS: readonly string[] = ["methods", "paths", "allowIps"];

/** The inputs, with what was typed and what was wrong with it. */
export function Inputs(
  { typed, problem, without = [] }: { typed: Typed; problem: ApiProblem | null; without?: readonly Name[] },
) {
  return (
    <>
      {FIELDS.filter(({ name }) => !without.includes(name)).map(({ name, label, hint }) => (
        <p>
          <label>
            {label}
            <input
              name={name}
              value={typed.get(name)}
              placeholder={hint}
              autocomplete="off"
              spellcheck={false}
              aria-invalid={isWrong(problem, name) ? "true" : undefined}
            />
          </label>
        </p>
      ))}
    </>
  );
}

export function isWrong(problem: ApiProblem | null, name: string): boolean {
  return problem?.errors.some(({ pointer }) => pointer.split("/")[1] === name) ?? false;
}

/** The members of a body for what was typed; what is empty is absent. */
export function wishOf(typed: Typed): Record<string, unknown> {
  const wish = Object.fromEntries(FIELDS.map(({ name }) => [name, valueOf(name, typed.get(name))]));
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
}

/** What of `typed` is another than `before`, as a merge patch: what was emptied is null. */
export function patchOf(typed: Typed, before: Typed): Record<string, unknown> {
  const changed = FIELDS.filter(({ name }) => (typed.get(name) ?? "") !== (before.get(name) ?? ""));
  return Object.fromEntries(changed.map(({ name }) => [name, valueOf(name, typed.get(name)) ?? null]));
}

function valueOf(name: Name, text: string | undefined): unknown {
  if (LISTS.includes(name)) return readList(name === "methods" ? text?.toUpperCase() : text);
  if (name === "rate") return text?.split(",").map((rate) => rate.trim());
  if (name === "maxStreams" && text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  return text;
}

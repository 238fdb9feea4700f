/** What the word of `connectd link` means: a service of the file, a target, or a name that somebody else may know. */
import type { Config } from "../config/links.ts";
import { resolvePath } from "../config/places.ts";
import { nearest } from "../config/suggest.ts";
import { Failure } from "../core/errors.ts";
import { isName } from "../core/names.ts";
import { parseTarget, printTarget, type Target } from "../core/target.ts";
import { UsageError } from "./verb.ts";

/** A word that was looked up. */
export interface Meant {
  readonly word: string;
  /** Null: a name that the file does not have. */
  readonly target: Target | null;
  /** The word is the name of a service of the file. */
  readonly inFile: boolean;
}

/** Looks `word` up in the file. Throws UsageError for what is no target, Failure for a service that no link may have. */
export function meaning(word: string, config: Pick<Config, "services"> | null): Meant {
  const service = config?.services.get(word);
  if (service !== undefined) {
    const why = service.target.kind === "tcp"
      ? ["is no HTTP service", "name one that speaks HTTP"]
      : service.access === "private"
      ? ["is private, and a link would make it public", "take `access: private` away if anybody may reach it"]
      : null;
    if (why !== null) throw new Failure(`the service ${word} ${why[0]}`, { hint: why[1] });
    return { word, target: service.target, inFile: true };
  }
  // `3000` and `localhost` are names too: a service may be called so.
  if (isName(word) && word !== "echo") return { word, target: null, inFile: false };
  return { word, target: readTarget(word), inFile: false };
}

function readTarget(word: string): Target {
  try {
    const target = parseTarget(word);
    if (target.kind === "tcp") throw new SyntaxError("a link leads to HTTP, never to raw TCP");
    if (target.kind !== "unix") return target;
    return {
      ...target,
      path: resolvePath(target.path, { dir: Deno.cwd(), home: Deno.env.get("HOME") ?? null }),
    };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

/** Nobody knows the service `word`. */
export function unknownService(word: string, services: Iterable<string>): Failure {
  const near = nearest(word, services);
  const meant = near ?? (/^\d{1,5}$/.test(word) ? `localhost:${word}` : null);
  return new Failure(`there is no service ${JSON.stringify(word)}`, {
    hint: meant === null
      ? "declare it in links.yaml, or write a target such as localhost:3000"
      : `did you mean ${meant}?`,
    permanent: true,
  });
}

/** The name of a link to `meant`, unless it is given one: `localhost-3000`. */
export function linkName({ word, target, inFile }: Meant): string {
  if (target === null || inFile) return word;
  if (target.kind === "echo") return "echo";
  const text = target.kind === "unix" ? target.path : printTarget(target).replace(/^[a-z]+:\/\//, "");
  const name = text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+/, "");
  // Of a long one the end tells more: a port, a file.
  return name.slice(-63).replace(/^-+|-+$/g, "");
}

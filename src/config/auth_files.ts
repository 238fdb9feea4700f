/** The auth files that a configuration names. */
import { Failure } from "../core/errors.ts";
import { type AuthFileProblem, readHtpasswd, readTokens } from "./credentials.ts";
import { MAX_BYTES } from "./file.ts";
import type { Config } from "./links.ts";
import { type Problem, problemAt } from "./problem.ts";
import { readStill } from "./still.ts";
import { quoted } from "./wording.ts";

/** A file that holds credentials, and who leans on it first. */
export interface AuthFile {
  readonly kind: "basic" | "bearer";
  /** Absolute. */
  readonly path: string;
  readonly link: string;
  /** Of `auth` in the configuration. */
  readonly line: number;
}

/** The auth files of all links, each once for each kind, in the order of the links. */
export function authFiles(config: Pick<Config, "links">): AuthFile[] {
  const files = new Map<string, AuthFile>();
  for (const { name, auth, lines } of config.links.values()) {
    for (const [kind, path] of [["basic", auth.basicFile], ["bearer", auth.bearerFile]] as const) {
      if (path === null || files.has(`${kind} ${path}`)) continue;
      files.set(`${kind} ${path}`, { kind, path, link: name, line: lines.get("auth") ?? 1 });
    }
  }
  return [...files.values()];
}

/**
 * What is wrong in the auth files of `config`, each problem in its file and line. It puts a link into `error` and does
 * not refuse the configuration, which is why loading it does not ask.
 */
export async function checkAuthFiles(config: Pick<Config, "file" | "links">): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const { kind, path, link, line } of authFiles(config)) {
    for (const wrong of await readProblems(kind, path)) {
      // The line itself is not shown: it may hold a password.
      problems.push(problemAt(path, { line: wrong.line, column: 1 }, "", {
        code: "bad_auth_file",
        message: wrong.message,
        hint: `the link ${quoted(link)} needs it (${config.file}:${line})`,
      }));
    }
  }
  return problems;
}

/** The text of the auth file at `path`. Throws Failure where it can not be read, or is too large to be one. */
export async function readAuthText(path: string): Promise<string> {
  const bytes = await readStill(path, 0, MAX_BYTES + 1);
  if (bytes.length > MAX_BYTES) throw new Failure(`${path} is larger than ${MAX_BYTES / 1024} KiB`);
  return new TextDecoder().decode(bytes);
}

async function readProblems(kind: AuthFile["kind"], path: string): Promise<AuthFileProblem[]> {
  try {
    const text = await readAuthText(path);
    return (kind === "basic" ? readHtpasswd(text) : readTokens(text)).problems;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [{ line: 1, message: error.message }];
  }
}

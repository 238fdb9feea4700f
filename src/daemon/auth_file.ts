/** Auth files: each is read and watched once, however many links lean on it. */
import type { Clock } from "../clock.ts";
import { readAuthText } from "../config/auth_files.ts";
import { type AuthFileProblem, readHtpasswd, readTokens } from "../config/credentials.ts";
import { type Watch, watchFile } from "../config/watch.ts";
import type { Entry } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";

export type AuthFileKind = "basic" | "bearer";

/** One file while somebody leans on it. */
export class AuthFile {
  /** Why nobody is admitted by it; null: it is good. */
  problem: string | null;
  /** It was read: `problem` is about what is in it. */
  known = false;
  /** Name → bcrypt hash. Replaced, never changed: who holds an older map knows that the file changed. */
  users: ReadonlyMap<string, string> = new Map();
  tokens: readonly string[] = [];
  /** Settles after the first reading. */
  readonly ready: Promise<void>;
  readonly #leaners = new Set<() => void>();
  readonly #watch: Watch;
  #readings = 0;

  constructor(readonly kind: AuthFileKind, readonly path: string, clock: Clock, readonly gone: () => void) {
    this.problem = `${path}: not read yet`;
    // Watched before it is read, so that a change between the two is seen.
    this.#watch = watchFile(path, { clock }, () => void this.#read());
    this.ready = this.#read();
  }

  /** `changed` is called after each later reading. */
  lean(changed: () => void): void {
    this.#leaners.add(changed);
  }

  /** The last one to leave ends the watch. */
  leave(changed: () => void): void {
    this.#leaners.delete(changed);
    if (this.#leaners.size > 0) return;
    this.#watch.close();
    this.gone();
  }

  async #read(): Promise<void> {
    const reading = ++this.#readings;
    let text = "", problem: string | null = null;
    try {
      text = await readAuthText(this.path);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem = error.message;
    }
    if (reading !== this.#readings) return;
    this.known = true;
    this.users = new Map();
    this.tokens = [];
    this.problem = problem ?? this.#take(text);
    for (const changed of [...this.#leaners]) changed();
  }

  /** Admits by `text` only when all of it is good: a half-written file must not lock anybody in or out. */
  #take(text: string): string | null {
    if (this.kind === "basic") {
      const { users, problems } = readHtpasswd(text);
      if (problems.length > 0) return this.#sentence(problems);
      this.users = users;
    } else {
      const { tokens, problems } = readTokens(text);
      if (problems.length > 0) return this.#sentence(problems);
      this.tokens = tokens;
    }
    return null;
  }

  #sentence(problems: readonly AuthFileProblem[]): string {
    const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more)`;
    return `${this.path}:${problems[0].line}: ${problems[0].message}${more}`;
  }
}

/** The auth files in use, by kind and path. */
export class AuthFiles {
  readonly #files = new Map<string, AuthFile>();

  constructor(readonly clock: Clock) {}

  /** The file at `path`, read by now or soon; `lean` on it at once, `leave` it when done. */
  open(kind: AuthFileKind, path: string): AuthFile {
    const key = `${kind} ${path}`;
    let file = this.#files.get(key);
    if (file === undefined) {
      file = new AuthFile(kind, path, this.clock, () => this.#files.delete(key));
      this.#files.set(key, file);
    }
    return file;
  }

  /**
   * Calls `act` when the files of `entries` were read: links that lean on them there admit at once, and what changes
   * over from one file to another never has none.
   */
  async whenRead(entries: Iterable<Entry>, act: () => void): Promise<void> {
    const held = new Set<AuthFile>();
    for (const { auth: { basicFile, bearerFile } } of entries) {
      if (basicFile !== null) held.add(this.open("basic", basicFile));
      if (bearerFile !== null) held.add(this.open("bearer", bearerFile));
    }
    const lean = () => {};
    for (const file of held) file.lean(lean);
    try {
      await Promise.all([...held].map(({ ready }) => ready));
      act();
    } finally {
      for (const file of held) file.leave(lean);
    }
  }
}

/** What all links of a daemon share: the verifier's worker, the auth files, the echo target. */
import type { Clock } from "../clock.ts";
import type { Entry } from "../core/entry.ts";
import { TargetPool } from "../net/pool.ts";
import { Auth, type AuthMeans } from "./auth.ts";
import { AuthFiles } from "./auth_file.ts";
import { Bcrypt } from "./bcrypt.ts";
import { Echo } from "./echo.ts";
import type { Parts } from "./served.ts";

export class SharedParts implements Parts {
  readonly clock: Clock;
  readonly daemon: string;
  readonly #echo: Echo;
  readonly #auth: AuthMeans;

  /** `daemon`: its id. */
  constructor(clock: Clock, daemon: string) {
    this.clock = clock;
    this.daemon = daemon;
    this.#echo = new Echo(clock);
    this.#auth = { files: new AuthFiles(clock), bcrypt: new Bcrypt(clock), clock };
  }

  pool({ target, tls }: Entry): TargetPool {
    const { clock } = this;
    if (target.kind !== "echo") return new TargetPool(target, { tls, clock });
    return new TargetPool(target, { tls, clock, connect: () => this.#echo.connect() });
  }

  auth(entry: Entry, changed: () => void): Auth | null {
    return Auth.open(entry, this.#auth, changed);
  }

  /** Calls `act` when the auth files of `entries` were read. */
  whenRead(entries: Iterable<Entry>, act: () => void): Promise<void> {
    return this.#auth.files.whenRead(entries, act);
  }

  /** After the last link was closed. */
  close(): void {
    this.#auth.bcrypt.close();
    this.#echo.close();
  }
}

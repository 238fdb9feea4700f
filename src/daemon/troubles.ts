/** What visitors were told, for the owner: refusals, and targets that fail with what no visitor may know. */
import type { Clock } from "../clock.ts";
import type { Code } from "../core/errors.ts";
import { printTarget } from "../core/target.ts";
import type { Log } from "../log.ts";
import { counted, Repeats } from "../repeats.ts";
import type { ServedLink } from "./served.ts";

export class Troubles {
  readonly #repeats: Repeats;

  constructor(private readonly log: Log, clock: Clock) {
    this.#repeats = new Repeats(clock);
  }

  /** The policy refused a request, or the link has ended. */
  refused({ name }: ServedLink, request: string, code: Code): void {
    this.log.debug("refused", { link: name, code, request });
  }

  /** A shadow link let a request through that its policy refuses. */
  shadowed({ name }: ServedLink, request: string, code: Code): void {
    this.#repeats.happened(`shadow ${name} ${code}`, (times) => {
      this.log.info("would be refused", { link: name, code, request, ...counted(times) });
    });
  }

  /** A request to the target of `link` failed with `code`. */
  failed(link: ServedLink, request: string, code: Code, cause: string | null): void {
    link.trouble = cause === null ? code : `${code}: ${cause}`;
    this.#repeats.happened(`target ${link.name} ${code}`, (times) => {
      this.log.warn("a target failed", {
        link: link.name,
        target: printTarget(link.entry.target),
        code,
        ...(cause === null ? {} : { cause }),
        request,
        ...counted(times),
      });
    });
  }

  /** Says what is still to be said. */
  close(): void {
    this.#repeats.close();
  }
}

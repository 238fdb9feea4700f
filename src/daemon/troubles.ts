/** What visitors were told, for the owner: refusals at level debug, and targets that fail with what no visitor may know. */
import type { Clock } from "../clock.ts";
import type { Code } from "../core/errors.ts";
import { printTarget } from "../core/target.ts";
import type { Log } from "../log.ts";
import type { ServedLink } from "./served.ts";

/** One line for each kind of failure of a link in so long: a thousand visitors must not fill a disk. */
const QUIET_MS = 10_000;

/** What was said of one kind of failure. */
interface Said {
  readonly at: number;
  /** Requests that failed so since. */
  more: number;
}

export class Troubles {
  readonly #said = new Map<string, Said>();

  constructor(private readonly log: Log, private readonly clock: Clock) {}

  /** The policy refused a request, or the link has ended. */
  refused({ name }: ServedLink, request: string, code: Code): void {
    this.log.debug("refused", { link: name, code, request });
  }

  /** A request to the target of `link` failed with `code`. */
  failed(link: ServedLink, request: string, code: Code, cause: string | null): void {
    link.trouble = cause === null ? code : `${code}: ${cause}`;
    const key = `${link.name} ${code}`, now = this.clock.mono();
    const said = this.#said.get(key);
    if (said !== undefined && now - said.at < QUIET_MS) return void said.more++;
    this.#said.set(key, { at: now, more: 0 });
    this.log.warn("a target failed", {
      link: link.name,
      target: printTarget(link.entry.target),
      code,
      ...(cause === null ? {} : { cause }),
      request,
      ...(said === undefined || said.more === 0 ? {} : { more: said.more }),
    });
  }
}

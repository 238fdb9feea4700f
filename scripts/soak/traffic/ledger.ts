/** What visitors honestly sent, what targets saw of it, and which promises broke. */
import { Broken } from "../../../tests/e2e/talk.ts";
import type { Report } from "../campaign.ts";

interface Sent {
  readonly method: string;
  /** False: the policy or the state of its link keeps it from the target. */
  readonly admitted: boolean;
  seen: number;
}

/** Every request has a number, which stands in its path. */
export class Ledger {
  /** Octets of bodies that arrived as they were sent, both ways. */
  octets = 0;
  /** Requests that a target got more than once. */
  twice = 0;
  readonly #sent: Sent[] = [];

  constructor(private readonly report: Report) {}

  get requests(): number {
    return this.#sent.length;
  }

  /** A visitor is about to send a request. Returns its number. */
  send(method: string, admitted = true): number {
    return this.#sent.push({ method, admitted, seen: 0 }) - 1;
  }

  /** A target has read the head of a request. */
  see(first: string): void {
    const [method, target] = first.split(" ");
    const number = Number(/^\/[a-z]+\/(\d+)/.exec(target)?.[1] ?? NaN);
    const sent = this.#sent[number];
    if (sent === undefined || sent.method !== method) {
      this.breaks(`a target got ${JSON.stringify(first)}, which nobody sent`);
    } else if (!sent.admitted) this.breaks(`a target got ${JSON.stringify(first)}, which may not reach it`);
    else if (++sent.seen > 1) {
      this.twice++;
      this.breaks(`a target got ${JSON.stringify(first)} ${sent.seen} times`);
    }
  }

  /** Request `number` has its target's answer. */
  answered(number: number): void {
    if (this.#sent[number].seen !== 1) {
      throw new Broken(`request ${number} is answered, and no target saw it`);
    }
  }

  breaks(what: string): void {
    this.report.breaks(what);
  }
}

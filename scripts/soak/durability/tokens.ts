/** Tokens of a hub that are made, rotated and revoked: each secret that was given out lets in, or does not. */
import { Refused } from "../../../src/cli/client.ts";
import type { Random } from "../../../tests/pure/random.ts";
import type { Book } from "./book.ts";
import type { Lane, Turn } from "./lanes.ts";
import type { Made, World } from "./world.ts";

/** One secret of a token of scope viewer; a token that was rotated has several. */
interface SecretKnown {
  readonly id: string;
  readonly text: string;
  /** Null: what would have ended it was asked for and not answered. */
  live: boolean | null;
}

/** Secrets that are good; and those that ended and are kept in mind: the newest. */
const LIVE = 30, KEPT = 400;

/** Secrets that are looked at after each round. */
const SAMPLE = 8;

export class Tokens {
  #all: SecretKnown[] = [];

  constructor(private readonly book: Book) {}

  readonly lane: Lane = async (turn) => {
    const { random, going } = turn;
    while (going()) {
      const live = this.#all.filter(({ live }) => live === true);
      const makes = live.length < 5 || (live.length < LIVE && random.below(3) === 0);
      const changes = () => (random.below(2) === 0 ? this.#rotate : this.#revoke)(turn, random.of(live).id);
      if (!await (makes ? this.#make(turn) : changes())) return;
    }
  };

  /** Shows one that has ended to the hub. */
  async probe(world: World, random: Random): Promise<void> {
    const ended = this.#all.filter(({ live }) => live === false);
    if (ended.length === 0) return;
    const { text, id } = random.of(ended);
    if (await admitted(world, text) === true) {
      this.book.revives(`an ended secret of the token ${id} is admitted`);
    }
  }

  /** Some of those of which it is known, and all of which it is not; returns what can't be. */
  async look(world: World, random: Random): Promise<string[]> {
    const wrong: string[] = [];
    const known = this.#all.filter(({ live }) => live !== null);
    const sample = Array.from({ length: Math.min(SAMPLE, known.length) }, () => random.of(known));
    for (const secret of [...this.#all.filter(({ live }) => live === null), ...sample]) {
      const is = await admitted(world, secret.text);
      if (secret.live === false && is === true) {
        this.book.revives(`an ended secret of the token ${secret.id} is admitted`);
      }
      if (secret.live === true && is !== true) {
        wrong.push(`a secret of the token ${secret.id} is not admitted`);
      }
      if (is !== null) secret.live = is;
    }
    return wrong;
  }

  readonly #make = async ({ world }: Turn): Promise<boolean> => {
    const made = await this.book.does(
      null,
      "make a token",
      world.hub().call<Made>("POST", "/v1/tokens", { scope: "viewer" }),
    );
    if (made === null) return false;
    this.#keep(made);
    this.book.records.expect("hub", "token.created", `viewer-${made.id}`);
    return true;
  };

  readonly #rotate = async ({ world, random }: Turn, id: string): Promise<boolean> => {
    const overlap = random.of(["0s", "1h"]), secrets = this.#live(id);
    for (const secret of secrets) secret.live = null;
    const rotated = await this.book.does(
      null,
      "rotate a token",
      world.hub().call<Made>("POST", `/v1/tokens/${id}/rotate`, { overlap }),
    );
    if (rotated === null) {
      // Done or not, what is known of it lets in for an hour, and nobody has the secret after it.
      this.#all = this.#all.filter((secret) => !secrets.includes(secret));
      return false;
    }
    // The one before the last is good for the overlap, those before it for nothing.
    for (const secret of secrets) secret.live = overlap === "1h" && secret === secrets.at(-1);
    this.#keep(rotated);
    return true;
  };

  readonly #revoke = async ({ world }: Turn, id: string): Promise<boolean> => {
    const secrets = this.#live(id);
    for (const secret of secrets) secret.live = null;
    const call = world.hub().call("DELETE", `/v1/tokens/${id}`);
    if (await this.book.does(null, "revoke a token", call) === null) return false;
    this.book.records.expect("hub", "token.revoked", `viewer-${id}`);
    for (const secret of secrets) secret.live = false;
    return true;
  };

  /** The oldest first. */
  #live(id: string): SecretKnown[] {
    return this.#all.filter((secret) => secret.id === id && secret.live === true);
  }

  #keep({ id, token }: Made): void {
    this.#all.push({ id, text: token, live: true });
    const ended = this.#all.filter(({ live }) => live === false);
    if (ended.length > KEPT) this.#all.splice(this.#all.indexOf(ended[0]), 1);
  }
}

/** Whether the hub takes the token; null: nobody answers. */
async function admitted(world: World, text: string): Promise<boolean | null> {
  try {
    await world.hub(text).call("GET", "/v1/links?limit=1");
    return true;
  } catch (error) {
    return error instanceof Refused && error.status === 401 ? false : null;
  }
}

/** Services that no file names: exposed and closed at a daemon. */
import type { Random } from "../../../tests/pure/random.ts";
import type { Book } from "./book.ts";
import type { Lane, Turn } from "./lanes.ts";
import type { World } from "./world.ts";

/** So many names there are. */
const NAMES = 4;

interface ServiceKnown {
  /** Null: what would have changed it was asked for and not answered. */
  target: string | "closed" | null;
  /** What it may be then. */
  before: string;
  wanted: string;
}

export class ExposedServices {
  readonly #all = new Map<string, ServiceKnown>();

  constructor(private readonly book: Book) {}

  readonly lane: Lane = async (turn) => {
    while (turn.going()) {
      if (!await this.#change(turn)) return;
    }
  };

  /** Holds what the daemon lists to what is known; returns what can't be. */
  async look(world: World): Promise<string[]> {
    const services = await world.control.all<{ name: string; target: string }>("/v1/services");
    const seen = new Map(services.map(({ name, target }) => [name, target]));
    const wrong: string[] = [];
    for (const [name, known] of this.#all) {
      const is = seen.get(name) ?? "closed";
      const may = known.target === null ? [known.before, known.wanted] : [known.target];
      if (!may.includes(is)) wrong.push(`the service ${name} is ${is}, and was ${may.join(" or ")}`);
      known.target = is;
    }
    return wrong;
  }

  async #change({ world: { control }, random }: Turn): Promise<boolean> {
    const name = `exposed-${random.below(NAMES)}`, known = this.#of(name), before = known.target;
    if (before === null) return false;
    const isClosed = before === "closed";
    // Another target each time: one that was closed must not come back in its stead.
    const wanted = isClosed ? this.#target(random) : "closed";
    Object.assign(known, { target: null, before, wanted });
    const call = isClosed
      ? control.call("POST", "/v1/services", { name, target: wanted })
      : control.call("DELETE", `/v1/services/${name}`);
    const done = await this.book.does(null, isClosed ? "expose a service" : "close a service", call);
    if (done === null) return false;
    known.target = wanted;
    this.book.records.expect("daemon", isClosed ? "service.exposed" : "service.closed", name);
    return true;
  }

  #target(random: Random): string {
    return `tcp://127.0.0.1:${1024 + random.below(60_000)}`;
  }

  #of(name: string): ServiceKnown {
    let known = this.#all.get(name);
    if (known === undefined) {
      this.#all.set(name, known = { target: "closed", before: "closed", wanted: "closed" });
    }
    return known;
  }
}

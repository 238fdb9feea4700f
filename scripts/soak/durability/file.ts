/** The daemon's file, which is edited while everything else goes on. */
import type { Book } from "./book.ts";
import { type Known, short } from "./known.ts";
import { change, type Lane, pick, type Turn } from "./lanes.ts";
import type { World } from "./world.ts";

/** Of the file: name → its keys. */
const TTLS = { "1h": 3_600_000, "2h": 7_200_000, "3s": 3_000, never: null } as const;
type Ttl = keyof typeof TTLS;

/** Links of the file, which is edited, too: what it says counts whether anybody was told so or not. */
export class File {
  readonly #ttls = new Map<string, Ttl>(
    Array.from({ length: 6 }, (_, i) => [`file-${i}`, "1h"] as const),
  );

  write(world: World, book: Book): void {
    const lines = this.#ttls.entries().filter(([name]) => book.link(name).present)
      .map(([name, ttl]) => `  ${name}: { target: echo, ttl: ${ttl} }\n`);
    world.write([...lines, "  daily: { target: echo, rate: 1000/d }\n"].join(""));
  }

  readonly lane: Lane = async (turn) => {
    const { book, random, going } = turn;
    while (going()) {
      const known = book.link(pick(random, "file", 6));
      if (known.doubt !== null) return;
      const edits = !known.present || random.below(3) === 0;
      if (!await (edits ? this.#edit(turn, known) : change(turn, known))) return;
    }
  };

  async #edit({ world, book, random }: Turn, known: Known): Promise<boolean> {
    const ttl = random.of(Object.keys(TTLS) as Ttl[]);
    if (!known.present) known.present = true;
    else if (random.below(3) === 0) known.present = false;
    else {
      this.#ttls.set(known.name, ttl);
      const { sure } = known, ms = TTLS[ttl];
      const from = Date.parse(sure?.activatedAt ?? "");
      if (sure !== null) {
        known.sure = {
          ...sure,
          state: sure.state === "revoked" ? "revoked" : "active",
          expiresAt: ms === null || Number.isNaN(from) ? null : new Date(from + ms).toISOString(),
        };
      }
    }
    known.tell(`edit: ${known.present ? this.#ttls.get(known.name) : "gone"}: ${short(known.sure)}`);
    this.write(world, book);
    return await book.does(null, "edit the file", world.control.call("POST", "/v1/reload")) !== null;
  }
}

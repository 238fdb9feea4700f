/** Bodies of 1 GiB, and who sends and reads them: a target for both ways, and visitors that stop, go on or leave. */
import { createHash } from "node:crypto";
import { Broken, endingOf, piece, Talk } from "../../../tests/e2e/talk.ts";

export const MIB = 1024 * 1024;

/** The Content-Length of every body. */
export const BODY = 1024 * MIB;

/** `piece` gives no more at a time. */
const PIECE = 64 * 1000;

/** Sends octets [from, to) of body 1. `moved` hears how far it is. */
async function offer(talk: Talk, to: number, moved: (octets: number) => void = () => {}): Promise<void> {
  for (let at = 0; at < to;) {
    const bytes = piece(1, at, Math.min(PIECE, to - at));
    await talk.write(bytes);
    at += bytes.length;
    moved(at);
  }
}

/** What a body of so many octets has as SHA-256. */
export function digestOf(octets: number): string {
  const hash = createHash("sha256");
  for (let at = 0; at < octets; at += PIECE) hash.update(piece(1, at, Math.min(PIECE, octets - at)));
  return hash.digest("hex");
}

async function digestFrom(talk: Talk, octets: number): Promise<string> {
  const hash = createHash("sha256");
  await talk.octets(octets, (bytes) => void hash.update(bytes));
  return hash.digest("hex");
}

/** Answers `/small`, sends bodies at `/down`, and takes them: at `/up` whole, at `/stall/<octets>` no more than that. */
export class BodyTarget implements Disposable {
  /** Octets of bodies that were given to the kernel, of all downloads. */
  offered = 0;
  /** Octets of bodies that were read, of all uploads that stop. */
  taken = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Talk>();
  readonly #stalled = new Set<() => void>();

  constructor() {
    void this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Connections that a daemon has here. */
  get open(): number {
    return this.#open.size;
  }

  /** Those that stopped reading close: they can't notice that the other side has. */
  letGo(): void {
    for (const go of this.#stalled) go();
    this.#stalled.clear();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const talk of this.#open) talk.close();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      const talk = new Talk(conn);
      this.#open.add(talk);
      // Whoever leaves ends what it had asked for.
      this.#serve(talk).catch(() => {}).finally(() => {
        this.#open.delete(talk);
        talk.close();
      });
    }
  }

  async #serve(talk: Talk): Promise<void> {
    for (let head = await talk.head(); head !== null; head = await talk.head()) {
      const [, what, octets] = head.first.split(" ")[1].split("/");
      const length = endingOf(head, 0) as number;
      if (what === "down") {
        await talk.write(`HTTP/1.1 200 OK\r\nContent-Length: ${octets}\r\n\r\n`);
        let before = 0;
        await offer(talk, Number(octets), (at) => {
          this.offered += at - before;
          before = at;
        });
        continue;
      }
      if (what === "stall") {
        await talk.octets(Number(octets), (bytes) => void (this.taken += bytes.length));
        await new Promise<void>((go) => this.#stalled.add(go));
        return;
      }
      const text = what === "up" ? await digestFrom(talk, length) : "small";
      await talk.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    }
  }
}

/** A visitor of the one link behind `port`. */
export class Visitor implements Disposable {
  /** Octets of its upload that were given to the kernel. */
  sent = 0;

  private constructor(private readonly talk: Talk) {}

  static async to(port: number): Promise<Visitor> {
    return new Visitor(await Talk.to(port));
  }

  /** Asks for a body and reads so many octets of it. */
  async download(read: number): Promise<void> {
    await this.#ask("GET", `/down/${BODY}`);
    await this.#answered();
    await this.talk.octets(read, () => {});
  }

  /** Sends a body to a target that stops after `read` octets, for as long as it is taken. */
  async upload(read: number): Promise<void> {
    await this.#ask("PUT", `/stall/${read}`, `Content-Length: ${BODY}\r\n`);
    offer(this.talk, BODY, (octets) => this.sent = octets).catch(() => {});
  }

  /** A whole body down; returns its SHA-256 as it came. */
  async whole(octets: number): Promise<string> {
    await this.#ask("GET", `/down/${octets}`);
    await this.#answered();
    return await digestFrom(this.talk, octets);
  }

  /** A whole body up; returns the SHA-256 that the target saw. */
  async put(octets: number): Promise<string> {
    await this.#ask("PUT", "/up", `Content-Length: ${octets}\r\n`);
    await offer(this.talk, octets);
    return await this.#answered();
  }

  /** A small request; returns how long it took, in ms. */
  async small(): Promise<number> {
    const begun = performance.now();
    await this.#ask("GET", "/small");
    const text = await this.#answered();
    if (text !== "small") throw new Broken(`another answer than the target's: ${text}`);
    return performance.now() - begun;
  }

  [Symbol.dispose](): void {
    this.talk.close();
  }

  async #ask(method: string, path: string, fields = ""): Promise<void> {
    await this.talk.write(`${method} ${path} HTTP/1.1\r\nHost: one.localhost\r\n${fields}\r\n`);
  }

  /** The answer's head, and its body where it is a short one. */
  async #answered(): Promise<string> {
    const head = await this.talk.head();
    if (head === null || !head.first.startsWith("HTTP/1.1 200 ")) throw new Broken(`answered ${head?.first}`);
    const length = endingOf(head, 0) as number;
    let text = "";
    if (length <= 64) {
      await this.talk.octets(length, (bytes) => void (text += new TextDecoder().decode(bytes)));
    }
    return text;
  }
}

/** Visitors by the hundred, each with a connection of its own that it keeps. */
import { Buffer } from "node:buffer";
import { endingOf, Talk } from "./talk.ts";

export class Crowd implements Disposable {
  /** How often was answered what, as `200` or `503 hub_busy`; `cut`: a connection ended without an answer. */
  readonly answers = new Map<string, number>();
  /** Those who have had a 200. */
  readonly served: Talk[] = [];
  readonly #all: Talk[] = [];

  constructor(private readonly port: number) {}

  /** So many more come, ask and wait for the answer. */
  async grow(count: number, request: string): Promise<void> {
    const asked: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      const talk = await this.#come();
      asked.push(this.#ask(talk, request));
    }
    await Promise.all(asked);
  }

  /** So many more come and say nothing. */
  async come(count: number): Promise<Talk[]> {
    const talks: Talk[] = [];
    for (let i = 0; i < count; i++) talks.push(await this.#come());
    return talks;
  }

  /** Everybody who was served before asks again; throws where one is not served now. */
  async askAgain(request: string): Promise<void> {
    for (const talk of this.served) {
      const answer = await answerTo(talk, request);
      if (answer !== "200") throw new Error(`a visitor who is there already was told ${answer}`);
    }
  }

  leave(): void {
    for (const talk of this.#all.splice(0)) talk.close();
  }

  [Symbol.dispose](): void {
    this.leave();
  }

  async #come(): Promise<Talk> {
    const talk = await Talk.to(this.port);
    this.#all.push(talk);
    return talk;
  }

  async #ask(talk: Talk, request: string): Promise<void> {
    const answer = await answerTo(talk, request).catch(() => "cut");
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
    if (answer === "200") this.served.push(talk);
    else talk.close();
  }
}

async function answerTo(talk: Talk, request: string): Promise<string> {
  await talk.write(request);
  const head = await talk.head();
  if (head === null) return "cut";
  let body = "";
  await talk.body(endingOf(head, "close"), (bytes) => void (body += Buffer.from(bytes).toString("latin1")));
  const status = head.first.split(" ")[1];
  const code = /"code": ?"([a-z_]+)"/.exec(body)?.[1];
  return code === undefined ? status : `${status} ${code}`;
}

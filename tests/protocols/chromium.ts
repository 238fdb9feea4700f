/** Debian's Chromium, led by its own protocol: a visitor that is a person's. */
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { eventually, type Process, type Rig } from "../e2e/rig.ts";

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ...["--disable-breakpad", "--disable-dev-shm-usage", "--remote-debugging-port=0"],
];

interface Answer {
  readonly id?: number;
  /** Of an event, which answers nothing. */
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { message: string };
}

/** One page of a browser of its own. */
export class Page implements AsyncDisposable {
  readonly #process: Process;
  readonly #socket: WebSocket;
  readonly #asked: ((answer: Answer) => void)[] = [];
  readonly #heard = new Map<string, (params: never) => void>();
  #session: string | undefined;

  private constructor(process: Process, socket: WebSocket) {
    this.#process = process;
    this.#socket = socket;
    socket.on("message", (data) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== undefined) this.#asked[answer.id](answer);
      else this.#heard.get(answer.method!)?.(answer.params as never);
    });
  }

  /** Starts the browser with an empty page. */
  static async open(rig: Rig, program: string): Promise<Page> {
    const process = rig.spawn(program, [...FLAGS, `--user-data-dir=${rig.folder}/chromium`, "about:blank"], {
      HOME: rig.folder,
    });
    const url = await process.until(() => /^DevTools listening on (ws:\S+)$/m.exec(process.stderr)?.[1]);
    return await Page.#attach(process, url);
  }

  /** Another page in the same browser, with the same cookies. Ends with the browser. */
  async tab(): Promise<Page> {
    return await Page.#attach(this.#process, this.#socket.url);
  }

  static async #attach(process: Process, url: string): Promise<Page> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await new Promise((open, failed) => socket.once("open", open).once("error", failed));
    const page = new Page(process, socket);
    const { targetId } = await page.ask<{ targetId: string }>("Target.createTarget", { url: "about:blank" });
    const attached = { targetId, flatten: true };
    page.#session = (await page.ask<{ sessionId: string }>("Target.attachToTarget", attached)).sessionId;
    return page;
  }

  /** Leads the page to `url`. */
  async go(url: string): Promise<void> {
    const { errorText } = await this.ask<{ errorText?: string }>("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
  }

  /** The value of an expression in the page as it is now; a promise is awaited. */
  async value<T>(expression: string): Promise<T> {
    const asked = { expression, awaitPromise: true, returnByValue: true };
    type Evaluated = { result: { value: T }; exceptionDetails?: { text: string } };
    const { result, exceptionDetails } = await this.ask<Evaluated>("Runtime.evaluate", asked);
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.text}`);
    return result.value;
  }

  /** Settles when the expression has that value. */
  async until(expression: string, value: unknown): Promise<void> {
    await eventually(() => this.value(expression).catch(String), (now) => now === value);
  }

  /** Calls `hear` with every event `method` of the protocol, once its domain is enabled. */
  on<T>(method: string, hear: (params: T) => void): void {
    this.#heard.set(method, hear);
  }

  /** One call of the protocol, about this page. Throws what the browser says against it. */
  async ask<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const id = this.#asked.push(resolve) - 1;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    const { result, error } = await promise;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  /** Closes the browser and waits until all of it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#session = undefined;
    await this.ask("Browser.close");
    this.#socket.terminate();
    await this.#process.ended();
  }
}

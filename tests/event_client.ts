/** A client of an event stream. */

export interface Told {
  readonly id: number;
  readonly type: string;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

export class EventClient implements Disposable {
  text = "";
  ended = false;
  #wake: (() => void)[] = [];

  private constructor(private readonly socket: Deno.Conn) {
    void this.#read();
  }

  /** Resolves when it is heard. `where`: a port of this machine, or a socket's path. */
  static async connect(
    where: number | string,
    { query = "", fields = [] }: { query?: string; fields?: readonly string[] } = {},
  ): Promise<EventClient> {
    const socket: Deno.Conn = typeof where === "number"
      ? await Deno.connect({ hostname: "127.0.0.1", port: where })
      : await Deno.connect({ transport: "unix", path: where });
    const head = [`GET /v1/events${query} HTTP/1.1`, "Host: localhost", ...fields, "\r\n"].join("\r\n");
    await socket.write(new TextEncoder().encode(head));
    const client = new EventClient(socket);
    await client.until(() => client.text.includes("retry: "));
    return client;
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65536), decoder = new TextDecoder();
    for (;;) {
      const n = await this.socket.read(buffer).catch(() => null);
      if (n === null) break;
      this.text += decoder.decode(buffer.subarray(0, n), { stream: true });
      for (const wake of this.#wake.splice(0)) wake();
    }
    this.ended = true;
    for (const wake of this.#wake.splice(0)) wake();
  }

  get told(): Told[] {
    return [...this.text.matchAll(/^id: (\d+)\r?\nevent: (\S+)\r?\ndata: (.*)\r?$/gm)].map((match) => ({
      id: Number(match[1]),
      type: match[2],
      data: JSON.parse(match[3]),
    }));
  }

  /** The first `n` events, as their types and names. */
  async first(n: number): Promise<string[]> {
    await this.until(() => this.told.length >= n);
    return this.told.slice(0, n).map(({ type, data }) => data.name ? `${type} ${data.name}` : type);
  }

  async until(is: () => boolean): Promise<void> {
    const late = setTimeout(() => this.leave(), 10_000);
    while (!is() && !this.ended) await new Promise<void>((wake) => this.#wake.push(wake));
    clearTimeout(late);
    if (!is()) throw new Error(`the stream ended: ${this.text.slice(-500)}`);
  }

  leave(): void {
    try {
      this.socket.close();
    } catch {
      // It has ended.
    }
  }

  [Symbol.dispose](): void {
    this.leave();
  }
}

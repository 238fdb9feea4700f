/** The service behind the link: 12 octets at `/`, a large body at `/large`, and for a body the count of its octets. */
import { endingOf, Talk } from "../../../tests/e2e/talk.ts";

/**
 * More than stalls between here and who does not read, 250 KiB of it with the kernel. What is beyond that the kernel keeps
 * for this process, and with 2,000 MiB its memory for TCP is full: then nobody on the machine is served.
 */
const LARGE = 512 * 1024;

const encoder = new TextEncoder();
const HELLO = encoder.encode("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world\n");
const ALL = new Uint8Array(LARGE);

export class Target implements Disposable {
  /** Connections that are open. */
  open = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Talk>();

  constructor() {
    void this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) void this.#serve(new Talk(conn));
  }

  async #serve(talk: Talk): Promise<void> {
    using _ = talk;
    this.#conns.add(talk);
    this.open++;
    try {
      for (let head = await talk.head(); head !== null; head = await talk.head()) {
        let count = 0;
        await talk.body(endingOf(head, 0), (bytes) => void (count += bytes.length));
        if (head.first.startsWith("GET /large ")) {
          await talk.write(encoder.encode(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`));
          await talk.write(ALL);
        } else if (count === 0) await talk.write(HELLO);
        else {
          await talk.write(
            encoder.encode(`HTTP/1.1 200 OK\r\nContent-Length: ${String(count).length}\r\n\r\n${count}`),
          );
        }
      }
    } catch {
      // Whoever leaves in the middle is no failure of the target.
    }
    this.open--;
    this.#conns.delete(talk);
  }
}

/** The services behind the links: they do what a request's path says, `/<what>/<number>?…`, and tell the ledger. */
import { createHash } from "node:crypto";
import { long, RESPONSES } from "../../../tests/pure/http1_vectors.ts";
import { Broken, chunk, endingOf, type Head, piece, Talk } from "../../../tests/e2e/talk.ts";
import { pause } from "../campaign.ts";
import type { Ledger } from "./ledger.ts";

/** A request, as far as a script needs it. */
interface Asked {
  readonly talk: Talk;
  readonly head: Head;
  readonly number: number;
  readonly query: URLSearchParams;
}

/** Answers; false: the connection is to be closed. */
type Script = (asked: Asked) => Promise<boolean>;

const PIECE = 16 * 1024;

/** A listener of its own; `script` answers all, or the path says which does. */
export class Target {
  readonly port: number;
  /** Connections just now. */
  open = 0;
  readonly #listener: Deno.TcpListener;

  constructor(private readonly ledger: Ledger, private readonly script: Script | null = null, port = 0) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    void this.#accept();
  }

  close(): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      const talk = new Talk(conn);
      this.open++;
      void this.#serve(talk).catch((error) => {
        // Visitors leave and tunnels are cut in the middle of everything: that proves nothing.
        if (error instanceof Broken) this.ledger.breaks(`a target got ${error.message}`);
      }).finally(() => {
        this.open--;
        talk.close();
      });
    }
  }

  async #serve(talk: Talk): Promise<void> {
    for (;;) {
      const head = await talk.head();
      if (head === null) return;
      if (this.script === null) this.ledger.see(head.first);
      const [, what, number, query] = /^\S+ \/([a-z]*)\/?(\d*)\S*?(\?\S*)? /.exec(head.first) ?? [];
      const script = this.script ?? SCRIPTS[what];
      if (script === undefined) return this.ledger.breaks(`a target got ${JSON.stringify(head.first)}`);
      if (!await script({ talk, head, number: Number(number), query: new URLSearchParams(query) })) return;
    }
  }
}

/** A target that no whole request may reach. */
export function trap(ledger: Ledger): Target {
  return new Target(ledger, async ({ talk, head }) => {
    await talk.body(endingOf(head, 0), () => {});
    ledger.breaks(`the trap got ${JSON.stringify(head.first)} whole`);
    return false;
  });
}

const SCRIPTS: Readonly<Record<string, Script>> = {
  /** Reads all, `?pause=` ms between pieces, and answers count and SHA-256. */
  async sum({ talk, head, query }) {
    const hash = createHash("sha256"), wait = Number(query.get("pause") ?? 0);
    let count = 0;
    if (head.fields.get("expect") !== undefined) await talk.write("HTTP/1.1 100 Continue\r\n\r\n");
    const trailers = await talk.body(endingOf(head, 0), async (bytes) => {
      hash.update(bytes);
      count += bytes.length;
      if (wait > 0) await pause(wait);
    });
    const answer = `${count} ${hash.digest("hex")} ${trailers.trim()}`;
    await talk.write(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`);
    return true;
  },

  /** Answers with each piece as it comes, and the trailers that came. */
  async echo({ talk, head }) {
    await talk.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Number\r\n\r\n");
    const trailers = await talk.body(endingOf(head, 0), (bytes) => talk.write(chunk(bytes)));
    await talk.write(`0\r\n${trailers}\r\n`);
    return true;
  },

  /** `?octets=` of the body that has the request's number, framed `?by=length|chunked|close`. */
  async fill({ talk, head, number, query }) {
    await talk.body(endingOf(head, 0), () => {});
    const total = Number(query.get("octets")), by = query.get("by");
    const framing = by === "chunked"
      ? "Transfer-Encoding: chunked\r\n"
      : by === "close"
      ? "Connection: close\r\n"
      : `Content-Length: ${total}\r\n`;
    await talk.write(`HTTP/1.1 200 OK\r\n${framing}\r\n`);
    if (head.first.startsWith("HEAD ")) return by !== "close";
    for (let at = 0; at < total; at += PIECE) {
      const bytes = piece(number, at, Math.min(PIECE, total - at));
      await talk.write(by === "chunked" ? chunk(bytes) : bytes);
    }
    if (by === "chunked") await talk.write("0\r\n\r\n");
    return by !== "close";
  },

  /** Goes before its answer, or `?after=` octets of one that should be longer. */
  async die({ talk, number, query }) {
    const after = query.get("after");
    if (after === null) return false;
    const length = Number(after) + 1;
    await talk.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
    for (let at = 0; at < length - 1; at += PIECE) {
      await talk.write(piece(number, at, Math.min(PIECE, length - 1 - at)));
    }
    return false;
  },

  /** Answers as a shared vector says, `?case=`, and goes unless another request may follow. */
  async vector({ talk, head, query }) {
    const { bytes, expect } = RESPONSES[Number(query.get("case"))];
    await talk.body(endingOf(head, 0), () => {});
    await talk.write(long(bytes));
    return expect.accept && expect.reusable;
  },

  /** No answer: it waits for the visitor to go. */
  async hold({ talk }) {
    await talk.body("close", () => {});
    return false;
  },

  /** `?count=` events, some ms apart. */
  async events({ talk, number, query }) {
    await talk.write(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    for (let i = 0; i < Number(query.get("count")); i++) {
      await talk.write(chunk(new TextEncoder().encode(`id: ${i}\ndata: ${number}\n\n`)));
      await pause(Number(query.get("pause")));
    }
    await talk.write("0\r\n\r\n");
    return true;
  },

  /** 101, and from then on every octet comes back. */
  async socket({ talk, head }) {
    const key = head.fields.get("sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const accept = createHash("sha1").update(key).digest("base64");
    await talk.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    await talk.body("close", (bytes) => talk.write(bytes.slice()));
    return false;
  },
};

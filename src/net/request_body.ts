/** A visitor's body as a stream: read from the socket only as far as somebody reads it here. */
import type { BodySink, Exchange } from "./exchange.ts";

export class RequestBody implements BodySink {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #exchange: Exchange;
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  #started = false;
  /** Somebody waits for octets. */
  #wanted = false;
  #over = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.stream = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
      pull: () => this.#pull(),
      cancel: () => this.#cancel(),
    }, { highWaterMark: 0 });
  }

  data(bytes: Uint8Array): number {
    if (this.#over) return bytes.length;
    if (!this.#wanted) return 0;
    this.#wanted = false;
    this.#controller.enqueue(bytes.slice());
    return bytes.length;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller.close();
  }

  /** Nothing more comes: the visitor left, or has its answer. */
  leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller.error(new DOMException("The rest of the body is not coming.", "AbortError"));
  }

  #pull(): void {
    this.#wanted = true;
    if (this.#started) return this.#exchange.resume();
    this.#started = true;
    if (this.#exchange.head.expect) this.#exchange.interim("HTTP/1.1 100 Continue\r\n\r\n");
    this.#exchange.receive(this);
  }

  /** The reader has had enough: what still comes is dropped. */
  #cancel(): void {
    this.#over = true;
    if (this.#started) this.#exchange.resume();
  }
}

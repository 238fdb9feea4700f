/** A port of this machine that leads to a private service. */
import type { Clock } from "../../clock.ts";
import { Failure } from "../../core/errors.ts";
import { Conn } from "../../net/conn.ts";
import { counted, Repeats } from "../../repeats.ts";
import { Splice } from "../../wire/splice.ts";
import { complain } from "../print.ts";
import type { Way } from "./way.ts";

const HOST = "127.0.0.1";

/** Why a connection was cut, for people. What happens all the time is not said. */
const REASONS: Readonly<Record<string, string>> = {
  service_unknown: "no daemon that is connected has such a private service",
  not_allowed: "this token may not reach it",
  daemon_offline: "its daemon is away",
  service_busy: "it has as many connections as its daemon admits",
  service_closed: "it was closed",
  hub_busy: "the hub carries as many connections as it admits",
  target_refused: "nothing answers where its daemon connects to",
  target_timeout: "where its daemon connects to does not answer in time",
  session_closed: "the session with the hub was lost",
};

export class LocalPort {
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Splice>();
  readonly #repeats: Repeats;

  private constructor(
    readonly service: string,
    listener: Deno.TcpListener,
    private readonly way: Way,
    clock: Clock,
  ) {
    this.#listener = listener;
    this.#repeats = new Repeats(clock);
    void this.#accept();
  }

  /**
   * Listens for connections to `service`: at `port`, or where that is null at `usual` or, when it is taken, at a free one.
   * Throws Failure where `port` is taken.
   */
  static open(
    service: string,
    { port, usual }: { readonly port: number | null; readonly usual: number | null },
    way: Way,
    clock: Clock,
  ): LocalPort {
    return new LocalPort(service, port === null ? listenNear(usual) : listen(port), way, clock);
  }

  get host(): string {
    return HOST;
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Takes no more connections, and cuts those that are open. */
  close(): void {
    this.#listener.close();
    for (const splice of this.#open) splice.cut("member_left");
    this.#repeats.close();
  }

  async #accept(): Promise<void> {
    for (;;) {
      let socket: Deno.TcpConn;
      try {
        socket = await this.#listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
        // No file descriptor was left, or the client had gone: there is a next one.
        await new Promise((turn) => setTimeout(turn, 50));
        continue;
      }
      void this.#join(socket);
    }
  }

  async #join(socket: Deno.TcpConn): Promise<void> {
    const stream = await this.way.connect(this.service);
    if (stream === null) return socket.close();
    const splice = new Splice(stream, "member_left", (code) => {
      this.#open.delete(splice);
      this.#say(code);
    });
    this.#open.add(splice);
    try {
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
    } catch {
      // It has gone already: reading will tell.
    }
    splice.attach(new Conn(socket));
  }

  #say(code: string | null): void {
    const reason = code === null ? undefined : REASONS[code];
    if (reason === undefined) return;
    // A share gives DAEMON/NAME; nobody knows its services by that.
    const name = this.service.slice(this.service.indexOf("/") + 1);
    this.#repeats.happened(code!, (times) => {
      const { times: n } = counted(times);
      complain(
        `${name}: ${n === undefined ? "a connection was" : `${n} connections were`} cut: ${reason}`,
      );
    });
  }
}

function listen(port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: HOST, port });
  } catch (cause) {
    const taken = cause instanceof Deno.errors.AddrInUse;
    throw new Failure(
      taken ? `the port ${port} is taken` : `the port ${port} can not be had: ${why(cause)}`,
      {
        hint: "name another with --port N, or 0 for a free one",
        cause,
      },
    );
  }
}

/** At `port` where it can be had, else at a free one. */
function listenNear(port: number | null): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: HOST, port: port ?? 0 });
  } catch {
    return Deno.listen({ hostname: HOST, port: 0 });
  }
}

function why(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Where the control API is served: a loopback port under a token, a unix socket that only its owner can open. */
import type { Clock } from "../../clock.ts";
import { type ListenAddress, printListen } from "../../config/places.ts";
import { Failure } from "../../core/errors.ts";
import { DEFAULT_LIMITS } from "../../core/limits.ts";
import type { Log } from "../../log.ts";
import { fetchAdapter } from "../../net/adapter.ts";
import { Listener } from "../../net/listener.ts";
import { renderRefusal } from "../../pages/visitor.ts";
import { createControlApi } from "./api.ts";
import { guard } from "./guard.ts";
import type { ControlState } from "./state.ts";

/** Where it listens unless it is told otherwise. */
export const DEFAULT_LISTEN: ListenAddress = { hostname: "127.0.0.1", port: 4545 };

/** What is in flight when a listener is exchanged or the daemon ends: a `reload` that moves it, mostly. */
const LEAVE_MS = 1_000;

export interface ControlOptions {
  readonly state: ControlState;
  /** What TCP callers have to know. */
  readonly token: string;
  /** Or, for figures alone, this. */
  readonly metricsToken: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** One place where the API is served. */
export class ControlServer {
  /** `127.0.0.1:4545`, or the path of the socket. */
  readonly address: string;

  private constructor(private readonly listener: Listener, address: string) {
    this.address = address;
  }

  /**
   * Serves at `wanted`; null: at the default, or a free port where that is taken. Throws Failure where it can't.
   */
  static async tcp(wanted: ListenAddress | null, options: ControlOptions): Promise<ControlServer> {
    const { state, token, metricsToken, log } = options;
    const gate = { token, metricsToken, sessions: state.sessions, port: 0 };
    const api = createControlApi(state, (context) => guard(context, gate), log);
    const listener = makeListener(api, false, options);
    gate.port = await bind(listener, wanted, log);
    const { hostname } = wanted ?? DEFAULT_LISTEN;
    return new ControlServer(listener, printListen({ hostname, port: gate.port }));
  }

  /** Serves at the socket `path`, which no token guards but its mode. Throws Failure where it can't. */
  static async unix(path: string, options: ControlOptions): Promise<ControlServer> {
    const listener = makeListener(createControlApi(options.state, () => {}, options.log), true, options);
    try {
      // The state directory is locked: a socket that is there was left behind.
      await listener.listen({ path });
    } catch (cause) {
      throw new Failure(`the control socket ${path} can not be made: ${(cause as Error).message}`, {
        hint: "name another state directory with --state",
        permanent: true,
        cause,
      });
    }
    return new ControlServer(listener, path);
  }

  /** Accepts no more, which is so when this resolves. */
  stop(): Promise<void> {
    return this.listener.stop();
  }

  /** Takes no more calls; those in flight have a moment. */
  async close(): Promise<void> {
    await this.listener.drain(LEAVE_MS);
    this.listener.close();
  }
}

function makeListener(
  api: ReturnType<typeof createControlApi>,
  local: boolean,
  { clock }: ControlOptions,
): Listener {
  return new Listener({
    limits: DEFAULT_LIMITS,
    clock,
    trusted: () => false,
    handler(exchange) {
      const { requestId } = exchange;
      fetchAdapter(exchange, (request) => api.fetch(request, { local, requestId }));
    },
    urgent: () => true,
    refuse: renderRefusal,
    secure: false,
  });
}

async function bind(listener: Listener, wanted: ListenAddress | null, log: Log): Promise<number> {
  const address = wanted ?? DEFAULT_LISTEN;
  try {
    return (await listener.listen(address) as Deno.NetAddr).port;
  } catch (cause) {
    const used = cause instanceof Deno.errors.AddrInUse;
    if (used && wanted === null) {
      const { port } = await listener.listen({ ...address, port: 0 }) as Deno.NetAddr;
      log.warn(`port ${address.port} is in use: the control API listens on ${port}`);
      return port;
    }
    throw new Failure(
      `the control API can not listen on ${printListen(address)}: ${
        used ? "it is in use" : (cause as Error).message
      }`,
      { hint: "name another address with --control", permanent: true, cause },
    );
  }
}

/** Connections that members open to private services: let in, dialled and joined. Nothing that a hub says is trusted. */
import type { Clock, Timer } from "../clock.ts";
import { parseAddress, printAddress } from "../core/address.ts";
import type { Service } from "../core/entry.ts";
import { printTarget, type Target } from "../core/target.ts";
import type { Log } from "../log.ts";
import { Conn } from "../net/conn.ts";
import { NoDescriptor } from "../net/descriptors.ts";
import { dialForVisitor } from "../net/dial.ts";
import type { Socket } from "../net/socket.ts";
import { counted, Repeats } from "../repeats.ts";
import { Usage } from "../store/usage.ts";
import { Splice } from "../wire/splice.ts";
import type { Stream } from "../wire/stream.ts";
import type { DaemonAudit, Visit } from "./audit.ts";

export interface ReachedOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: DaemonAudit;
  /** Those that there are now. */
  services(): ReadonlyMap<string, Service>;
}

/** Of one service at a time: each is a socket here and one at the target. */
const MOST = 1024;

/** From the first packet to a connection. */
const CONNECT_MS = 5_000;

/** Why a member is not let in, or is no more. */
type Refused = "service_unknown" | "not_allowed" | "service_busy" | "target_refused";

export class Reached {
  readonly #o: ReachedOptions;
  readonly #open = new Set<Reach>();
  readonly #repeats: Repeats;
  readonly #usage: Usage<Visit>;

  constructor(options: ReachedOptions) {
    this.#o = options;
    const { clock, audit } = options;
    this.#repeats = new Repeats(clock);
    this.#usage = new Usage({
      clock,
      began: (visit) => audit.service("service.reached", visit, {}),
      ended: (visit, used) => audit.service("service.left", visit, { ...used }),
    });
  }

  /** Connections of `service` that are open. */
  count(service: string): number {
    return this.#open.values().reduce((sum, reach) => sum + (reach.service.name === service ? 1 : 0), 0);
  }

  /** A hub has opened `stream` for a member. */
  open(stream: Stream, hub: string): void {
    const { link: name, host: token, address: claimed } = stream.open;
    const service = this.#o.services().get(name);
    const address = parseAddress(claimed);
    const visit = { hub, token, service: name, address: address === null ? "" : printAddress(address) };
    const refused = this.#judge(service, token);
    if (service === undefined || refused !== null) {
      const code = refused ?? "service_unknown";
      this.#o.audit.refusedService(visit, code);
      this.#o.log.debug("refused", { service: name, token, code });
      return stream.reset(code);
    }
    const used = this.#usage.begin([hub, token, name, visit.address].join(" "), visit);
    const reach: Reach = new Reach(stream, service, token, this.#o.clock, (code, cause) => {
      this.#open.delete(reach);
      used(reach.splice.received, reach.splice.sent);
      if (cause !== null) this.#failed(service, code, cause);
    });
    this.#open.add(reach);
  }

  /** The services, or whom they let in, may be others now: those who are not let in any more are cut. */
  refresh(): void {
    const services = this.#o.services();
    for (const reach of this.#open) {
      const { service: before, token } = reach;
      const service = services.get(before.name);
      const moved = service === undefined || printTarget(service.target) !== printTarget(before.target);
      if (moved || this.#admits(service, token) !== null) reach.splice.cut("service_closed");
    }
  }

  close(): void {
    for (const { splice } of this.#open) splice.cut("session_closed");
    this.#usage.close();
    this.#repeats.close();
  }

  #judge(service: Service | undefined, token: string): Refused | null {
    const refused = this.#admits(service, token);
    return refused === null && this.count(service!.name) >= MOST ? "service_busy" : refused;
  }

  #admits(service: Service | undefined, token: string): Refused | null {
    if (service === undefined || service.access !== "private") return "service_unknown";
    if (service.allow !== null && !service.allow.includes(token)) return "not_allowed";
    return service.target.kind === "echo" ? "target_refused" : null;
  }

  #failed({ name, target }: Service, code: string | null, cause: string): void {
    this.#repeats.happened(`${name} ${code}`, (times) => {
      const facts = { service: name, target: printTarget(target), code, cause, ...counted(times) };
      this.#o.log.warn("the target of a service failed", facts);
    });
  }
}

/** One connection. */
class Reach {
  readonly splice: Splice;
  readonly #timer: Timer;
  readonly #abort = new AbortController();
  /** Why there is no connection; null: there is one, or nobody wants it any more. */
  #cause: string | null = null;

  /** Begins at once. `over`: `cause` null: it is no fault of the target's. */
  constructor(
    stream: Stream,
    readonly service: Service,
    readonly token: string,
    clock: Clock,
    over: (code: string | null, cause: string | null) => void,
  ) {
    this.splice = new Splice(stream, "target_closed", (code) => {
      this.#timer.drop();
      this.#abort.abort();
      over(code, this.#cause);
    });
    this.#timer = clock.timer(() => this.#fail("target_timeout", "no connection in time"));
    this.#timer.set(CONNECT_MS);
    void this.#dial();
  }

  async #dial(): Promise<void> {
    const { signal } = this.#abort;
    let socket: Socket;
    try {
      socket = await dialForVisitor(rawly(this.service.target), null, signal);
    } catch (error) {
      if (signal.aborted) return;
      const code = error instanceof NoDescriptor ? "service_busy" : "target_refused";
      return this.#fail(code, (error as Error).message);
    }
    if (signal.aborted) return socket.close();
    this.#timer.clear();
    this.splice.attach(new Conn(socket));
  }

  #fail(code: string, cause: string): void {
    this.#cause = cause;
    this.splice.cut(code);
  }
}

/** Whatever is spoken there, TLS too, the member speaks it. */
function rawly(target: Target): Target {
  return target.kind === "unix" || target.kind === "echo" ? target : { ...target, kind: "tcp" };
}

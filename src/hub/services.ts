/** The services that daemons have registered: names for targets, which the hub never learns. */
import { ApiProblem } from "../api/problem.ts";
import type { ServiceDecl } from "../wire/hello.ts";
import type { HubEvents } from "./events.ts";
import type { Peer } from "./peer.ts";
import type { Peers } from "./peers.ts";

/** A service as the API prints it. */
export interface ServiceJson extends ServiceDecl {
  /** The id of the daemon that has it. */
  readonly daemon: string;
  readonly workspace: string;
  /** Its daemon has a session. */
  readonly online: boolean;
}

/** One service of one daemon. */
export interface ServiceRef {
  readonly daemon: string;
  readonly name: string;
}

export class Services {
  constructor(private readonly peers: Peers, private readonly events: HubEvents) {}

  /** Those of a workspace, or all (null), by name. */
  list(workspace: string | null): ServiceJson[] {
    return [...this.peers.all()]
      .filter((peer) => workspace === null || peer.workspace === workspace)
      .flatMap((peer) => peer.services.map((service) => serviceJson(peer, service)))
      .sort((a, b) => serviceKey(a) < serviceKey(b) ? -1 : 1);
  }

  /** All of this name that `workspace` has, those first whose daemon is there. */
  named(workspace: string | null, name: string): ServiceJson[] {
    const found = this.list(workspace).filter((service) => service.name === name);
    return [...found.filter(({ online }) => online), ...found.filter(({ online }) => !online)];
  }

  /**
   * The one of this name, of `daemon` where that is not null. Throws ApiProblem that points at `pointer` where there is
   * none, and at `daemonPointer` where there are several and nobody says whose is meant.
   */
  find(
    workspace: string | null,
    name: string,
    daemon: string | null,
    pointer: string,
    daemonPointer: string,
  ): ServiceJson {
    const named = this.named(workspace, name).filter((one) => daemon === null || one.daemon === daemon);
    const there = named.filter(({ online }) => online);
    const [found, another] = there.length > 0 ? there : named;
    if (found === undefined) {
      const whose = daemon === null ? "" : ` of the daemon ${daemon}`;
      throw invalid(pointer, `is no service${whose} that this hub knows: ${JSON.stringify(name)}`);
    }
    if (another !== undefined) {
      throw invalid(
        daemonPointer,
        `is needed: ${[found, another].map((one) => one.daemon).join(" and ")} have it`,
      );
    }
    return found;
  }

  /** The daemon says what it has now. */
  declare(peer: Peer, services: readonly ServiceDecl[]): void {
    const before = new Map(peer.services.map((service) => [service.name, service]));
    peer.services = services;
    for (const service of services) {
      const known = before.get(service.name);
      before.delete(service.name);
      if (known === undefined) this.#tell("service.added", peer, service);
      else if (JSON.stringify(known) !== JSON.stringify(service)) {
        this.#tell("service.changed", peer, service);
      }
    }
    for (const service of before.values()) this.#tell("service.removed", peer, service);
  }

  #tell(
    type: "service.added" | "service.changed" | "service.removed",
    peer: Peer,
    service: ServiceDecl,
  ): void {
    this.events.emit(peer.workspace, type, serviceJson(peer, service));
  }
}

/** The order of lists. */
export function serviceKey({ name, daemon }: ServiceRef): string {
  return `${name} ${daemon}`;
}

/** A body in which one place is wrong. */
export function invalid(pointer: string, detail: string): ApiProblem {
  return new ApiProblem(422, "invalid", "The body can not be taken.", [], [{ pointer, detail }]);
}

function serviceJson(peer: Peer, { name, kind, access, remote, port }: ServiceDecl): ServiceJson {
  const { daemon, workspace, online } = peer;
  return { name, kind, access, remote, port, daemon, workspace, online };
}

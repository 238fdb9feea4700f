/** Requests that come down the tunnel: read, judged, answered or handed on. Nothing that a hub says is trusted. */
import type { Clock } from "../clock.ts";
import { parseAddress, printAddress } from "../core/address.ts";
import { type Origin, provenance } from "../core/headers.ts";
import { RequestReader } from "../core/http1/head.ts";
import type { Stream, StreamSink } from "../wire/stream.ts";
import type { Observer } from "./follow.ts";
import { Incoming } from "./incoming.ts";
import type { Reached } from "./reached.ts";
import type { Links } from "./served.ts";
import type { Troubles } from "./troubles.ts";

/** What every request needs. */
export interface ServeMeans {
  readonly links: Links;
  readonly clock: Clock;
  /** Told of targets that fail. */
  readonly troubles: Troubles;
  /** Sees requests go by; null: nobody does. */
  readonly observer: Observer | null;
  /** Members at private services. Absent: there are none. */
  readonly reached?: Reached;
  /** These are the owner's own, straight to the target: no policy is asked. Absent: it is. */
  readonly straight?: true;
}

/** Serves the streams of one hub, whichever of its sessions they come by. */
export class Serving {
  /** Lent for the length of a call: heads come whole. */
  readonly reader = new RequestReader();
  /** The address that was asked for last, and what came of it: visitors come in runs. */
  #claimed = "";
  #canonical: string | null = null;
  /** The same of what is told to targets. */
  #origin: Origin = { address: "", proto: "http", publicHost: "", loop: "" };
  #provenance = "";

  constructor(readonly hub: string, readonly means: ServeMeans) {}

  /** Answers for a stream that the hub has opened. */
  open(stream: Stream): StreamSink {
    if (stream.open.kind === "http") return new Incoming(stream, this);
    const { reached } = this.means;
    if (reached === undefined) stream.reset("service_unknown");
    else reached.open(stream, this.hub);
    return stream.sink;
  }

  /** The canonical form of an address that the hub claims a visitor has; null: it is none. */
  canonical(claimed: string): string | null {
    if (claimed !== this.#claimed) {
      const address = parseAddress(claimed);
      this.#claimed = claimed;
      this.#canonical = address === null ? null : printAddress(address);
    }
    return this.#canonical;
  }

  /** The field lines that tell a target of `origin`. */
  provenance(origin: Origin): string {
    const { address, proto, publicHost, loop } = this.#origin;
    if (
      origin.address !== address || origin.proto !== proto || origin.publicHost !== publicHost ||
      origin.loop !== loop
    ) {
      this.#origin = origin;
      this.#provenance = provenance(origin);
    }
    return this.#provenance;
  }
}

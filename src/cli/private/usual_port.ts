/** Which port of this machine a service is to have, where none was asked for. */
import { isLocal } from "../../config/places.ts";
import { parseTarget } from "../../core/target.ts";
import type { ServiceJson } from "../../daemon/exposed.ts";
import { ApiClient } from "../client.ts";
import { daemonAddress } from "../reach.ts";
import type { Given } from "../verb.ts";

/** A daemon that stands still does not hold up whoever wants a port. */
const PATIENCE_MS = 1_000;

/**
 * The number of the service's own port; null: any. What the daemon here forwards to this very machine keeps its port free:
 * whoever sat there while the target is down would be connected to by the daemon, and lead to itself without end.
 */
export async function usualPort(
  given: Given,
  { name, port }: { readonly name: string; readonly port: number | null },
): Promise<number | null> {
  if (port === null) return null;
  let service: ServiceJson;
  try {
    const daemon = new ApiClient(daemonAddress(given));
    service = await daemon.call("GET", `/v1/services/${encodeURIComponent(name)}`, undefined, PATIENCE_MS);
  } catch {
    // No daemon is here, or it has no such service.
    return port;
  }
  const target = parseTarget(service.target);
  const here = "port" in target && target.port === port && isLocal(target.host);
  return service.access === "private" && here ? null : port;
}

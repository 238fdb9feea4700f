/** A wire within the process. */
import type { Wire } from "./wire.ts";

/** Two ends joined; each is busy while `capacity` octets have not been delivered. */
export function memoryPair(_capacity = 256 * 1024): [Wire, Wire] {
  throw new Error("not yet");
}

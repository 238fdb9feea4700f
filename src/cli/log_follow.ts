/** `connectd logs -f`: each line as it comes, over restarts of the daemon; none is left out, and none comes twice. */
import { Recent } from "../core/recent.ts";
import type { SeenJson } from "../daemon/witnesses/live.ts";
import { type Address, ApiClient, Refused } from "./client.ts";
import { followEvents } from "./event_feed.ts";
import { type LogSearch, newest } from "./log_search.ts";
import { complain } from "./print.ts";

/** A daemon that is away is asked so often whether it is back. */
const AGAIN_MS = 500;

/** Lines that were shown, and lines that a daemon wrote meanwhile: so many are looked at. */
const LOOKED_AT = 10_000;

/** Prints what comes after `shown`; ends with the process. Throws Refused where the daemon refuses to tell. */
export async function follow(
  address: Address,
  search: LogSearch,
  shown: readonly SeenJson[],
  print: (lines: readonly SeenJson[]) => void,
): Promise<never> {
  const known = new Recent<true>(LOOKED_AT);
  for (const line of shown) known.add(keyOf(line), true);
  const show = (lines: readonly SeenJson[]) => {
    const fresh = lines.filter((line) => {
      const key = keyOf(line), isKnown = known.peek(key) !== undefined;
      if (!isKnown) known.add(key, true);
      return !isKnown;
    });
    print(fresh);
  };
  const written = (api: ApiClient) =>
    newest(api, { ...search, limit: LOOKED_AT }, (line) => known.peek(keyOf(line)) !== undefined);
  let away = false;
  for (;;) {
    const ended = await hear(address, search.wanted, show, async (api) => {
      const meanwhile = await written(api);
      if (meanwhile.length === LOOKED_AT) {
        complain(`connectd: of what came meanwhile only the last ${LOOKED_AT} are shown`);
      }
      if (away) complain("connectd: the daemon is back");
      away = false;
      return meanwhile;
    });
    if (!ended && !away) {
      complain("connectd: the daemon has ended: waiting for the next");
      away = true;
    }
    await new Promise((again) => setTimeout(again, AGAIN_MS));
  }
}

/**
 * Shows what one daemon tells: first what `meanwhile` finds in its log, then what it said since it was asked. True: it told
 * something. Throws Refused.
 */
async function hear(
  address: Address,
  wanted: LogSearch["wanted"],
  show: (lines: readonly SeenJson[]) => void,
  meanwhile: (api: ApiClient) => Promise<SeenJson[]>,
): Promise<boolean> {
  let waiting: SeenJson[] | null = [], refused: Refused | null = null, told = false;
  const end = new AbortController();
  // Heard first and read then: between the two nothing is missed, and what is in both is known by its id.
  const begun = async () => {
    try {
      const lines = await meanwhile(new ApiClient(address));
      show([...lines, ...waiting!]);
      waiting = null;
      told = true;
    } catch (error) {
      if (error instanceof Refused) refused = error;
      end.abort();
    }
  };
  let read: Promise<void> | null = null;
  const heard = ({ type, data }: { type: string; data: unknown }) => {
    const line = data as SeenJson;
    if (type !== "request" || !wanted(line)) return;
    if (waiting === null) show([line]);
    else waiting.push(line);
  };
  try {
    await followEvents(address, heard, end.signal, { requests: true, begun: () => void (read = begun()) });
  } catch {
    // It is away; the caller asks again.
  }
  await read;
  if (refused !== null) throw refused;
  return told;
}

/** Ids that come from a hub may come twice. */
function keyOf({ id, at }: SeenJson): string {
  return `${id} ${at}`;
}

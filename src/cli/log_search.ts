/** Looks through the access log of a daemon, page by page. */
import type { SeenJson } from "../daemon/witnesses/live.ts";
import type { ApiClient } from "./client.ts";

const PAGE = 1000;

/** What is looked for. */
export interface LogSearch {
  readonly limit: number;
  /** As the API takes them. */
  readonly filters: Readonly<Record<string, string>>;
  /** The same of what comes as events. */
  readonly wanted: (seen: SeenJson) => boolean;
}

/** The newest lines, the oldest of them first, until `limit` or one that is `known`. */
export async function newest(
  api: ApiClient,
  { limit, filters }: Pick<LogSearch, "limit" | "filters">,
  known: (line: SeenJson) => boolean = () => false,
): Promise<SeenJson[]> {
  const found: SeenJson[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ ...filters, limit: String(Math.min(PAGE, limit - found.length)) });
    if (cursor !== null) query.set("cursor", cursor);
    const page: { items: SeenJson[]; nextCursor: string | null } = await api.call("GET", `/v1/logs?${query}`);
    for (const line of page.items) {
      if (known(line)) return found.reverse();
      found.push(line);
    }
    cursor = page.nextCursor;
  } while (cursor !== null && found.length < limit);
  return found.reverse();
}

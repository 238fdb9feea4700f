/** Which links a page of the list shows, out of thousands: filter, order and place come from its URL. */
import type { LinkState } from "../../core/link.ts";
import type { HubLink } from "../link.ts";

/** How a list may be ordered, and what it is called. */
export const ORDERS = {
  name: "name",
  ends: "what ends first",
  busy: "what is busiest",
  state: "state",
} as const;
export type Order = keyof typeof ORDERS;

export interface Choice {
  /** Part of a name, id, service or daemon. */
  readonly q: string;
  /** Empty: every one. */
  readonly state: string;
  readonly sort: Order;
  /** The place in the order after which the page begins; empty: at the beginning. */
  readonly after: string;
}

/** What the query of a URL says; what it can't mean counts as not said. */
export function readChoice({ q = "", state = "", sort = "", after = "" }: Record<string, string>): Choice {
  return { q, state, sort: Object.hasOwn(ORDERS, sort) ? sort as Order : "name", after };
}

/** The path of the list for `choice`. */
export function listPath(choice: Choice): string {
  const said = Object.entries(choice).filter(([key, value]) =>
    value !== "" && value !== (key === "sort" ? "name" : "")
  );
  return said.length === 0 ? "/" : `/?${new URLSearchParams(said)}`;
}

export interface Selection {
  readonly links: readonly HubLink[];
  /** So many fit. */
  readonly found: number;
  /** `after` of the next page; null: this is the last. */
  readonly next: string | null;
}

const STATES: readonly (LinkState | null)[] = ["error", "offline", "active", "expired", "revoked"];

/** The page of `size` links of `all` that `choice` means at `now`. `busy`: requests of a link in the last hour. */
export function select(
  all: Iterable<HubLink>,
  choice: Choice,
  size: number,
  now: number,
  busy: (link: HubLink) => number,
): Selection {
  const wanted = choice.q.trim().toLowerCase();
  const keyed: { key: string; link: HubLink }[] = [];
  for (const link of all) {
    const { name, id, service, daemon } = link.record;
    if (choice.state !== "" && link.stateAt(now) !== choice.state) continue;
    if (
      wanted !== "" && !name.includes(wanted) && !id.includes(wanted) &&
      !daemon.toLowerCase().includes(wanted) &&
      !(service?.includes(wanted) ?? false)
    ) continue;
    keyed.push({ key: `${rank(link, choice.sort, now, busy)}${name} ${id}`, link });
  }
  keyed.sort((a, b) => a.key < b.key ? -1 : 1);
  const from = choice.after === "" ? 0 : firstAfter(keyed, choice.after);
  const page = keyed.slice(from, from + size);
  return {
    links: page.map(({ link }) => link),
    found: keyed.length,
    next: from + size < keyed.length ? page[page.length - 1].key : null,
  };
}

/** The first part of the key, of one length, so that keys compare as what they stand for does. */
function rank(link: HubLink, sort: Order, now: number, busy: (link: HubLink) => number): string {
  if (sort === "name") return "";
  if (sort === "state") return `${STATES.indexOf(link.stateAt(now))} `;
  if (sort === "ends") return `${digits(link.record.expiresAt ?? MOST)} `;
  return `${digits(MOST - busy(link))} `;
}

const MOST = 999_999_999_999_999;

function digits(n: number): string {
  return String(n).padStart(15, "0");
}

/** Where the keys above `after` begin. */
function firstAfter(keyed: readonly { key: string }[], after: string): number {
  let low = 0, high = keyed.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyed[middle].key > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

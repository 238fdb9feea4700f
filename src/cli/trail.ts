/** Where the audit verb reads: at a daemon or hub that runs, or on the store of one that does not. */
import type { AuditJson } from "../api/audit.ts";
import { auditJson } from "../api/audit.ts";
import { systemClock } from "../clock.ts";
import type { SignedHead, Verdict } from "../core/audit.ts";
import { Failure } from "../core/errors.ts";
import { controlSocketPath, openStateDir } from "../daemon/state_dir.ts";
import { hubSocketPath, hubStorePath, openHubStore } from "../hub/place.ts";
import { AuditDesk } from "../store/audit_desk.ts";
import { openSqlite } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { type Address, ApiClient, Unanswered } from "./client.ts";
import { isFile } from "./find.ts";
import { complain } from "./print.ts";
import { controlOf, hubOf, stateOf, withDaemon, withHub } from "./reach.ts";
import type { Given } from "./verb.ts";

/** What is looked for; null: any. */
export interface Search {
  readonly limit: number;
  readonly type: string | null;
  readonly link: string | null;
}

/** A trail, wherever it is. */
export interface TrailDesk {
  /** The newest first. */
  list(search: Search): Promise<AuditJson[]>;
  head(): Promise<SignedHead>;
  verify(heads: readonly SignedHead[]): Promise<Verdict>;
}

const PAGE = 1000;

/** A body has 64 KiB, a head some 350 octets. */
const HEADS = 150;

/** Works at the trail that the flags name: of `--hub`, of `--control`, else of what runs or lies in the state directory. */
export async function withTrail<T>(given: Given, work: (desk: TrailDesk) => Promise<T>): Promise<T> {
  if (hubOf(given) !== null) return await withHub(given, (api) => work(atApi(api)));
  if (controlOf(given) !== null) return await withDaemon(given, (api) => work(atApi(api)));
  const state = stateOf(given);
  for (const socket of [controlSocketPath(state), hubSocketPath(state)]) {
    const done = await answered({ socket }, work);
    if (done !== null) return done.value;
  }
  const { store, release } = await openStore(state);
  try {
    return await work(onStore(store, state));
  } finally {
    await store.close();
    release();
  }
}

/** What `work` gave; null: nobody answers there. */
async function answered<T>(
  address: Address,
  work: (desk: TrailDesk) => Promise<T>,
): Promise<{ value: T } | null> {
  try {
    return { value: await work(atApi(new ApiClient(address))) };
  } catch (error) {
    if (error instanceof Unanswered) return null;
    throw error;
  }
}

/** The store that nobody uses, under its lock. */
async function openStore(state: string): Promise<{ store: Store; release: () => void }> {
  if (isFile(`${state}/state.db`)) {
    const dir = await openStateDir(state);
    complain(`no daemon runs at ${state}: this is the trail in ${dir.database}`);
    try {
      return { store: await openSqlite(dir.database), release: () => dir.close() };
    } catch (error) {
      dir.close();
      throw error;
    }
  }
  const path = hubStorePath(state);
  if (!isFile(path)) {
    throw new Failure(`no daemon and no hub runs at ${state}, and no trail lies there`, {
      hint: "say where one is with --state DIR, --control ADDR or --hub URL",
    });
  }
  const store = await openHubStore(path, systemClock);
  complain(`no hub runs at ${state}: this is the trail in ${path}`);
  return { store, release: () => {} };
}

function atApi(api: ApiClient): TrailDesk {
  return {
    async list({ limit, type, link }) {
      const items: AuditJson[] = [];
      let cursor: string | null = null;
      do {
        const query = new URLSearchParams({ limit: String(Math.min(PAGE, limit - items.length)) });
        for (const [name, value] of Object.entries({ type, link, cursor })) {
          if (value !== null) query.set(name, value);
        }
        const page: { items: AuditJson[]; nextCursor: string | null } = await api.call(
          "GET",
          `/v1/audit?${query}`,
        );
        items.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== null && items.length < limit);
      return items;
    },
    head: () => api.call("GET", "/v1/audit/head"),
    async verify(heads) {
      for (let at = 0;; at += HEADS) {
        const body = { heads: heads.slice(at, at + HEADS) };
        const verdict = await api.call<Verdict>("POST", "/v1/audit/verify", body);
        if (!verdict.ok || at + HEADS >= heads.length) return verdict;
      }
    },
  };
}

function onStore(store: Store, state: string): TrailDesk {
  const desk = new AuditDesk(store.trail, state, systemClock);
  return {
    async list(search) {
      return (await desk.list({ ...search, before: null, workspace: null })).map(auditJson);
    },
    head: () => desk.head(),
    verify: (heads) => desk.verify(heads),
  };
}

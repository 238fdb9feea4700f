/** A link of this process alone: a daemon without a file, which lives as long as its one link. */
import { dirname } from "node:path";
import { ApiProblem } from "../api/problem.ts";
import type { Config } from "../config/links.ts";
import { Failure } from "../core/errors.ts";
import { type Base, type Daemon, startDaemon } from "../daemon/daemon.ts";
import type { LinkJson } from "../daemon/status.ts";
import type { Log } from "../log.ts";
import { sentence } from "./client.ts";
import { startEmbedded } from "./embedded.ts";

/** What a foreground link takes from the file, if there is one: everything but its links and listeners. */
export function bareBase(config: Config | null): Base {
  return {
    hubs: config?.hubs ?? [],
    services: config?.services ?? new Map(),
    defaults: config?.defaults ?? {},
    connections: config?.connections ?? 2,
    drainTimeoutMs: config?.drainTimeoutMs ?? 30_000,
    dir: config === null ? Deno.cwd() : dirname(config.file),
  };
}

export interface ForegroundOptions {
  /** The link, as POST /v1/links takes it. */
  readonly body: { readonly name: string; readonly target: string };
  /** Hubs, services and defaults that it stands on; without hubs there is one in this process. */
  readonly base: Base;
  readonly log: Log;
}

/** A link that is up. */
export interface Foreground {
  readonly link: LinkJson;
  /** Settles when it has ended by itself: expired, or revoked at the hub. */
  readonly ended: Promise<void>;
  /** Revokes it, lets what is in flight finish, and takes everything down. */
  close(): Promise<void>;
}

/** How long a hub may take to answer. */
const HUB_MS = 10_000;
const LOOK_MS = 50;

/** Opens the link. Throws Failure where it can't be made, or the hub refuses or does not answer. */
export async function openForeground({ body, base, log }: ForegroundOptions): Promise<Foreground> {
  // Of its own: it takes nothing from a daemon that runs here, and several such links may stand side by side.
  const state = await Deno.makeTempDir({ prefix: "connectd-link-" });
  const clean = () => Deno.remove(state, { recursive: true });
  let daemon: Daemon;
  try {
    daemon = await startDaemon({
      file: null,
      base,
      state,
      control: false,
      embedded: base.hubs.length > 0 ? null : () => startEmbedded({ state, listen: null, log }, null),
      log,
    });
  } catch (error) {
    await clean();
    throw error;
  }
  try {
    await create(daemon, body);
    const link = await served(daemon, body.name);
    return {
      link,
      ended: daemon.ended(body.name),
      async close() {
        // A hub elsewhere must learn that nobody comes back: it would answer 503 for ever.
        await daemon.revoke(body.name);
        await daemon.drain();
        await clean();
      },
    };
  } catch (error) {
    await daemon.close();
    await clean();
    throw error;
  }
}

async function create(daemon: Daemon, body: ForegroundOptions["body"]): Promise<void> {
  try {
    await daemon.create(body);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    throw new Failure(sentence({ detail: error.message, errors: error.errors }), {
      permanent: true,
      cause: error,
    });
  }
}

/** The link once a hub has given it a URL. */
async function served(daemon: Daemon, name: string): Promise<LinkJson> {
  const deadline = performance.now() + HUB_MS;
  for (;;) {
    const link = daemon.links().find((link) => link.name === name)!;
    if (link.url !== null) return link;
    const hubs = daemon.hubs();
    const late = performance.now() > deadline;
    if (late || link.state === "error" || hubs.every(({ state }) => state === "refused")) {
      const why = link.lastError ?? hubs[0]?.lastError ?? `the hub ${daemon.hub} has not answered`;
      throw new Failure(`there is no link: ${why}`, {
        hint: "check its address and the token (--hub URL, --token-file FILE)",
      });
    }
    await new Promise((again) => setTimeout(again, LOOK_MS));
  }
}

/** A copy of a hub's store, taken while it runs, for whoever calls the API. */
import { ApiProblem } from "../api/problem.ts";
import { Failure } from "../core/errors.ts";
import type { HubState } from "./state.ts";

/** One at a time: each needs as much room as the store itself. */
const taking = new WeakSet<HubState>();

/**
 * The store as it is now, with everything that was acknowledged before. What it is written to is gone from its folder
 * before the first octet is sent: nothing is left of it, however the call or the process ends. Throws ApiProblem, Failure.
 */
export async function snapshotOf(
  state: HubState,
): Promise<{ readonly size: number; readonly stream: ReadableStream<Uint8Array<ArrayBuffer>> }> {
  if (taking.has(state)) throw new ApiProblem(409, "busy", "Another backup is being taken.");
  if (state.folder === null) throw new ApiProblem(409, "no_state", "This hub has no state directory.");
  taking.add(state);
  try {
    const path = `${state.folder}/snapshot.db`;
    // Of a hub that ended in the middle.
    await remove(path);
    try {
      await state.store.snapshot(path).catch(unavailable);
      const file = await Deno.open(path);
      return { size: (await file.stat()).size, stream: file.readable };
    } finally {
      await remove(path);
    }
  } finally {
    taking.delete(state);
  }
}

/** Whoever may ask may know where the store is, and what is wrong with the disk. */
function unavailable(error: unknown): never {
  if (!(error instanceof Failure)) throw error;
  throw new ApiProblem(503, "store_unavailable", `No copy can be made: ${error.message}.`);
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

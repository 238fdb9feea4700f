/** `connectd hub backup` and `hub restore`: a hub's names, tokens and trail as one file. */
import { resolve } from "node:path";
import { systemClock } from "../clock.ts";
import { Failure } from "../core/errors.ts";
import { printSize } from "../core/units.ts";
import { hubSocketPath, openHubStore } from "../hub/place.ts";
import { putWhole, restoreStore } from "../hub/restore.ts";
import type { Contents } from "../store/sqlite.ts";
import { Refused } from "./client.ts";
import { receive } from "../net/converse.ts";
import { isFile } from "./find.ts";
import { hubConfigOf, noStore, storePathOf } from "./hub_settings.ts";
import { complain, count, out, outJson } from "./print.ts";
import { makeState, stateOf } from "./reach.ts";
import { draw } from "./terminal.ts";
import { type Given, on } from "./verb.ts";

/** A hub that has nothing to send for so long is stuck: it copies some 200 MiB a second before the first octet. */
const PATIENCE_MS = 60_000;

/** Writes the store of the hub that runs, or of the one that does not, into a new file; returns the exit code. */
export async function backupHub(given: Given, [named]: readonly string[]): Promise<number> {
  const state = stateOf(given), file = resolve(named);
  const socket = await dial(hubSocketPath(state));
  const contents = socket === null
    ? await backupStore(given, file)
    : await putWhole(file, (aside) => fetchInto(aside, socket));
  return report(given, file, contents, "is written");
}

/** Of the store that no hub has. */
async function backupStore(given: Given, file: string): Promise<Contents> {
  const state = stateOf(given), path = storePathOf(given, await hubConfigOf(given));
  if (!isFile(path)) throw noStore(state, path);
  complain(`no hub runs at ${state}: this is the store ${path}`);
  const store = await openHubStore(path, systemClock);
  try {
    return await putWhole(file, (aside) => store.snapshot(aside));
  } finally {
    await store.close();
  }
}

/** Puts a backup where a hub that is not there yet will look for its store; returns the exit code. */
export async function restoreHub(given: Given, [named]: readonly string[]): Promise<number> {
  const state = stateOf(given);
  const store = storePathOf(given, await hubConfigOf(given));
  const file = resolve(named);
  if (!isFile(file)) {
    throw new Failure(`there is no file ${file}`, { hint: "name a file that `hub backup` wrote" });
  }
  await makeState(state);
  const contents = await restoreStore(file, store);
  const code = report(given, store, contents, "is in place");
  const since = contents.newest ?? "it was taken";
  complain(`what was made or revoked after ${since} is not in it: revoke again what must not live`);
  return code;
}

/** Null: nobody listens. */
async function dial(path: string): Promise<Deno.Conn | null> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    const { NotFound, ConnectionRefused } = Deno.errors;
    if (error instanceof NotFound || error instanceof ConnectionRefused) return null;
    throw new Failure(`the hub's socket ${path} can not be used: ${(error as Error).message}`, {
      hint: "run it as the user whose hub it is, or as root",
      cause: error,
    });
  }
}

/** Takes what the hub sends, octet by octet as many as it said. Throws Failure, Refused. */
async function fetchInto(aside: string, socket: Deno.Conn): Promise<void> {
  using file = await Deno.open(aside, { write: true });
  const progress = new Progress();
  const patience = new AbortController();
  const alarm = setTimeout(() => patience.abort(new Error("it says nothing")), PATIENCE_MS);
  let problem = "", size = 0, length = 0;
  try {
    const call = { method: "POST", path: "/v1/backup", headers: {}, body: null };
    const asked = await receive(socket, "localhost", call, patience.signal, (bytes, head) => {
      if (head.status !== 200) {
        problem += new TextDecoder().decode(bytes);
        return true;
      }
      for (let from = 0; from < bytes.length;) from += file.writeSync(bytes.subarray(from));
      size += bytes.length;
      length = head.framing.kind === "length" ? head.framing.length : 0;
      progress.show(size, length);
      return true;
    });
    clearTimeout(alarm);
    const { status, framing } = asked.head;
    if (status !== 200) throw new Refused(status, JSON.parse(problem));
    length = framing.kind === "length" ? framing.length : -1;
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure(`the hub sent no backup: ${(cause as Error).message}`, { cause });
  } finally {
    clearTimeout(alarm);
    progress.clear();
  }
  if (size !== length) {
    throw new Failure(`the hub sent ${size} octets of ${length}: it ended, or its disk is full`, {
      hint: "its log says why; try again",
    });
  }
}

/** How far it is, where somebody looks. */
class Progress {
  readonly #seen = Deno.stderr.isTerminal();
  #shown = "";

  show(size: number, of: number): void {
    const text = `${Math.floor(100 * size / of)} % of ${Math.ceil(of / 1024)} KiB`;
    if (!this.#seen || text === this.#shown) return;
    draw(`\r${this.#shown = text}`, Deno.stderr);
  }

  clear(): void {
    if (this.#shown !== "") draw("\r\x1b[K", Deno.stderr);
  }
}

/** What is in the file. Exit code 1: the trail is not whole, as it was not before. */
function report(given: Given, file: string, contents: Contents, done: string): number {
  const { entries, records, newest, broken } = contents;
  const bytes = Deno.statSync(file).size;
  if (on(given, "json")) outJson({ file, bytes, entries, records, newest, broken });
  else {
    const { names = 0, tokens = 0 } = entries;
    const parts = [
      count(names, "name"),
      count(tokens, "token"),
      count(records, "record") + " of the audit trail",
    ];
    out(`${file} ${done} and whole: ${parts.join(", ")}; ${printSize(bytes)}`);
  }
  if (broken === null) return 0;
  complain(`connectd: the audit trail in it is not whole: ${broken.detail}`);
  complain("  it is copied as the hub has it: `connectd audit --verify` says more");
  return 1;
}

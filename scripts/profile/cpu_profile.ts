/** A .cpuprofile of V8, added up: by function, by room, and as a tree of calls. */

/** What the inspector gives and what DevTools and editors open. Times in µs. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

/** A function, and what it took by itself. */
export interface Self {
  readonly name: string;
  /** `src/net/conn.ts:12`, a module of the runtime, or nothing. */
  readonly place: string;
  readonly room: string;
  us: number;
}

/** A function as it was called from where it stands in the tree; `us` counts what it called too. */
export interface Call {
  readonly name: string;
  readonly place: string;
  readonly room: string;
  us: number;
  readonly calls: Map<string, Call>;
}

const ROOT = new URL("../../", import.meta.url).href;

/** Waiting is no work: it counts nowhere. */
const IDLE = "(idle)";

/** What each function took by itself, the most first. */
export function selves(profile: CpuProfile): Self[] {
  const times = timesOf(profile), all = new Map<string, Self>();
  for (const node of profile.nodes) {
    const us = times.get(node.id) ?? 0;
    if (us === 0 || node.callFrame.functionName === IDLE) continue;
    const what = described(node), key = `${what.name} ${what.place}`;
    const self = all.get(key);
    if (self === undefined) all.set(key, { ...what, us });
    else self.us += us;
  }
  return descending([...all.values()]);
}

/** What the functions of each room took by themselves, the most first. */
export function rooms(all: readonly Self[]): { readonly name: string; us: number }[] {
  const sums = new Map<string, number>();
  for (const { room, us } of all) sums.set(room, (sums.get(room) ?? 0) + us);
  return descending([...sums].map(([name, us]) => ({ name, us })));
}

/** Everything below the root, calls of one function from one place together. */
export function callTree(profile: CpuProfile): Call {
  const times = timesOf(profile), byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const root: Call = { name: "all", place: "", room: "", us: 0, calls: new Map() };
  const add = (node: ProfileNode, parent: Call): number => {
    if (node.callFrame.functionName === IDLE) return 0;
    const what = described(node), key = `${what.name} ${what.place}`;
    let call = parent.calls.get(key);
    if (call === undefined) parent.calls.set(key, call = { ...what, us: 0, calls: new Map() });
    let us = times.get(node.id) ?? 0;
    for (const child of node.children ?? []) us += add(byId.get(child)!, call);
    call.us += us;
    return us;
  };
  for (const child of profile.nodes[0].children ?? []) root.us += add(byId.get(child)!, root);
  return root;
}

/** µs by node: a sample stands for the time up to the next one. */
function timesOf({ samples, timeDeltas }: CpuProfile): Map<number, number> {
  const times = new Map<number, number>();
  for (let i = 0; i + 1 < samples.length; i++) {
    times.set(samples[i], (times.get(samples[i]) ?? 0) + Math.max(0, timeDeltas[i + 1]));
  }
  return times;
}

function described({ callFrame: { functionName, url, lineNumber } }: ProfileNode) {
  const name = functionName === "" ? "(anonymous)" : functionName;
  const path = url.startsWith(ROOT) ? url.slice(ROOT.length) : url;
  return { name, place: path === "" ? "" : `${path}:${lineNumber + 1}`, room: roomOf(name, path) };
}

/** Rooms of this house by their folder; what is not in it by whose it is. */
function roomOf(name: string, path: string): string {
  if (path.startsWith("src/")) return path.split("/").slice(0, 2).join("/");
  if (path !== "") return path.startsWith("ext:") || path.startsWith("node:") ? "runtime, JavaScript" : path;
  if (name === "(garbage collector)") return "garbage collector";
  if (name.startsWith("op_")) return "runtime, ops";
  // No JavaScript on the stack: the event loop, system calls of polling and writing, compilers.
  if (name === "(program)") return "runtime, native";
  return "V8 builtins";
}

function descending<T extends { us: number }>(all: T[]): T[] {
  return all.sort((a, b) => b.us - a.us);
}

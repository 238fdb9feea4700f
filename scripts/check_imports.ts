/**
 * The house's borders, proven from the module graph. Each rule says why it is there; a broken one ends with exit 1.
 *
 *     deno task borders
 */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** What may import what. A room that is not listed may be imported by nobody but itself. */
const ROOMS: Record<string, { may: string[]; why: string }> = {
  core: { may: [], why: "core is pure: it decides on values, so that it can be tested without a permission" },
  config: { may: ["core"], why: "reading a file needs no socket and no state" },
  net: { may: ["core"], why: "sockets to messages and back is a use of core alone" },
  wire: {
    may: ["core", "net/conn.ts", "net/socket.ts"],
    why: "a tunnel runs over one connection and knows no HTTP server",
  },
  store: { may: ["core"], why: "the store is on no request's way and knows nothing of requests" },
  pages: { may: ["core"], why: "a page is made of values" },
  api: { may: ["core"], why: "an API answers with values, whichever role it belongs to" },
  hub: {
    may: ["core", "config", "net", "wire", "store", "pages", "api"],
    why: "the hub never meets the daemon: they talk through a wire",
  },
  daemon: {
    may: ["core", "config", "net", "wire", "store", "pages", "api"],
    why: "the daemon never meets the hub: they talk through a wire",
  },
  cli: {
    may: ["core", "config", "net", "wire", "store", "pages", "api", "hub", "daemon"],
    why: "the command line composes the roles",
  },
};

/** Files that every room may import: time, the log, and what keeps it short. */
const COMMON = ["clock.ts", "log.ts", "repeats.ts"];

/** Packages and built-ins that only some files may import. `files` are prefixes below src/. */
const PACKAGES: { specifier: RegExp; files: string[]; why: string }[] = [
  {
    specifier: /^hono(\/|$)/,
    files: ["pages/", "api/", "hub/api", "hub/dashboard/", "daemon/control"],
    why: "APIs and pages are Hono; the data plane is ours",
  },
  {
    specifier: /^yaml$/,
    files: ["config/yaml.ts"],
    why: "one importer, so that positions are read in one way",
  },
  {
    specifier: /^bcryptjs$/,
    files: ["daemon/bcrypt_worker.ts"],
    why: "hashing runs in a worker, away from requests",
  },
  {
    specifier: /^uqr$/,
    files: ["pages/qr.ts"],
    why: "one room makes QR codes, for terminals and for pages",
  },
  {
    specifier: /^node:sqlite$/,
    files: ["store/sqlite"],
    why: "node:sqlite blocks: it lives in the store's worker",
  },
  { specifier: /^node:tls$/, files: ["net/"], why: "TLS belongs to sockets" },
  { specifier: /^node:https?2?$/, files: [], why: "no HTTP library is on a request's way" },
  { specifier: /^(npm:|jsr:|https?:)/, files: [], why: "packages are named once, in deno.json" },
];

/** What core may not touch: whatever makes two runs differ. */
const IMPURE: { pattern: RegExp; what: string }[] = [
  { pattern: /\bDeno\b/, what: "Deno" },
  { pattern: /\bDate\.now\b/, what: "Date.now" },
  { pattern: /\bnew Date\(\)/, what: "new Date()" },
  { pattern: /\bperformance\b/, what: "performance" },
  { pattern: /\bMath\.random\b/, what: "Math.random" },
  { pattern: /\bset(Timeout|Interval)\b|\bqueueMicrotask\b/, what: "timers" },
  { pattern: /\bcrypto\b/, what: "crypto" },
  { pattern: /\bfetch\(/, what: "fetch" },
];

/** Built-ins that are values and nothing else. */
const PURE_BUILTINS = ["node:buffer"];

interface Module {
  specifier: string;
  dependencies?: { specifier: string; code?: { specifier?: string }; type?: { specifier?: string } }[];
}

const root = fileURLToPath(new URL("../", import.meta.url));

async function moduleGraph(): Promise<Module[]> {
  const entries = [...Deno.readDirSync(root + "src")].filter((e) => e.isDirectory).flatMap((room) =>
    filesBelow(`${root}src/${room.name}`)
  );
  const modules = new Map<string, Module>();
  for (const entry of [root + "mod.ts", ...entries]) {
    if (modules.has("file://" + entry)) continue;
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
    })
      .output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const graph = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
    for (const module of graph.modules) modules.set(module.specifier, module);
  }
  return [...modules.values()];
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory ? filesBelow(path) : /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function below(specifier: string): string | null {
  if (!specifier.startsWith("file://")) return null;
  const path = relative(root, fileURLToPath(specifier));
  return path.startsWith("..") ? null : path;
}

/** The sentences about one import, none where it is allowed. */
function judge(from: string, to: string): string | null {
  if (to === "mod.ts") return `${from} imports mod.ts: it is the exit, nothing inside goes through it`;
  if (from === "mod.ts" || !from.startsWith("src/")) return null;
  if (!to.startsWith("src/")) return `${from} imports ${to}: src/ stands on its own`;
  const inside = to.slice(4);
  const room = from.slice(4).split("/")[0], other = inside.split("/")[0];
  if (COMMON.includes(room)) {
    return other === "core" || COMMON.includes(inside)
      ? null
      : `${from} imports ${to}: what everybody uses, uses only core`;
  }
  if (room === other) return null;
  if (COMMON.includes(inside)) return room === "core" ? `${from} imports ${to}: ${ROOMS.core.why}` : null;
  const rule = ROOMS[room];
  if (rule === undefined) return `${from}: src/${room} is no room of the house`;
  const allowed = rule.may.some((may) => inside === may || inside.startsWith(may + "/"));
  return allowed ? null : `${from} imports ${to}: ${rule.why}`;
}

const broken: string[] = [];
let imports = 0;
for (const module of await moduleGraph()) {
  const from = below(module.specifier);
  if (from === null || !(from.startsWith("src/") || from === "mod.ts")) continue;
  for (const dependency of module.dependencies ?? []) {
    imports++;
    for (const rule of PACKAGES) {
      if (!rule.specifier.test(dependency.specifier)) continue;
      if (!rule.files.some((file) => from.startsWith("src/" + file))) {
        broken.push(`${from} imports ${dependency.specifier}: ${rule.why}`);
      }
    }
    if (
      from.startsWith("src/core/") && dependency.specifier.startsWith("node:") &&
      !PURE_BUILTINS.includes(dependency.specifier)
    ) {
      broken.push(`${from} imports ${dependency.specifier}: ${ROOMS.core.why}`);
    }
    const to = below(dependency.code?.specifier ?? dependency.type?.specifier ?? "");
    const sentence = to === null ? null : judge(from, to);
    if (sentence !== null) broken.push(sentence);
  }
  if (from.startsWith("src/core/")) {
    const text = Deno.readTextFileSync(fileURLToPath(module.specifier)).replace(
      /\/\*[\s\S]*?\*\/|\/\/.*$/gm,
      "",
    );
    for (const { pattern, what } of IMPURE) {
      if (pattern.test(text)) broken.push(`${from} touches ${what}: ${ROOMS.core.why}`);
    }
  }
  if (/\bDeno\.serve\b/.test(Deno.readTextFileSync(fileURLToPath(module.specifier)))) {
    broken.push(`${from} touches Deno.serve: it has no timeouts and builds its URL from the Host field`);
  }
}
for (const sentence of new Set(broken)) console.error(sentence);
if (broken.length > 0) Deno.exit(1);
console.log(`borders: ${imports} imports, none crosses`);

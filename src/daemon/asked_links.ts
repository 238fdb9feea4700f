/** Links that a hub asks for: what it may say of them, and on which services. */
import { ApiProblem, type BodyError } from "../api/problem.ts";
import { camelCase } from "../config/json.ts";
import { readEntry } from "../config/oneoff.ts";
import type { Entry, Service } from "../core/entry.ts";
import type { ManagedLink } from "./managed.ts";
import type { Base } from "./base.ts";

/** How a key that a hub may give a link shows in its entry. What names a file, or a place, or opens up, is not among them. */
const KEYS: Readonly<Record<string, (to: Entry, from: Entry) => Entry>> = {
  // Each of the two takes the place of the other.
  ttl: (to, { ttlMs, until }) => ({ ...to, ttlMs, until }),
  until: (to, { ttlMs, until }) => ({ ...to, ttlMs, until }),
  max_uses: (to, { maxUses }) => ({ ...to, maxUses }),
  methods: (to, { policy: { methods } }) => ({ ...to, policy: { ...to.policy, methods } }),
  paths: (to, { policy: { paths } }) => ({ ...to, policy: { ...to.policy, paths } }),
  rate: (to, { policy: { rate } }) => ({ ...to, policy: { ...to.policy, rate } }),
  allow_ips: (to, { policy: { allowIps } }) => ({ ...to, policy: { ...to.policy, allowIps } }),
  max_body: (to, { policy: { maxBody } }) => ({ ...to, policy: { ...to.policy, maxBody } }),
  max_streams: (to, { policy: { maxStreams } }) => ({ ...to, policy: { ...to.policy, maxStreams } }),
  upgrade: (to, { policy: { upgrade } }) => ({ ...to, policy: { ...to.policy, upgrade } }),
  timeout: (to, { timeoutMs }) => ({ ...to, timeoutMs }),
};

const MEMBERS = new Map(Object.keys(KEYS).map((key) => [camelCase(key), key]));

/** Whether hubs may make links to it under `remote: manage`: it is marked, speaks HTTP, and anybody may reach it. */
export function isRemote({ remote, access, target }: Service): boolean {
  return remote && access === "public" && target.kind !== "tcp";
}

/** The service of this name on which hubs may have links. Throws ApiProblem. */
export function remoteService(name: unknown, { services }: Pick<Base, "services">): Service {
  const service = typeof name === "string" ? services.get(name) : undefined;
  if (service !== undefined && isRemote(service)) return service;
  throw new ApiProblem(
    403,
    "not_managed",
    "The daemon takes links from a hub on services that are public and marked `remote: true` only.",
  );
}

/** The entry of a link `{service, …}` that a hub asks for under `name`. Throws ApiProblem that points at what is wrong. */
export function readAsked(
  name: string,
  { service, ...body }: Readonly<Record<string, unknown>>,
  base: Base,
  now: number,
): Entry {
  const { name: target } = remoteService(service, base);
  checkMembers(body, [...MEMBERS.keys(), "subdomain"]);
  return read({ ...body, name, target }, base, now);
}

/** The entry of `link` as a hub wants it: members of `body` replace what it says, null takes it away. Throws ApiProblem. */
export function editAsked(
  { served: { entry }, name }: ManagedLink,
  body: Readonly<Record<string, unknown>>,
  base: Base,
  now: number,
): Entry {
  const { name: target } = remoteService(entry.service, base);
  if (entry.source === "file") {
    throw new ApiProblem(409, "in_file", "The link stands in the daemon's file: it is edited there.");
  }
  checkMembers(body, [...MEMBERS.keys()]);
  const said = Object.entries(body).filter(([, value]) => value !== null);
  const wanted = read({ ...Object.fromEntries(said), name, target }, base, now);
  let edited = entry;
  for (const member of Object.keys(body)) edited = KEYS[MEMBERS.get(member)!](edited, wanted);
  return edited;
}

/**
 * Entries as they stand when the services are these: a link that a hub made follows its service to another target, and
 * goes with it.
 */
export function followServices(
  entries: ReadonlyMap<string, Entry>,
  services: ReadonlyMap<string, Service>,
): Map<string, Entry> {
  const followed = [...entries].flatMap(([name, entry]): [string, Entry][] => {
    if (entry.source !== "hub") return [[name, entry]];
    const service = services.get(entry.service ?? "");
    if (service === undefined || !isRemote(service)) return [];
    const same = JSON.stringify(service.target) === JSON.stringify(entry.target);
    return [[name, same ? entry : { ...entry, target: service.target }]];
  });
  return new Map(followed);
}

function read(body: Readonly<Record<string, unknown>>, base: Base, now: number): Entry {
  const { entry, errors } = readEntry(body, { now, source: "hub", config: base, dir: base.dir });
  if (entry !== null) return entry;
  const told = errors.map(({ pointer, detail }) => ({
    // Whoever asks wrote `service`, and this is the daemon's word for where it leads.
    pointer: pointer === "/target" ? "/service" : pointer,
    detail,
  }));
  throw new ApiProblem(422, "invalid", "The link can not be made so.", [], told);
}

function checkMembers(body: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  const errors = Object.keys(body).filter((member) => !known.includes(member)).map((member): BodyError => ({
    pointer: `/${member.replaceAll("~", "~0").replaceAll("/", "~1")}`,
    detail: "is not for a hub to say",
  }));
  if (errors.length > 0) throw new ApiProblem(422, "invalid", "The link can not be made so.", [], errors);
}

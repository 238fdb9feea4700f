/** A link's policy as data: what links.yaml says, what a daemon tells a hub. No secrets: credentials stay in their files. */
import { parseCidr, printCidr } from "./address.ts";
import { Failure } from "./errors.ts";
import { checkMethod, printMethods } from "./methods.ts";
import { compilePaths, printPattern } from "./paths.ts";
import { isRateSpan, printRate, printSize, quote, type Rate } from "./units.ts";

/** Null or false: no such rule. As JSON it travels in hello. */
export interface PolicySpec {
  readonly methods: readonly string[] | null;
  readonly paths: readonly string[] | null;
  /** All apply; empty: no limit. */
  readonly rate: readonly Rate[];
  /** A credential is needed, of one of the kinds below. */
  readonly auth: boolean;
  readonly basic: boolean;
  readonly bearer: boolean;
  readonly allowIps: readonly string[] | null;
  readonly maxBody: number | null;
  readonly maxStreams: number | null;
  /** Protocols in lower case that may be upgraded to; empty: none. */
  readonly upgrade: readonly string[];
  readonly shadow: boolean;
}

/** The policy of a link that says nothing about it. */
export const OPEN_POLICY: PolicySpec = {
  methods: null,
  paths: null,
  rate: [],
  auth: false,
  basic: false,
  bearer: false,
  allowIps: null,
  maxBody: null,
  maxStreams: null,
  upgrade: ["websocket"],
  shadow: false,
};

/** The keys of a link that make its policy, as links.yaml spells them, in the order in which they are evaluated. */
export const POLICY_KEYS = [
  "allow_ips",
  "auth",
  "methods",
  "upgrade",
  "paths",
  "max_body",
  "rate",
  "max_streams",
  "shadow",
] as const;

export type PolicyKey = typeof POLICY_KEYS[number];

/** Those that can refuse. */
export type PolicyRule = Exclude<PolicyKey, "shadow">;

/** How long the lists of a policy may be, and the texts in them: they are walked for every request. */
export const POLICY_LIMITS = {
  methods: 256,
  paths: 1000,
  rate: 16,
  allowIps: 1000,
  upgrade: 16,
  text: 4096,
} as const;

/**
 * A policy that came over the tunnel, from a peer that is not trusted: each member of the right type, each list in
 * bounds, each text one that links.yaml could hold. Members that are not known are left behind: a newer daemon may
 * have more, and it is the daemon that decides. Throws Failure.
 */
export function checkPolicySpec(value: unknown): PolicySpec {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("", "is no object");
  const of = new Members(value);
  const spec = {
    methods: of.listOrNull("methods", POLICY_LIMITS.methods, checkMethod),
    paths: of.listOrNull("paths", POLICY_LIMITS.paths, (pattern) => compilePaths([pattern])),
    rate: of.rates(),
    auth: of.flag("auth"),
    basic: of.flag("basic"),
    bearer: of.flag("bearer"),
    allowIps: of.listOrNull("allowIps", POLICY_LIMITS.allowIps, parseCidr),
    maxBody: of.count("maxBody", 0),
    maxStreams: of.count("maxStreams", 1),
    upgrade: of.list("upgrade", POLICY_LIMITS.upgrade, checkProtocol),
    shadow: of.flag("shadow"),
  };
  if (spec.auth !== (spec.basic || spec.bearer)) throw bad("/auth", "does not agree with basic and bearer");
  return spec;
}

/** A token in lower case, with a version where the protocol has one (RFC 9110 §7.8); HTTP/2 would pass by the policy. */
function checkProtocol(text: string): void {
  const token = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:\/[a-z0-9!#$%&'*+.^_`|~-]+)?$/;
  if (!token.test(text) || text === "h2c") {
    throw new SyntaxError(`${quote(text)} is no protocol to upgrade to`);
  }
}

function bad(pointer: string, what: string): Failure {
  return new Failure(`policy${pointer} ${what}`);
}

/** Reads own members only: `__proto__` in JSON is a member like any other, and nothing is inherited. */
class Members {
  readonly #object: object;

  constructor(object: object) {
    this.#object = object;
  }

  flag(name: string): boolean {
    const value = this.#get(name);
    if (typeof value !== "boolean") throw bad(`/${name}`, "is neither true nor false");
    return value;
  }

  /** A whole number from `min`, or null. */
  count(name: string, min: number): number | null {
    const value = this.#get(name);
    if (value === null) return null;
    if (!isCount(value, min)) throw bad(`/${name}`, `is neither null nor a whole number from ${min}`);
    return value;
  }

  list(name: string, most: number, check: (text: string) => unknown): string[] {
    return this.#items(name, most).map((item, i) => {
      if (typeof item !== "string") throw bad(`/${name}/${i}`, "is no text");
      if (item.length > POLICY_LIMITS.text) throw bad(`/${name}/${i}`, "is too long");
      try {
        check(item);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        throw bad(`/${name}/${i}:`, error.message);
      }
      return item;
    });
  }

  /** An empty list would admit nothing, and no file can say that. */
  listOrNull(name: string, most: number, check: (text: string) => unknown): string[] | null {
    if (this.#get(name) === null) return null;
    const list = this.list(name, most, check);
    if (list.length === 0) throw bad(`/${name}`, "is empty");
    return list;
  }

  rates(): Rate[] {
    return this.#items("rate", POLICY_LIMITS.rate).map((item, i) => {
      if (typeof item !== "object" || item === null) throw bad(`/rate/${i}`, "is no object");
      const of = new Members(item);
      const [count, perMs, burst] = [of.#get("count"), of.#get("perMs"), of.#get("burst")];
      if (!isCount(count, 1) || !isCount(burst, 1) || !isCount(perMs, 1) || !isRateSpan(perMs)) {
        throw bad(`/rate/${i}`, "is no rate");
      }
      return { count, perMs, burst, perIp: of.flag("perIp") };
    });
  }

  #items(name: string, most: number): unknown[] {
    const value = this.#get(name);
    if (!Array.isArray(value)) throw bad(`/${name}`, "is no list");
    if (value.length > most) throw bad(`/${name}`, `has more than ${most} items`);
    return value;
  }

  #get(name: string): unknown {
    if (!Object.hasOwn(this.#object, name)) throw bad(`/${name}`, "is missing");
    return (this.#object as Record<string, unknown>)[name];
  }
}

function isCount(value: unknown, min: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min;
}

/**
 * The canonical text of one key of a policy, for plans and for the policy lines of the command line; null where the key
 * is absent or says what its absence says. `auth` names the kinds, never the files.
 */
export function printPolicyKey(key: PolicyKey, spec: PolicySpec): string | null {
  switch (key) {
    case "allow_ips":
      return spec.allowIps?.map((text) => printCidr(parseCidr(text))).join(", ") ?? null;
    case "auth":
      return spec.auth
        ? [...(spec.basic ? ["basic"] : []), ...(spec.bearer ? ["bearer"] : [])].join(", ")
        : null;
    case "methods":
      return spec.methods === null ? null : printMethods(spec.methods);
    case "upgrade": {
      const text = spec.upgrade.join(", ");
      return text === OPEN_POLICY.upgrade[0] ? null : text === "" ? "false" : text;
    }
    case "paths":
      return spec.paths?.map(printPattern).join(", ") ?? null;
    case "max_body":
      return spec.maxBody === null ? null : printSize(spec.maxBody);
    case "rate":
      return spec.rate.length === 0 ? null : spec.rate.map(printRate).join(", ");
    case "max_streams":
      return spec.maxStreams === null ? null : String(spec.maxStreams);
    case "shadow":
      return spec.shadow ? "true" : null;
  }
}

/** A policy as the APIs print it: keys in camelCase, each in the forms that an entry is written in; null: no such rule. */
export function policyJson(spec: PolicySpec) {
  const kinds = [...(spec.basic ? ["basic"] : []), ...(spec.bearer ? ["bearer"] : [])];
  return {
    methods: spec.methods,
    paths: spec.paths,
    rate: spec.rate.length === 0 ? null : spec.rate.map(printRate),
    auth: spec.auth ? kinds : null,
    allowIps: spec.allowIps,
    maxBody: spec.maxBody,
    maxStreams: spec.maxStreams,
    upgrade: spec.upgrade,
    shadow: spec.shadow,
  };
}

/**
 * The order and the arithmetic of policy.md, as plainly as they are written: what `decide` is held against. Buckets hold
 * tokens here, in 1/perMs of one, and are filled by the time that went by.
 */
import type { Facts, PolicySpec } from "../../src/core/policy.ts";
import type { Rate } from "../../src/core/units.ts";
import { referencePath } from "./reference_paths.ts";

/** `code`, with what a visitor is told to wait for in seconds. */
export type Told = string;

/** One link and what it remembers. */
export class ReferenceLink {
  readonly #tokens = new Map<string, { left: number; at: number }>();

  constructor(private readonly spec: PolicySpec) {}

  /** What is said to a request; one that is let through is counted. `streams`: in flight. */
  ask(facts: Facts, streams: number, now: number): Told {
    const { spec } = this;
    if (spec.allowIps !== null && !spec.allowIps.some((block) => holds(block, facts.address))) {
      return "ip_denied";
    }
    if (spec.auth) {
      if (!facts.hasCredential) return "auth_required";
      const failures: Rate[] = [{ count: 10, perMs: 60_000, burst: 10, perIp: true }];
      const wait = this.#wait("auth", failures, facts.address, now);
      if (wait > 0) return `rate_limited ${Math.ceil(wait / 1000)}`;
      if (facts.credential === "unjudged") return "check_auth";
      if (facts.credential === "wrong") {
        this.#spend("auth", failures, facts.address, now);
        return "auth_required";
      }
    }
    const admitted = spec.methods?.includes("GET") ? [...spec.methods, "HEAD"] : spec.methods;
    if (admitted !== null && !admitted.includes(facts.method)) return "method_denied";
    if (facts.websocket && !spec.upgrade.includes("websocket")) return "upgrade_denied";
    if (spec.paths !== null) {
      const said = referencePath(spec.paths, facts.target);
      if (said !== "allow") return said;
    }
    if (spec.maxBody !== null && (facts.declaredLength ?? 0) > spec.maxBody) return "body_too_large";
    const wait = this.#wait("rate", spec.rate, facts.address, now);
    if (wait > 0) return `rate_limited ${Math.ceil(wait / 1000)}`;
    if (spec.maxStreams !== null && streams >= spec.maxStreams) return "link_busy";
    this.#spend("rate", spec.rate, facts.address, now);
    return "allow";
  }

  /** The hub's part of it: neither credentials nor what is counted. */
  static shield(spec: PolicySpec, facts: Facts): Told {
    if (spec.shadow) return "allow";
    const none = { rate: [], maxStreams: null, auth: false };
    const part = spec.auth ? { methods: null, paths: null, maxBody: null, upgrade: ["websocket"] } : {};
    return new ReferenceLink({ ...spec, ...none, ...part }).ask(facts, 0, 0);
  }

  /** Ms until every rate has a token; 0: they have. */
  #wait(what: string, rates: readonly Rate[], address: string, now: number): number {
    return Math.max(
      0,
      ...rates.map((rate, i) => {
        return (rate.perMs - this.#left(what, rate, i, address, now)) / rate.count;
      }),
    );
  }

  #spend(what: string, rates: readonly Rate[], address: string, now: number): void {
    rates.forEach((rate, i) => {
      const left = this.#left(what, rate, i, address, now) - rate.perMs;
      this.#tokens.set(bucket(what, rate, i, address), { left, at: now });
    });
  }

  #left(what: string, rate: Rate, i: number, address: string, now: number): number {
    const full = rate.burst * rate.perMs;
    const known = this.#tokens.get(bucket(what, rate, i, address));
    return known === undefined ? full : Math.min(full, known.left + (now - known.at) * rate.count);
  }
}

function bucket(what: string, rate: Rate, i: number, address: string): string {
  return `${what} ${i} ${rate.perIp ? bits(address)?.slice(0, 64) ?? address : ""}`;
}

/** Whether a block holds an address; bits are compared as text. */
function holds(block: string, address: string): boolean {
  const [base, length] = block.split("/");
  const want = bits(base)!, have = bits(address);
  const mapped = want.length === 32 && base.includes(":") ? 96 : 0;
  const n = length === undefined ? want.length : Number(length) - mapped;
  return have?.length === want.length && have.startsWith(want.slice(0, n));
}

/** An address as 32 or 128 digits; null: it is none. An IPv4 address in an IPv6 one is that IPv4 address. */
function bits(text: string): string | null {
  const octets = /^\d+\.\d+\.\d+\.\d+$/.test(text) ? text.split(".").map(Number) : null;
  if (octets !== null) return octets.map((octet) => octet.toString(2).padStart(8, "0")).join("");
  if (text.toLowerCase().startsWith("::ffff:") && text.includes(".")) return bits(text.slice(7));
  if (!text.includes(":")) return null;
  const [head, tail] = text.split("::").map((half) => half === "" ? [] : half.split(":"));
  const groups = tail === undefined
    ? head
    : [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail];
  return groups.map((group) => parseInt(group, 16).toString(2).padStart(16, "0")).join("");
}

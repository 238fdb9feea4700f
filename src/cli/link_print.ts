/** What `connectd link` prints of a link. */
import { isLocal } from "../config/places.ts";
import { oneLine } from "../log.ts";
import { type LinkJson } from "./links.ts";
import { relative } from "./print.ts";
import { quoteShell } from "../core/shell.ts";

/** How the rules of a policy are written, in the order of the documentation. */
const RULES: Readonly<Record<string, string>> = {
  methods: "methods",
  paths: "paths",
  rate: "rate",
  auth: "auth",
  allowIps: "allow_ips",
  maxBody: "max_body",
  maxStreams: "max_streams",
  maxUses: "max_uses",
};

/** The URL, then what it lets through, until when, and how to try it. */
export function linkText(link: LinkJson, now: number): string {
  const { url, target, policy } = link;
  const lines = [
    ["target", target ?? "–"],
    ["policy", policyText(policy ?? {})],
    ["expires", end(link, now)],
    ...(url === null ? [] : [["try", curlLine(url, policy ?? {})]]),
    ...(url !== null && isLocal(new URL(url).hostname)
      ? [["reach", "from this machine only; for the world: --hub URL"]]
      : []),
  ];
  const head = url ?? `${link.name} has no URL yet: the hub has not answered${reason(link)}`;
  return [head, ...lines.map(([key, value]) => `  ${key.padEnd(8)} ${value}`)].join("\n");
}

function end({ activatedAt, expiresAt }: LinkJson, now: number): string {
  if (expiresAt !== null) return `${relative(expiresAt, now)} (${expiresAt})`;
  return activatedAt === null ? "its time begins when it is up" : "never";
}

function reason({ lastError }: LinkJson): string {
  return lastError === null || lastError === undefined ? "" : ` (${oneLine(lastError)})`;
}

/** `methods GET,POST; paths /api; rate 60/m`. */
export function policyText(policy: Readonly<Record<string, unknown>>): string {
  const rules = Object.entries(RULES)
    .filter(([key]) => policy[key] !== null && policy[key] !== undefined)
    .map(([key, word]) => `${word} ${[policy[key]].flat().join(key === "methods" ? "," : ", ")}`);
  return rules.length === 0 ? "every method, every path, no limit" : rules.join("; ");
}

/** A request that the policy lets through, as far as a line can say. */
export function curlLine(url: string, policy: Readonly<Record<string, unknown>>): string {
  const methods = policy.methods as readonly string[] | null | undefined;
  const paths = policy.paths as readonly string[] | null | undefined;
  const path = paths?.[0]?.replace(/^= /, "") ?? "/";
  const method = !methods || methods.includes("GET") ? "" : ` -X ${methods[0]}`;
  // A pattern's `*` is anything; quotes, since a shell reads some letters of a path.
  return `curl${method} ${quoteShell(url + path.replaceAll("*", "x"))}`;
}

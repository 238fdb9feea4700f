/** One request explained as this daemon would decide it now (interfaces: `POST /v1/explain`). Nothing is counted or forwarded. */
import { ApiProblem } from "../api/problem.ts";
import type { Clock } from "../clock.ts";
import { type Code, Malformed, type Refusal, refusal } from "../core/errors.ts";
import {
  type Counter,
  countersFor,
  explain,
  type ExplainedStep,
  explainMalformed,
  type Explanation,
} from "../core/explain.ts";
import { RequestReader } from "../core/http1/head.ts";
import { field, type RequestHead } from "../core/http1/types.ts";
import { toBytes } from "../core/latin1.ts";
import { checkMethod } from "../core/methods.ts";
import { POLICY_KEYS, type PolicyKey, printPolicyKey } from "../core/policy.ts";
import type { Applied } from "./applied.ts";
import { type Asked, barred, factsOf } from "./asked.ts";
import type { Auth, Judgement } from "./auth.ts";
import type { Hubs } from "./hubs.ts";
import type { Life } from "./life.ts";
import type { ManagedLink } from "./managed.ts";
import { addressed, standingOf, type StandsBy, termText } from "./standing.ts";
import { linkJson } from "./status.ts";

/** What is asked about. */
export interface ExplainWish {
  readonly method: string;
  /** As it would be sent: nothing in it is normalised. */
  readonly target: string;
  /** Host and port of a URL; null: only a path was given. */
  readonly host: string | null;
  /** The link's name; null: the host says which. */
  readonly link: string | null;
  /** The visitor's address, in canonical form. */
  readonly from: string;
  /** Field lines besides Host, unless they have one. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The rule that decides, as it stands in the file. */
interface RuleJson {
  readonly key: string;
  /** The printed form; null: the key stands nowhere. */
  readonly text: string | null;
  /** Null: no file has it. */
  readonly line: number | null;
  readonly file: string | null;
  /** The line itself. */
  readonly source: string | null;
}

export interface ExplainJson {
  readonly verdict: "allow" | "deny";
  /** Null: it is the target that answers. */
  readonly code: Code | null;
  readonly status: number | null;
  /** What refuses, or would; null: nothing does, or no key is to blame. */
  readonly rule: RuleJson | null;
  readonly steps: readonly ExplainedStep[];
  readonly counters: readonly Counter[];
  readonly link: string;
  readonly from: string;
  /** What would have been answered, were the link not in shadow. */
  readonly shadowed: { readonly code: Code; readonly status: number } | null;
}

/** What of the daemon is looked at. */
export interface ExplainMeans {
  readonly life: Pick<Life, "all">;
  readonly hubs: Pick<Hubs, "status">;
  readonly applied: Applied;
  readonly clock: Clock;
}

/** Explains `wish`. Throws ApiProblem where no link is meant by it, or a password has to wait. */
export async function explainRequest(wish: ExplainWish, means: ExplainMeans): Promise<ExplainJson> {
  const { link, past } = addressed(wish, means.life.all);
  const told = await explained(wish, link, past, means);
  const { served } = link;
  const { verdict, steps } = told;
  const why = told.refusal === null ? null : { code: told.refusal.code, status: told.refusal.status };
  const denied = verdict === "deny" ? why : null;
  return {
    verdict: verdict === "deny" ? "deny" : "allow",
    code: denied?.code ?? null,
    status: denied?.status ?? null,
    rule: told.rule === null ? null : ruleJson(told.rule, link, means.applied),
    steps,
    counters: countersFor(served.policy, wish.from, served.state, means.clock.mono()),
    link: link.name,
    from: wish.from,
    shadowed: verdict === "allow" ? why : null,
  };
}

async function explained(
  wish: ExplainWish,
  link: ManagedLink,
  past: Code | null,
  { hubs, clock }: ExplainMeans,
): Promise<Explanation> {
  const head = readHead(wish, link);
  if (!("method" in head)) return explainMalformed(head.refusal, head.detail);
  const facts = factsOf(head, wish.from, link.served.auth);
  if (facts === null) {
    return explainMalformed(refusal("bad_request"), "it has more than one Authorization field");
  }
  for (;;) {
    const { served } = link;
    const now = clock.now();
    const standing = standingOf(link, linkJson(link, hubs.status()), past, barred(served, head, now), now);
    const told = explain(standing, served.policy, facts, served.state, clock.mono());
    if (told.verdict !== "check_auth") return told;
    await judge(served.auth!, head, facts, () => served.auth);
  }
}

/** Judges the credential as a visitor's would be. One that was judged by files which are exchanged by now is not. */
async function judge(
  auth: Auth,
  head: RequestHead,
  facts: Asked,
  inCharge: () => Auth | null,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<Judgement>();
  const judgement = auth.judge(field(head, "authorization")!, { judged: resolve }) ?? await promise;
  if (inCharge() !== auth) return;
  if (judgement !== "busy") facts.credential = judgement;
  else {throw new ApiProblem(
      503,
      "unavailable",
      "Too many passwords wait to be judged: ask again in a moment.",
    );}
}

/** The head as it would come down the tunnel, or why there would be none. */
function readHead(wish: ExplainWish, link: ManagedLink): RequestHead | { refusal: Refusal; detail: string } {
  const { method, target, fields } = wish;
  // Within the line they would be read as other parts of it.
  for (const [what, text] of [["method", method], ["target", target]]) {
    if (!/[^\x21-\x7e]/.test(text)) continue;
    return { refusal: refusal("bad_request"), detail: `its ${what} has a character that must be escaped` };
  }
  const host = fields.some(([name]) => name.toLowerCase() === "host") ? [] : [["Host", hostOf(wish, link)]];
  const lines = [...host, ...fields].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const bytes = toBytes(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`);
  const reader = new RequestReader();
  try {
    reader.read(bytes, 0, bytes.length);
    return reader.head!;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return {
      refusal: refusal(error.code),
      detail: `it is malformed: ${methodProblem(method) ?? error.message}`,
    };
  }
}

/** Of a method that the wire does not take, as a person would want to hear it. */
function methodProblem(method: string): string | null {
  try {
    checkMethod(method);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function hostOf({ host }: ExplainWish, { grants }: ManagedLink): string {
  if (host !== null) return host;
  const grant = [...grants.values()].find((grant) => "url" in grant);
  return grant !== undefined && "url" in grant ? new URL(grant.url).host : "localhost";
}

function ruleJson(key: string, { served: { entry }, record }: ManagedLink, { config }: Applied): RuleJson {
  const text = isPolicyKey(key) ? printPolicyKey(key, entry.policy) : termText(key as StandsBy, record);
  // What a one-off, a hub or a renewal asked for stands in no file.
  const unwritten = entry.source !== "file" || (key === "ttl" && record.renewed !== null);
  const line = unwritten ? null : entry.lines.get(key) ?? null;
  if (line === null || config === null) return { key, text, line: null, file: null, source: null };
  return { key, text, line, file: config.file, source: config.text.split(/\r?\n/)[line - 1] ?? null };
}

function isPolicyKey(key: string): key is PolicyKey {
  return (POLICY_KEYS as readonly string[]).includes(key);
}

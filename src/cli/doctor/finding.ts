/** What the doctor finds, and how a check is run. */

/** `fail`: something is wrong now. `warn`: it works, and may not for long or for everybody. */
export type Result = "ok" | "warn" | "fail";

/** One line of the doctor: what was looked at, what was seen, and what to do about it. */
export interface Finding {
  /** The kind of thing: `hub`, `token`, `clock`, … */
  readonly check: string;
  /** Which one of them; null: there is one only. */
  readonly about: string | null;
  readonly result: Result;
  readonly seen: string;
  /** What to do; null where nothing has to be done. */
  readonly hint: string | null;
}

/** Looks at one thing. What `run` throws is a failure of its own. */
export interface Check {
  readonly check: string;
  readonly about: string | null;
  /** So long it may take. */
  readonly limitMs: number;
  /** What to do where it takes longer. */
  readonly late: string;
  run(signal: AbortSignal): Promise<readonly Finding[]>;
}

/** Findings about one thing. */
export function findings(check: string, about: string | null) {
  const make = (result: Result, seen: string, hint: string | null): Finding => ({
    check,
    about,
    result,
    seen,
    hint,
  });
  return {
    ok: (seen: string) => make("ok", seen, null),
    warn: (seen: string, hint: string) => make("warn", seen, hint),
    fail: (seen: string, hint: string) => make("fail", seen, hint),
  };
}

/** What `check` finds, in its time. Never rejects: whatever it stumbles over is a finding. */
async function carryOut(check: Check): Promise<readonly Finding[]> {
  const limit = new AbortController();
  const { promise, resolve } = Promise.withResolvers<readonly Finding[]>();
  const { fail } = findings(check.check, check.about);
  const timer = setTimeout(() => {
    limit.abort(new DOMException("it took too long", "TimeoutError"));
    // A name that is being resolved can't be called off: it is left behind.
    resolve([fail(`no answer within ${check.limitMs / 1000} s`, check.late)]);
  }, check.limitMs);
  check.run(limit.signal).then(resolve, (error) => {
    resolve([fail(why(error), "this should not happen: run it again, and report it where it stays")]);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** So many checks run side by side: each may hold a descriptor. */
const LANES = 64;

/** What each of `checks` finds, in their order; `settled` hears of each as it is done. */
export function carryOutAll(
  checks: readonly Check[],
  settled: (check: Check) => void,
): Promise<readonly Finding[]>[] {
  const results = checks.map(() => Promise.withResolvers<readonly Finding[]>());
  let next = 0;
  const lane = async () => {
    while (next < checks.length) {
      const at = next++;
      results[at].resolve(await carryOut(checks[at]));
      settled(checks[at]);
    }
  };
  for (let n = 0; n < LANES; n++) void lane();
  return results.map(({ promise }) => promise);
}

/** An error of the runtime for a person: without its code. */
export function why(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "nothing listens there";
  if (error instanceof Deno.errors.NotFound) return "it is not there";
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error \d+\)/g, "").replace(/^(.*): \1/, "$1");
}

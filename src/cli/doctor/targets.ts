/** The doctor at the targets: does something listen there, and does it speak HTTP. */
import type { Config } from "../../config/links.ts";
import type { TargetTls } from "../../core/entry.ts";
import { printTarget, type Target } from "../../core/target.ts";
import { answersHttp, listens } from "../detect.ts";
import { type Check, findings, why } from "./finding.ts";

const LIMIT_MS = 5_000;

/** One place that links or services lead to. */
interface Place {
  readonly target: Target;
  readonly tls: TargetTls | null;
  readonly links: string[];
}

/** A check for each target, whoever leads to it. */
export function targetChecks({ links, services }: Pick<Config, "links" | "services">): Check[] {
  const places = new Map<string, Place>();
  const add = (target: Target, tls: TargetTls | null, link: string | null) => {
    if (target.kind === "echo") return;
    const key = JSON.stringify([target, tls]);
    const place = places.get(key) ?? { target, tls, links: [] };
    places.set(key, place);
    if (link !== null) place.links.push(link);
  };
  for (const { name, target, tls } of links.values()) add(target, tls, name);
  const linked = new Set([...places.values()].map(({ target }) => printTarget(target)));
  for (const { target } of services.values()) if (!linked.has(printTarget(target))) add(target, null, null);
  return [...places.values()].map(targetCheck);
}

function targetCheck({ target, tls, links }: Place): Check {
  const about = printTarget(target);
  const { ok, warn, fail } = findings("target", about);
  // Of a service that no link leads to nobody gets a 502 today.
  const wrong = links.length > 0 ? fail : warn;
  const start = `start it${links.length === 0 ? "" : `, or correct the target of ${some(links)}`}`;
  return {
    check: "target",
    about,
    limitMs: LIMIT_MS,
    late: "see whether it hangs, and whether the way there is open",
    async run(signal) {
      if (target.kind === "tcp") {
        return [await listens(target) ? ok("accepts connections") : wrong("nothing listens there", start)];
      }
      try {
        if (await answersHttp(target, tls, signal)) return [ok("answers HTTP")];
        return [
          wrong(
            "it accepts connections and answers no HTTP",
            "is this the right port, and is it http or https?",
          ),
        ];
      } catch (error) {
        signal.throwIfAborted();
        return [wrong(why(error), start)];
      }
    },
  };
}

function some(links: readonly string[]): string {
  return links.length <= 3
    ? links.join(", ")
    : `${links.slice(0, 3).join(", ")} and ${links.length - 3} more links`;
}

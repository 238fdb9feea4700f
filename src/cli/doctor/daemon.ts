/** The doctor at the running daemon, where there is one. */
import { type ApiClient, Unanswered } from "../client.ts";
import type { LinkJson, StatusJson } from "../links.ts";
import { count } from "../print.ts";
import { type Check, type Finding, findings } from "./finding.ts";

const LIMIT_MS = 5_000;

/** What a daemon says of itself; null: none runs, or it can't be asked. */
export interface Running {
  readonly status: StatusJson;
  readonly links: readonly LinkJson[];
}

/** Looks at the daemon's own view; what it says goes to `heard` as well. `file`: what is being looked at. */
export function daemonCheck(
  api: ApiClient,
  file: string | null,
  heard: (running: Running | null) => void,
): Check {
  const about = api.address.socket ?? api.address.origin;
  return {
    check: "daemon",
    about,
    limitMs: LIMIT_MS,
    late: "it stands still: see its log, or start it anew",
    async run(signal) {
      const { ok, fail } = findings("daemon", about);
      signal.addEventListener("abort", () => heard(null));
      try {
        const status = await api.call<StatusJson>("GET", "/v1/status");
        const links = await api.all<LinkJson>("/v1/links");
        heard({ status, links });
        return [
          ok(`runs (${status.version}), ${count(links.length, "link")}`),
          ...stateFindings(status, links, file),
        ];
      } catch (error) {
        heard(null);
        if (error instanceof Unanswered) return [ok("none runs here")];
        return [fail((error as Error).message, "see the daemon's log, or start it anew")];
      }
    },
  };
}

function stateFindings(status: StatusJson, links: readonly LinkJson[], file: string | null): Finding[] {
  const ofFile = findings("config", status.config.file);
  const found: Finding[] = status.config.problems.map(({ severity, line, column, message }) => {
    const seen = `${line}:${column}: ${message}`;
    return severity === "error"
      ? ofFile.fail(`${seen}; the daemon runs on with what it read before`, "mend the file and save it")
      : ofFile.warn(seen, "mend the file and save it");
  });
  if (file !== null && status.config.file !== null && status.config.file !== file) {
    found.push(
      ofFile.warn(`the daemon runs this file, not ${file}`, "name the one you mean with --config FILE"),
    );
  }
  for (const { url, state, lastError } of status.hubs) {
    if (state === "connected") continue;
    found.push(
      findings("session", url).fail(
        `${state}${lastError === null ? "" : `: ${lastError}`}`,
        "see what is said of this hub here",
      ),
    );
  }
  for (const { name, state, lastError } of links) {
    if (state !== "error") continue;
    found.push(
      findings("link", name).fail(lastError ?? "in error", "mend what it says: it is tried again by itself"),
    );
  }
  return found;
}

/** How the state of a daemon is written for people. */
import type { StatusJson } from "./links.ts";
import { oneLine } from "../log.ts";
import { relative, roundTrip, table } from "./print.ts";

/** What it is and what it runs, then what is wrong with its file; a sentence a line. */
export function statusLines(state: StatusJson, now: number): string[] {
  const { version, startedAt, config, links } = state;
  const counts = Object.entries(links).filter(([, n]) => n > 0).map(([word, n]) => `${n} ${word}`).join(", ");
  const up = relative(startedAt, now).replace(" ago", "");
  return [
    `connectd ${version}, up ${up}, links: ${counts || "none"}`,
    `config ${config.file === null ? "none" : oneLine(config.file)}, generation ${config.generation}`,
    ...config.problems.map(({ severity, file, line, column, message }) =>
      oneLine(`  ${severity} ${file}:${line}:${column}: ${message}`)
    ),
  ];
}

/** The hubs it uses. */
export function hubTable({ hubs }: Pick<StatusJson, "hubs">): string {
  const rows = hubs.map(({ url, state, connections, rttMs, lastError }) => [
    url,
    state,
    String(connections),
    roundTrip(rttMs),
    lastError ?? "",
  ]);
  return table(["hub", "state", "connections", "round trip", ""], rows, "no hub");
}

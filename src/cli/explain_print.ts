/** How an explanation is written for people. */
import { oneLine } from "../log.ts";
import { coarse, table } from "./print.ts";
import { paint } from "./terminal.ts";

/** What `POST /v1/explain` answers (interfaces: APIs). */
export interface ExplainJson {
  readonly verdict: "allow" | "deny";
  readonly code: string | null;
  readonly status: number | null;
  readonly rule: {
    readonly key: string;
    readonly text: string | null;
    readonly line: number | null;
    readonly file: string | null;
    readonly source: string | null;
  } | null;
  readonly steps: readonly {
    readonly step: string;
    readonly result: "pass" | "deny" | "skip";
    readonly detail: string;
  }[];
  readonly counters: readonly {
    readonly key: string;
    readonly text: string;
    readonly left: number;
    readonly of: number;
    readonly waitMs: number | null;
  }[];
  readonly link: string;
  readonly from: string;
  readonly shadowed: { readonly code: string; readonly status: number } | null;
}

const MARKS = { pass: "✓", deny: "✗", skip: "–" } as const;
const COLOURS = { "✓": "green", "✗": "red", "–": "dim" } as const;

/** The verdict, the rule where there is one, every step, and the counters. */
export function explainText(told: ExplainJson, colours: boolean): string {
  const steps = told.steps.map(({ step, result, detail }) => [`${MARKS[result]} ${result}`, step, detail]);
  const counters = told.counters.map(({ key, text, left, of, waitMs }) => [
    ...[key, text, `${left} of ${of}`],
    waitMs === null
      ? "when one ends"
      : waitMs === 0
      ? "now"
      : `in ${coarse(Math.ceil(waitMs / 1000) * 1000)}`,
  ]);
  return [
    verdictLine(told),
    ...ruleLines(told),
    "",
    inColour(table(["result", "step", "found"], steps, ""), colours),
    ...(counters.length === 0
      ? []
      : ["", table(["counter", "limit", `left for ${told.from}`, "next"], counters, "")]),
  ].join("\n");
}

function verdictLine({ verdict, code, status, link, shadowed }: ExplainJson): string {
  if (verdict === "deny") return `${link} refuses it: ${status} ${code}`;
  if (shadowed === null) return `${link} lets it through`;
  return `${link} is in shadow and lets it through; it would refuse it: ${shadowed.status} ${shadowed.code}`;
}

function ruleLines({ rule }: ExplainJson): string[] {
  if (rule === null) return [];
  const written = oneLine(`  by ${rule.key} ${rule.text ?? ""}`).trimEnd();
  if (rule.line === null) return [written];
  return [written, oneLine(`  ${rule.file}:${rule.line}: ${rule.source?.trim() ?? ""}`)];
}

/** Colours lines by their marks: cells are as wide as their text only without them. */
function inColour(text: string, colours: boolean): string {
  if (!colours) return text;
  return text.replaceAll(
    /^([✓✗–]) (\S+)/gm,
    (found, mark: keyof typeof COLOURS) => paint(found, COLOURS[mark]),
  );
}

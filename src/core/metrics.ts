/** Figures for Prometheus: families of samples, and their text (exposition format 0.0.4). */

export type Labels = Readonly<Record<string, string>>;

/** One series of a family. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** One metric with all its series. A counter's name ends in `_total`; times are in seconds, sizes in bytes. */
export type Family =
  & { readonly name: string; readonly help: string }
  & (
    | { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
    | { readonly type: "histogram"; readonly samples: readonly { labels: Labels; value: Histogram }[] }
  );

/** How often values came, by bounds. */
export class Histogram {
  /** As many as came up to each bound and above the one before; the last: above all. */
  readonly #counts: number[];
  #sum = 0;

  /** `bounds`: inclusive, the least first. */
  constructor(readonly bounds: readonly number[]) {
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let i = 0;
    while (i < this.bounds.length && value > this.bounds[i]) i++;
    this.#counts[i]++;
    this.#sum += value;
  }

  get sum(): number {
    return this.#sum;
  }

  /** How many came up to each bound, and in all. */
  cumulated(): number[] {
    let all = 0;
    return this.#counts.map((count) => all += count);
  }
}

/** A metric of one series. */
export function single(type: "counter" | "gauge", name: string, help: string, value: number): Family {
  return { type, name, help, samples: [{ labels: {}, value }] };
}

/** The Content-Type of what `printMetrics` returns. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** All of them as text. Throws TypeError for a name or a label that Prometheus would not read. */
export function printMetrics(families: readonly Family[]): string {
  return [...printParts(families)].join("");
}

/** The same in parts of whole lines: whoever has thousands of links lets others have a turn in between. */
export function* printParts(families: readonly Family[]): Generator<string> {
  for (const family of families) {
    const { name, help, type } = family;
    checkName(name);
    yield `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n`;
    if (family.type === "histogram") {
      for (const { labels, value } of family.samples) yield printHistogram(name, printLabels(labels), value);
    } else {
      for (const { labels, value } of family.samples) yield printSample(name, printLabels(labels), value);
    }
  }
}

function printHistogram(name: string, labels: string, histogram: Histogram): string {
  const counts = histogram.cumulated(), all = counts[counts.length - 1];
  const lead = labels === "" ? "" : `${labels},`;
  const buckets = counts.map((count, i) => {
    const bound = i < histogram.bounds.length ? histogram.bounds[i] : Infinity;
    return printSample(`${name}_bucket`, `${lead}le="${printValue(bound)}"`, count);
  });
  return buckets.join("") + printSample(`${name}_sum`, labels, histogram.sum) +
    printSample(`${name}_count`, labels, all);
}

function printSample(name: string, labels: string, value: number): string {
  return `${name}${labels === "" ? "" : `{${labels}}`} ${printValue(value)}\n`;
}

function printLabels(labels: Labels): string {
  let text = "";
  for (const label in labels) {
    checkName(label);
    text += `${text === "" ? "" : ","}${label}="${escape(labels[label])}"`;
  }
  return text;
}

function printValue(value: number): string {
  return value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
}

/** Most texts have nothing in them. */
function escape(text: string): string {
  if (!/[\\\n"]/.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

function checkName(name: string): void {
  if (!NAME.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a metric or a label`);
}

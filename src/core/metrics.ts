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
  return families.map(printFamily).join("");
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

function printFamily(family: Family): string {
  const { name, help, type } = family;
  checkName(name);
  const lines = [
    `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
    `# TYPE ${name} ${type}`,
  ];
  if (family.type === "histogram") {
    for (const { labels, value } of family.samples) lines.push(...printHistogram(name, labels, value));
  } else {
    for (const { labels, value } of family.samples) lines.push(printSample(name, labels, value));
  }
  return lines.join("\n") + "\n";
}

function printHistogram(name: string, labels: Labels, histogram: Histogram): string[] {
  const counts = histogram.cumulated(), all = counts[counts.length - 1];
  const bounds = [...histogram.bounds, Infinity];
  return [
    ...bounds.map((bound, i) =>
      printSample(`${name}_bucket`, { ...labels, le: printValue(bound) }, counts[i])
    ),
    printSample(`${name}_sum`, labels, histogram.sum),
    printSample(`${name}_count`, labels, all),
  ];
}

function printSample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => {
    checkName(label);
    return `${label}="${escape(text)}"`;
  });
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${printValue(value)}`;
}

function printValue(value: number): string {
  return value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function checkName(name: string): void {
  if (!NAME.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a metric or a label`);
}

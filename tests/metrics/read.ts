/** Prometheus text read back, by the rules of its format (exposition 0.0.4) and none of ours. */

export class Metrics {
  /** Name → type. */
  readonly types = new Map<string, string>();
  readonly series: {
    readonly name: string;
    readonly labels: Record<string, string>;
    readonly value: number;
  }[] = [];

  /** Throws where a line is none of the format, stands outside its family, or says a series twice. */
  constructor(text: string) {
    if (!text.endsWith("\n")) throw new Error("the last line has no end");
    let family = "";
    const seen = new Set<string>();
    for (const line of text.slice(0, -1).split("\n")) {
      const help = /^# HELP (\S+) \S/.exec(line),
        type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
      if (help !== null) {
        family = help[1];
        if (seen.has(family)) throw new Error(`${family} comes twice`);
        seen.add(family);
      } else if (type !== null) {
        if (type[1] !== family) throw new Error(`a type without its help: ${line}`);
        this.types.set(family, type[2]);
      } else this.#sample(line, family, seen);
    }
  }

  /** The value of the one series of `name` with at least these labels. Throws where there is none, or several. */
  value(name: string, labels: Record<string, string> = {}): number {
    const found = this.find(name, labels);
    if (found.length !== 1) throw new Error(`${found.length} series of ${name} ${JSON.stringify(labels)}`);
    return found[0].value;
  }

  find(name: string, labels: Record<string, string> = {}) {
    return this.series.filter((one) =>
      one.name === name && Object.entries(labels).every(([label, text]) => one.labels[label] === text)
    );
  }

  #sample(line: string, family: string, seen: Set<string>): void {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{([^]*)\})? (\+Inf|-Inf|NaN|[-+.\deE]+)$/.exec(line);
    if (match === null) throw new Error(`no sample: ${line}`);
    const [, name, inside = "", value] = match;
    if (name.replace(/_(bucket|sum|count)$/, "") !== family && name !== family) {
      throw new Error(`outside its family: ${line}`);
    }
    const labels: Record<string, string> = {};
    const rest = inside.replaceAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/g, (_, label, text) => {
      labels[label] = text.replaceAll(
        /\\(.)/g,
        (_: string, letter: string) => letter === "n" ? "\n" : letter,
      );
      return "";
    });
    if (rest !== "") throw new Error(`labels that can not be read: ${line}`);
    const key = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) throw new Error(`a series twice: ${line}`);
    seen.add(key);
    this.series.push({ name, labels, value: value === "+Inf" ? Infinity : Number(value) });
  }
}

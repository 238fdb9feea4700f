import assert from "node:assert/strict";
import { Histogram, printMetrics, single } from "../../src/core/metrics.ts";
import { Metrics } from "../metrics/read.ts";
import { Random } from "./random.ts";

Deno.test("metrics are printed as Prometheus reads them", () => {
  const times = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) times.observe(value);
  assert.equal(
    printMetrics([
      single("counter", "a_total", "One.", 3),
      { type: "gauge", name: "b", help: "Two.", samples: [{ labels: { x: "1", y: "2" }, value: 0.5 }] },
      { type: "gauge", name: "none", help: "No series.", samples: [] },
      {
        type: "histogram",
        name: "c_seconds",
        help: "Three.",
        samples: [{ labels: { l: "m" }, value: times }],
      },
    ]),
    `# HELP a_total One.
# TYPE a_total counter
a_total 3
# HELP b Two.
# TYPE b gauge
b{x="1",y="2"} 0.5
# HELP none No series.
# TYPE none gauge
# HELP c_seconds Three.
# TYPE c_seconds histogram
c_seconds_bucket{l="m",le="0.1"} 2
c_seconds_bucket{l="m",le="1"} 3
c_seconds_bucket{l="m",le="+Inf"} 4
c_seconds_sum{l="m"} 7.65
c_seconds_count{l="m"} 4
`,
  );
});

Deno.test("whatever a label says, it is one label of one series", () => {
  const random = new Random(7),
    letters = ["a", '"', "\\", "\n", "{", "}", ",", "=", "é", "\u2028", "\r", " "];
  const texts = Array.from(
    { length: 500 },
    (_, i) => `${i}` + Array.from({ length: i % 9 }, () => random.of(letters)).join(""),
  );
  const samples = texts.map((text, value) => ({ labels: { hub: text, b: "b" }, value }));
  const read = new Metrics(printMetrics([{ type: "gauge", name: "g", help: "a\\b\nc", samples }]));
  assert.deepEqual(
    read.series.map(({ labels, value }) => [labels.hub, labels.b, value]),
    texts.map((t, i) => [t, "b", i]),
  );
});

Deno.test("names that Prometheus would not read are not printed", () => {
  for (const name of ["", "1a", "a-b", "a b", "é"]) {
    assert.throws(() => printMetrics([single("gauge", name, "x", 1)]), TypeError, name);
    const samples = [{ labels: { [name]: "x" }, value: 1 }];
    assert.throws(() => printMetrics([{ type: "gauge", name: "a", help: "x", samples }]), TypeError, name);
  }
});

Deno.test("numbers beyond the common are printed as Prometheus reads them", () => {
  for (
    const [value, text] of [[Infinity, "+Inf"], [-Infinity, "-Inf"], [NaN, "NaN"], [1e21, "1e+21"], [
      -0.5,
      "-0.5",
    ]] as const
  ) {
    assert.match(
      printMetrics([single("gauge", "a", "x", value)]),
      new RegExp(`^a ${text.replace("+", "\\+")}$`, "m"),
    );
  }
});

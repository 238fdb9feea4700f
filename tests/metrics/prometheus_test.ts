/** What an operator copies into Prometheus and Grafana reads what daemon and hub really say. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { CODES } from "../../src/core/errors.ts";
import { packaged } from "../e2e/rig.ts";
import { eventually } from "../hub/rig.ts";
import { Metrics } from "./read.ts";
import { MetricsRig } from "./rig.ts";

const config = new URL("../../config/", import.meta.url);
const ALERTS = new URL("alerts.yaml", config), RULES_TEST = new URL("alerts_test.yaml", import.meta.url);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly w: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const rules: readonly Rule[] = parse(Deno.readTextFileSync(ALERTS)).groups
  .flatMap(({ rules }: { rules: Rule[] }) => rules);
const dashboard: {
  readonly panels: Panel[];
  readonly templating: { list: { name: string; query: unknown }[] };
} = JSON.parse(
  Deno.readTextFileSync(new URL("grafana-dashboard.json", config)),
);
const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

const LINKS = `links:
  open: { target: echo, ttl: 1h, max_uses: 100 }
  posts: { target: echo, methods: [POST] }
  shadow: { target: echo, methods: [POST], shadow: true }`;

/** What daemon and hub say once every family of theirs has a series. */
const everything = once(async () => {
  await using rig = await MetricsRig.start(LINKS);
  await rig.visit("open");
  await rig.visit("posts");
  await rig.visit("shadow");
  return await eventually(() => rig.text(), (text) => {
    const read = new Metrics(text);
    return [...read.types.keys()].every((name) => read.series.some((one) => one.name.startsWith(name)));
  });
});

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => made ??= make();
}

const promtool = packaged("promtool", "prometheus");

async function check(args: readonly string[], input = ""): Promise<void> {
  const child = new Deno.Command(promtool!, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, said);
}

Deno.test("every metric and label that dashboard and alerts name is one that daemon and hub give", async () => {
  const read = new Metrics(await everything());
  const given = new Set(read.series.map(({ name }) => name));
  const labels = new Set(read.series.flatMap((one) => Object.keys(one.labels)));
  for (const expr of [...queries, ...rules.map(({ expr }) => expr)]) {
    const names = expr.match(/\b(?:connectd|process)_\w+/g) ?? [];
    assert.ok(names.length > 0 || expr.startsWith("up{"), expr);
    for (const name of names) assert.ok(given.has(name), `${name} in ${expr}`);
    for (const [, label] of expr.matchAll(/[{,] ?(\w+)=~?"/g)) {
      // Prometheus adds these itself.
      assert.ok(labels.has(label) || ["job", "instance"].includes(label), `${label} in ${expr}`);
    }
  }
  const named = [...queries, ...rules.map(({ expr }) => expr)].join("\n");
  const unused = [...read.types.keys()].filter((name) => !named.includes(name));
  assert.deepEqual(unused, [], "each metric is for something");
});

Deno.test("the codes and states that alerts ask for are ones that there are", async () => {
  const read = new Metrics(await everything());
  for (const { expr } of rules) {
    for (const [, name, label, texts] of expr.matchAll(/(\w+)\{(state|code|severity)=~?"([\w|]+)"\}/g)) {
      for (const text of texts.split("|")) {
        const given = label === "code"
          ? Object.hasOwn(CODES, text)
          : read.find(name, { [label]: text }).length > 0;
        assert.ok(given, `${label} ${text} in ${expr}`);
      }
    }
  }
});

Deno.test("each alert says in a sentence what is wrong, and what to do", () => {
  assert.ok(rules.length > 15);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, labels, annotations } of rules) {
    assert.ok(["warning", "critical"].includes(labels.severity), alert);
    assert.match(annotations.summary, /\{\{ \$labels\.instance \}\}/, alert);
    assert.match(annotations.description, /[.?]$/, alert);
  }
});

Deno.test("the dashboard's panels stand within its width, each with a title of its own", () => {
  const { panels } = dashboard;
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const titled = panels.filter(({ type }) => type !== "row");
  assert.equal(new Set(titled.map(({ title }) => title)).size, titled.length);
  for (const { title, gridPos, targets } of titled) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    assert.ok(targets!.length > 0, title);
  }
  const variables = dashboard.templating.list.map(({ name }) => name);
  for (const [, name] of queries.join("\n").matchAll(/\$(\w+)/g)) {
    assert.ok(variables.includes(name) || name === "__rate_interval", name);
  }
});

Deno.test({
  name: "promtool takes what daemon and hub say, and has nothing to say about it",
  ignore: promtool === null,
  async fn() {
    await check(["check", "metrics"], await everything());
  },
});

Deno.test({
  name: "promtool takes the rules, and each fires when it should and is silent when all is well",
  ignore: promtool === null,
  async fn() {
    await check(["check", "rules", ALERTS.pathname]);
    await check(["test", "rules", RULES_TEST.pathname]);
    const tested = Deno.readTextFileSync(RULES_TEST);
    for (const { alert } of rules) assert.ok(tested.includes(`alertname="${alert}"`), alert);
  },
});

Deno.test({
  name: "promtool reads every query of the dashboard",
  ignore: promtool === null,
  async fn() {
    const path = Deno.makeTempFileSync({ suffix: ".yaml" });
    try {
      const asked = queries.map((expr, i) => ({
        record: `query_${i}`,
        expr: expr.replaceAll("$__rate_interval", "5m").replaceAll(/\$\w+/g, ".*"),
      }));
      // JSON is YAML.
      Deno.writeTextFileSync(path, JSON.stringify({ groups: [{ name: "dashboard", rules: asked }] }));
      await check(["check", "rules", path]);
    } finally {
      Deno.removeSync(path);
    }
  },
});

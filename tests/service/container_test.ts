/** config/Dockerfile and config/compose.yaml: every file, flag and path in them is real, and what the image runs, runs. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { VERBS } from "../../src/cli/main.ts";
import { readWords } from "../../src/cli/verb.ts";
import { VERSION } from "../../src/core/version.ts";
import { ask } from "../hub/rig.ts";
import { Rig } from "../e2e/rig.ts";

const root = new URL("../../", import.meta.url).pathname;
const text = Deno.readTextFileSync(`${root}config/Dockerfile`);
const compose = parse(Deno.readTextFileSync(`${root}config/compose.yaml`));

interface Step {
  readonly word: string;
  readonly rest: string;
}

/** Instructions in order: comments left out, lines that go on put together. */
const STEPS: Step[] = text.split("\n").filter((line) => !line.startsWith("#")).join("\n")
  .replaceAll(/\\\n\s*/g, "").split("\n").filter((line) => line !== "")
  .map((line) => ({ word: line.split(" ")[0], rest: line.slice(line.indexOf(" ") + 1) }));

const all = (word: string) => STEPS.filter((step) => step.word === word).map(({ rest }) => rest);
const last = (word: string) => all(word).at(-1)!;

/** The stage that becomes the image. */
const FINAL = STEPS.slice(STEPS.map(({ word }) => word).lastIndexOf("FROM"));

/** The script that is the image's entry, and the words of its `deno run`. */
const [, script] = /printf '(#!\/bin\/sh\\n[^']*)' > \/usr\/local\/bin\/connectd/.exec(text)!;
const RUN = /exec deno (run .*) "\$@"/.exec(script)![1].split(" ");

Deno.test("the image is made of versions that are named, and of files that are there", () => {
  const args = Object.fromEntries(all("ARG").map((arg) => arg.split("=")));
  for (const from of all("FROM")) {
    const image = from.split(" ")[0].replaceAll(/\$\{(\w+)\}/g, (_, name) => args[name]);
    assert.match(image, /^docker\.io\/[a-z]+\/[a-z]+:(?:bin-)?\d+\.\d+(?:\.\d+)?(?:-slim)?$/, image);
  }
  assert.match(args.DENO, new RegExp(`^${Deno.version.deno.split(".").slice(0, 2).join("\\.")}\\.`));
  for (const { word, rest } of STEPS) {
    if (word !== "COPY" || rest.startsWith("--from")) continue;
    for (const source of rest.split(" ").slice(0, -1)) assert.ok(Deno.statSync(root + source), source);
  }
  const stages = all("FROM").map((from) => / AS (\w+)$/.exec(from)?.[1]);
  for (const [, stage] of text.matchAll(/--from=(\w+)/g)) assert.ok(stages.includes(stage), stage);
  assert.equal(compose.services.hub.image, `connectd-hub:${VERSION}`);
});

Deno.test("the image runs as nobody in particular, with no path unscoped, from modules that it has", () => {
  assert.match(last("USER"), /^(?!0\b)\d+:\d+$/);
  assert.ok(
    FINAL.some(({ word, rest }) => word === "RUN" && rest.includes(`--uid ${last("USER").split(":")[0]}`)),
  );
  assert.ok(RUN.includes("--no-prompt") && RUN.includes("--cached-only"));
  assert.ok(
    !RUN.some((flag) => /^(?:-A|--allow-(?:all|run|ffi|sys|import)|--allow-(?:read|write))$/.test(flag)),
  );
  const made = FINAL.map(({ rest }) => rest).join("\n");
  const paths = RUN.flatMap((flag) => /^--allow-(?:read|write)=(.*)/.exec(flag)?.[1].split(",") ?? []);
  for (const path of [...paths, ...all("VOLUME"), last("WORKDIR")]) assert.ok(made.includes(path), path);
  const env = Object.fromEntries(last("ENV").split(" ").map((each) => each.split("=")));
  assert.ok(paths.includes(env.STATE_DIRECTORY) && made.includes(env.DENO_DIR));
  assert.deepEqual(JSON.parse(last("ENTRYPOINT")), ["connectd"]);
});

Deno.test("what is typed in compose.yaml and in the image is understood by the command line", () => {
  const lines = Deno.readTextFileSync(`${root}config/compose.yaml`);
  const typed = [...lines.matchAll(/exec hub connectd (.*)/g)].map(([, words]) => words.split(" "));
  assert.ok(typed.length >= 2);
  for (const [name, ...words] of [JSON.parse(last("CMD")) as string[], ...typed]) {
    const verb = VERBS.find((verb) => verb.name === name);
    assert.ok(verb, name);
    readWords(verb, words);
  }
});

Deno.test("compose.yaml names files, volumes and services that there are, and leaves no right that nobody needs", () => {
  const { services, volumes } = compose;
  const build = new URL(`${services.hub.build.context}/`, new URL("config/", `file://${root}`)).pathname;
  assert.equal(build, root);
  assert.ok(Deno.statSync(build + services.hub.build.dockerfile).isFile);
  const used = new Set<string>();
  for (const service of Object.values<Record<string, unknown>>(services)) {
    for (const volume of service.volumes as string[]) {
      const [from, , mode] = volume.split(":");
      if (from.startsWith("./")) {
        assert.ok(Deno.statSync(`${root}config/${from}`), from);
        assert.equal(mode, "ro", volume);
      } else used.add(from);
    }
    assert.equal(service.read_only, true);
    assert.deepEqual(service.cap_drop, ["ALL"]);
    assert.deepEqual(service.security_opt, ["no-new-privileges:true"]);
    if (service.build === undefined) assert.match(service.image as string, /:\d+\.\d+\.\d+$/);
  }
  assert.deepEqual([...used].sort(), Object.keys(volumes).sort());
  assert.ok(services.hub.volumes.includes(`state:${last("VOLUME")}`));
  assert.equal(services.caddy.network_mode, "service:hub");
  const caddyfile = Deno.readTextFileSync(`${root}config/Caddyfile`);
  for (const name of services.caddy.environment) assert.ok(caddyfile.includes(`{$${name}`), name);
  assert.equal(services.caddy.depends_on.hub.condition, "service_healthy");
  assert.ok(Number.parseInt(services.hub.stop_grace_period) > 30);
});

Deno.test("with the files and the grants of the image a hub starts, is healthy, and is asked by its own command", async () => {
  await using rig = new Rig();
  const image = `${rig.folder}/image`;
  const at = (path: string) =>
    path.replaceAll(/\/(?:opt|etc|var\/lib)\/connectd(?:-hub)?/g, (place) => image + place);
  for (const place of ["/opt/connectd", "/etc/connectd", "/var/lib/connectd-hub"]) {
    Deno.mkdirSync(image + place, { recursive: true });
  }
  for (const { word, rest } of STEPS) {
    if (word !== "COPY" || rest.startsWith("--from")) continue;
    const sources = rest.split(" "), into = sources.pop()!;
    for (const source of sources) {
      const target = into === `./${source}` ? into : `${into}/${source}`;
      const { code } = await rig.spawn("cp", ["-r", root + source, `${image}/opt/connectd/${target}`], {})
        .ended();
      assert.equal(code, 0);
    }
  }
  Deno.writeTextFileSync(`${image}/etc/connectd/hub.yaml`, "version: 1\n");
  const env = { STATE_DIRECTORY: `${image}/var/lib/connectd-hub` };
  const connectd = (words: readonly string[]) =>
    rig.spawn(Deno.execPath(), [...RUN.map(at), ...words.map(at)], env);
  const hub = connectd([...JSON.parse(last("CMD")), "--listen", "127.0.0.1:0", "--json"]);
  const { hub: url } = await hub.ready<{ hub: string }>();
  const port = Number(new URL(url).port);
  const token = await connectd(["token", "create", "--scope", "admin"]).ended();
  assert.match(token.stdout, /^connectd_/);
  assert.equal(
    (await ask(port, "localhost", `GET /v1/links HTTP/1.1\r\nAuthorization: Bearer ${token.stdout.trim()}`))
      .status,
    200,
  );
  const backup = await connectd(["hub", "backup", "/var/lib/connectd-hub/b.db"]).ended();
  assert.equal(backup.code, 0, backup.stderr);

  const [deno, verb, check] = JSON.parse(last("HEALTHCHECK").replace(/^.* CMD /, "")) as string[];
  assert.deepEqual([deno, verb], ["deno", "eval"]);
  const healthy = () => rig.spawn(Deno.execPath(), ["eval", check.replace(":8080", `:${port}`)], {}).ended();
  assert.equal((await healthy()).code, 0);
  assert.equal((await hub.kill("SIGTERM")).code, 0);
  assert.notEqual((await healthy()).code, 0);
});

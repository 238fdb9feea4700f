/** litmus, the test suite of WebDAV servers, finds the same through a link as straight. */
import assert from "node:assert/strict";
import { packaged, Rig } from "../e2e/rig.ts";
import { apache } from "./apache.ts";
import { Links } from "./link.ts";
import { Renamer } from "./renamer.ts";

/** Each suite's tests with what came of them, warnings and all, in order. */
function results(stdout: string): string[] {
  const lines = stdout.split(/[\r\n]+/).map((line) => line.trim());
  return lines.filter((line) => /^(->|<-)|pass|fail|skip|warning/i.test(line));
}

Deno.test("litmus finds in mod_dav through a link what it finds straight", async (t) => {
  const server = packaged("apache2", "apache2"), litmus = packaged("litmus", "litmus");
  if (server === null || litmus === null) return;
  await using rig = new Rig();
  const port = await apache(rig, server);
  const links = await Links.to(rig, port);
  const folder = (name: string) => {
    Deno.mkdirSync(`${rig.folder}/apache/files/${name}`);
    Deno.chmodSync(`${rig.folder}/apache/files/${name}`, 0o777);
    return `/${name}/`;
  };
  const run = async (url: string) => {
    const { stdout, code } = await rig.spawn(litmus, ["-k", url]).ended();
    assert.equal(code, 0, stdout);
    return results(stdout);
  };
  const straight = await run(`http://127.0.0.2:${port}${folder("straight")}`);
  const summaries = straight.filter((line) => line.startsWith("<- summary"));
  assert.equal(summaries.length, 5);
  for (const host of ["target", "public"] as const) {
    await t.step(`host: ${host}`, async () => {
      using renamer = new Renamer(links.door(host).authority, links.pair.port);
      assert.deepEqual(await run(`http://${renamer.authority}${folder(host)}`), straight);
    });
  }
});

/** From a terminal to the page: the one thing that a person does before anything else there. */
import assert from "node:assert/strict";
import { curl, Rig } from "./rig.ts";

Deno.test("`connectd ui` prints a URL that opens the page once; without a daemon it says how to start one", async () => {
  await using rig = new Rig();
  const { state } = await rig.daemon("version: 1\nlinks: { hello: { target: echo } }\n");
  const { code, stdout } = await rig.run(["ui", "--state", state]);
  assert.equal(code, 0);
  const url = stdout.trim();
  assert.match(url, /^http:\/\/connectd\.localhost:\d+\/sign-in\?key=[\w-]{43}$/);
  const first = await curl(url);
  assert.equal(first.status, 303);
  const cookie = /^set-cookie: ([^;]+)/mi.exec(first.head)![1];
  const page = await curl(new URL("/", url).href, "-H", `Cookie: ${cookie}`, "-H", "Accept: text/html");
  assert.match(page.body, /href="\/links\/hello"/);
  assert.equal((await curl(url)).status, 401);

  const json = JSON.parse((await rig.run(["ui", "--state", state, "--json"])).stdout);
  assert.ok(Date.parse(json.expiresAt) - Date.now() <= 60_000);
  const nobody = await rig.run(["ui", "--state", `${rig.folder}/none`]);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /no daemon answers/);
});

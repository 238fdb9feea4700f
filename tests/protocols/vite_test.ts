/** Vite's dev server behind a link, with a real browser in front of it: what is saved is what the page shows. */
import assert from "node:assert/strict";
import { packaged, Rig } from "../e2e/rig.ts";
import { Page } from "./chromium.ts";
import { onBoth, openWays } from "./ways.ts";

const packages = new URL("./packages/", import.meta.url).pathname;

/** A page whose module accepts what it imports anew. */
const FILES = {
  "index.html": `<!doctype html><title>one</title><p></p><script type="module" src="./main.js"></script>\n`,
  "main.js": `import { text } from "./text.js";
const show = (text) => document.querySelector("p").textContent = text;
show(text);
import.meta.hot.on("test:here", () => globalThis.live = true);
import.meta.hot.send("test:are-you-there");
import.meta.hot.accept("./text.js", ({ text }) => show(text));
`,
  "text.js": `export const text = "one";\n`,
};

/** Starts Vite over a folder with such a page for each way; returns its port. */
async function startVite(rig: Rig): Promise<number> {
  Deno.mkdirSync(`${rig.folder}/site`);
  for (const way of ["straight", "through"]) {
    Deno.mkdirSync(`${rig.folder}/site/${way}`);
    for (const [name, text] of Object.entries(FILES)) rig.file(`site/${way}/${name}`, text);
  }
  const program = ["run", "-A", "--no-prompt", "--config", `${packages}deno.json`, `${packages}vite.ts`];
  const vite = rig.spawn(Deno.execPath(), [...program, `${rig.folder}/site`]);
  return (await vite.ready<{ port: number }>()).port;
}

Deno.test("a browser behind a link shows what is saved, as Vite's dev server sends it", async () => {
  const program = packaged("chromium", "chromium");
  if (program === null) return;
  await using rig = new Rig();
  const ways = (await openWays(rig, { vite: await startVite(rig) }))("vite");
  await using page = await Page.open(rig, program);
  await onBoth(ways, async ({ name, host }) => {
    await page.go(`http://${host}/${name}/`);
    await page.until("document.querySelector('p')?.textContent", "one");
    // Its WebSocket is open: what the page asked there was answered.
    await page.until("globalThis.live", true);
    await page.value("globalThis.before = true");
    rig.file(`site/${name}/text.js`, FILES["text.js"].replace("one", "two"));
    await page.until("document.querySelector('p').textContent", "two");
    // The module was replaced; a page that was loaded again would have forgotten this.
    assert.equal(await page.value("globalThis.before"), true);
    rig.file(`site/${name}/index.html`, FILES["index.html"].replace("one", "reloaded"));
    await page.until("document.title", "reloaded");
    await page.until("document.querySelector('p')?.textContent", "two");
    assert.equal(await page.value("globalThis.before ?? null"), null);
  });
});

/** What a link shows beside its text: a code for a phone, and the URL in the clipboard. */
import assert from "node:assert/strict";
import { packaged, Rig } from "../e2e/rig.ts";
import { Terminal } from "./terminal.ts";

const URL_OF_A_LINK = /http:\/\/[a-z2-7]{13}\.localhost:\d+/;

Deno.test("on a terminal --copy fills the clipboard and --qr draws a code in colours of its own", async () => {
  if (packaged("script", "bsdutils") === null) return;
  await using rig = new Rig();
  await using terminal = Terminal.connectd(["link", "echo", "--qr", "--copy"], { cwd: rig.folder });
  const [url] = await terminal.until(URL_OF_A_LINK);
  await terminal.until(/serving until Ctrl-C/);
  assert.ok(terminal.seen.includes(`\x1b]52;c;${btoa(url)}\x07`));
  const drawn = terminal.seen.split(/\r?\n/).filter((line) => line.startsWith("\x1b[97;40m"));
  assert.ok(drawn.length > 10 && drawn.every((line) => line.endsWith("\x1b[0m")));
  await terminal.type("\x03");
  assert.equal(await terminal.ended(), 0);
});

Deno.test("off a terminal --copy says that nothing was copied, and the code has no colours", async () => {
  await using rig = new Rig();
  const link = rig.connectd(["link", "echo", "--qr", "--copy"]);
  await link.until(() => link.stderr.includes("nothing was copied: --copy asks the terminal"));
  const text = await link.until(() => /\n█+\n[^]*█\n/.test(link.stdout) && link.stdout);
  assert.ok(!(text + link.stderr).includes("\x1b"));
  assert.equal((await link.kill("SIGINT")).code, 0);
});

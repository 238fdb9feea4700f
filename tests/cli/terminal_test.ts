import assert from "node:assert/strict";
import { packaged, Rig } from "../e2e/rig.ts";
import { Terminal } from "./terminal.ts";

Deno.test("on a terminal what is waited for is said, and leaves no trace; elsewhere nothing is", async () => {
  if (packaged("script", "bsdutils") === null) return;
  await using rig = new Rig();
  const hub = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  rig.atEnd(() => hub.close());
  const url = `http://127.0.0.1:${hub.addr.port}`;
  const args = ["list", "--hub", url, "--token-file", rig.file("token", "connectd_some_token")];
  await using terminal = Terminal.connectd(args, { cwd: rig.folder });
  await terminal.until(new RegExp(`waiting for ${url} …`));
  (await hub.accept()).close();
  assert.equal(await terminal.ended(), 1);
  const [, after] = terminal.seen.split(`waiting for ${url} …`);
  assert.ok(after.startsWith("\r\x1b[K"));
  assert.match(after.slice(4), /^connectd: nobody answers at .*\r?\n {2}see whether the hub runs/);
  const [run] = await Promise.all([rig.run(args), hub.accept().then((conn) => conn.close())]);
  assert.match(run.stderr, /^connectd: nobody answers at /);
});

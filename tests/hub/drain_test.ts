/** A hub that is asked to end, and the visitors who come meanwhile. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { ask, eventually, HubRig, link, pass } from "./rig.ts";

Deno.test("before a front, a hub that ends says that it is not ready and serves whoever still comes for a second", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock, trustedProxies: ["127.0.0.1/32"] });
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const { port } = rig.hub.address;
  const drained = rig.hub.drain(20_000);
  assert.equal((await ask(port, "localhost", "GET /readyz HTTP/1.1")).status, 503);
  const { status, head } = await rig.visit(id);
  assert.deepEqual([status, /^Connection: close\r?$/im.test(head)], [200, true]);
  await pass(clock, 1_100);
  await eventually(
    () => Deno.connect({ port }).then((conn) => conn.close(), () => "refused"),
    (end) => end === "refused",
  );
  await pass(clock, 1_100);
  await drained;
});

Deno.test("a hub that ends serves the request of a visitor who was connected before, and says close", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const [{ id }] = (await daemon.hello([link("web")])).links;
  using visitor = await Deno.connect({ port: rig.hub.address.port });
  await eventually(() => rig.visit(id), ({ status }) => status === 200);
  const drained = rig.hub.drain(20_000);
  await visitor.write(new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: ${id}.localhost\r\n\r\n`));
  const bytes = new Uint8Array(1_000), n = await visitor.read(bytes);
  assert.match(
    new TextDecoder().decode(bytes.subarray(0, n!)),
    /^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n/,
  );
  visitor.closeWrite();
  await drained;
});

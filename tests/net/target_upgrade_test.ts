import assert from "node:assert/strict";
import { answering, type Heard, type Script, TargetRig } from "./target_rig.ts";

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

function upgradeRig(script: Script): { rig: TargetRig; heard: Heard } {
  const rig = new TargetRig(async (peer, n) => {
    await peer.readHead();
    await script(peer, n);
  });
  return { rig, heard: rig.ask("GET /ws", { upgrade: "websocket" }) };
}

Deno.test("after a 101 octets go as they are, each way, early ones included", async () => {
  const { rig, heard } = upgradeRig(async (peer) => {
    await peer.write(SWITCH + "early");
    assert.equal(await peer.read(4), "\u0000\u0001\u00fe\u00ff");
    await peer.write("HTTP/1.1 200 OK\r\n\r\n");
    await peer.readAll();
  });
  await using _ = rig;
  await heard.until(() => heard.text === "early");
  assert.equal(heard.status, 101);
  heard.send("\u0000\u0001\u00fe\u00ff");
  await heard.until(() => heard.text === "earlyHTTP/1.1 200 OK\r\n\r\n");
  assert.equal(heard.flushedOctets, 4);
  assert.equal(heard.trailers, null);
});

Deno.test("the visitor's direction ends first: the target hears so and says its last", async () => {
  const { rig, heard } = upgradeRig(async (peer) => {
    await peer.write(SWITCH);
    assert.equal(await peer.readAll(), "last words");
    await peer.write("and mine");
  });
  await using _ = rig;
  await heard.until(() => heard.status === 101);
  heard.send("last words");
  heard.request.finish("");
  await heard.over;
  assert.deepEqual([heard.text, heard.trailers, heard.code], ["and mine", "", null]);
});

Deno.test("the target's direction ends first: what the visitor sends still arrives", async () => {
  const got = Promise.withResolvers<string>();
  const { rig, heard } = upgradeRig(async (peer) => {
    await peer.write(SWITCH + "bye");
    await peer.conn.closeWrite();
    got.resolve(await peer.readAll());
  });
  await using _ = rig;
  await heard.over;
  assert.deepEqual([heard.text, heard.code], ["bye", null]);
  heard.send("one more ");
  heard.send("thing");
  heard.request.finish("");
  assert.equal(await got.promise, "one more thing");
  assert.equal(rig.sockets[0].closed, true);
});

Deno.test("an upgraded connection that breaks is no clean end", async () => {
  const { rig, heard } = upgradeRig(async (peer) => {
    await peer.write(SWITCH);
    await peer.read(2);
  });
  await using _ = rig;
  await heard.until(() => heard.status === 101);
  rig.sockets[0].cut(new Deno.errors.ConnectionReset("reset"));
  await heard.over;
  assert.deepEqual([heard.trailers, heard.code], [null, "target_closed"]);
});

Deno.test("a target that reads no more but has said something is heard, and has not ended cleanly", async () => {
  const gate = Promise.withResolvers<void>();
  const { rig, heard } = upgradeRig(async (peer) => {
    await peer.write(SWITCH);
    await gate.promise;
    await peer.write("bye");
  });
  await using _ = rig;
  await heard.until(() => heard.status === 101);
  rig.sockets[0].nextWrite = () => {
    gate.resolve();
    return Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
  };
  heard.send("x");
  await heard.over;
  assert.deepEqual([heard.text, heard.code], ["bye", "target_closed"]);
});

Deno.test("a target that has ended its direction and reads no more is gone", async () => {
  const { rig, heard } = upgradeRig(async (peer) => {
    await peer.write(SWITCH + "bye");
    await peer.conn.closeWrite();
    await peer.readAll();
  });
  await using _ = rig;
  await heard.over;
  rig.sockets[0].nextWrite = () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
  heard.send("x");
  await heard.until(() => heard.code !== null);
  assert.deepEqual([heard.text, heard.code, rig.sockets[0].closed], ["bye", "target_closed", true]);
});

Deno.test("an upgrade has a connection of its own, which comes back only where it was declined", async () => {
  await using rig = new TargetRig(answering("no"));
  await rig.get();
  const heard = rig.ask("GET /ws", { upgrade: "websocket" });
  await heard.over;
  assert.equal(heard.text, "no");
  assert.equal(rig.connections, 2);
  await Promise.all([rig.get(), rig.get()]);
  assert.equal(rig.connections, 2);
});

Deno.test("a 101 to something else than was asked for is bad", async () => {
  const { rig, heard } = upgradeRig(async (peer) => {
    await peer.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    await peer.readAll();
  });
  await using _ = rig;
  await heard.over;
  assert.equal(heard.code, "target_bad_response");
});

Deno.test("no octet is lost where the visitor takes little of what was upgraded", async () => {
  const { rig, heard } = upgradeRig(async (peer) => {
    await peer.write(SWITCH + "0123456789");
  });
  await using _ = rig;
  heard.takes = 4;
  await heard.until(() => heard.octets === 4);
  assert.equal(heard.trailers, null, "its end comes after its last octet");
  heard.takes = Infinity;
  heard.request.resume();
  await heard.over;
  assert.deepEqual([heard.text, heard.trailers], ["0123456789", ""]);
});

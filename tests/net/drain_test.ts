/** Who is connected when a listener stops, as far as he knows, is served. */
import assert from "node:assert/strict";
import { answer, VisitorRig } from "./visitor_rig.ts";

Deno.test("whoever was in the kernel's queue when a listener stopped is served, and those after him are refused", async () => {
  await using rig = new VisitorRig({ handler: (exchange) => answer(exchange, "served") });
  const first = await rig.connect();
  const visitors = [first];
  // Connected by the kernel: nothing of it has been heard here when the listener is stopped.
  const connecting = Array.from({ length: 20 }, () => rig.connect());
  void rig.listener.drain(5_000);
  visitors.push(...await Promise.all(connecting));
  for (const visitor of visitors) {
    await visitor.send("GET / HTTP/1.1\r\nHost: demo.example\r\n\r\n");
    assert.equal((await visitor.answer()).body, "served");
  }
  await assert.rejects(rig.connect());
});

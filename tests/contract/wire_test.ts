/** What every wire promises; each implementation runs the same suite. */
import assert from "node:assert/strict";
import { type Wire, WIRE_HEADROOM } from "../../src/wire/wire.ts";
import { Random } from "../pure/random.ts";
import { Ear, type Pair, sendBytes, WIRES } from "./wires.ts";

const ascii = (text: string) => new TextEncoder().encode(text);
const texts = (ear: Ear) => ear.messages.map((bytes) => new TextDecoder().decode(bytes));
const DONE = { code: "done", message: "the test ends", permanent: false };

for (const maker of WIRES) {
  const promise = (title: string, run: (pair: Pair, a: Wire, b: Wire) => Promise<void>) =>
    Deno.test(`${maker.name}: ${title}`, async () => {
      const pair = await maker.make();
      const [a, b] = pair.ends;
      await run(pair, a, b);
      for (const wire of pair.ends) wire.close(DONE);
      pair.cut?.();
    });

  promise("messages arrive whole and in order, each with its end", async (_pair, a, b) => {
    const ear = new Ear(), back = new Ear();
    a.start(back);
    b.start(ear);
    sendBytes(a, ascii("one"));
    sendBytes(a, ascii("two"));
    sendBytes(b, ascii("back"));
    sendBytes(a, ascii("three".repeat(100)));
    await ear.until(() => ear.messages.length === 3);
    await back.until(() => back.messages.length === 1);
    assert.deepEqual(texts(ear), ["one", "two", "three".repeat(100)]);
    assert.deepEqual(texts(back), ["back"]);
  });

  promise("nothing is lost that came before the reader", async (_pair, a, b) => {
    sendBytes(a, ascii("early"));
    await new Promise((later) => setTimeout(later));
    sendBytes(a, ascii("bird"));
    const ear = new Ear();
    b.start(ear);
    await ear.until(() => ear.messages.length === 2);
    assert.deepEqual(texts(ear), ["early", "bird"]);
  });

  promise("nothing is delivered and nobody is called back within send", async (_pair, a, b) => {
    const ear = new Ear();
    let within = true, drained = 0;
    a.onDrain = () => {
      assert.equal(within, false);
      drained++;
      ear.happened();
    };
    b.start(ear);
    sendBytes(a, new Uint8Array(5000));
    assert.equal(ear.octets, 0);
    within = false;
    await ear.until(() => ear.messages.length === 1);
    await ear.until(() => drained > 0);
  });

  promise(
    "whoever waits for the drain while the wire is busy gets everything through",
    async (_pair, a, b) => {
      const ear = new Ear();
      b.start(ear);
      let left = 200, drains = 0;
      const more = () => {
        while (left > 0 && !a.busy) {
          left--;
          sendBytes(a, new Uint8Array(700).fill(left));
        }
      };
      a.onDrain = () => {
        drains++;
        assert.equal(a.busy, false);
        more();
      };
      more();
      assert.equal(a.busy, true);
      await ear.until(() => ear.messages.length === 200);
      assert.ok(drains > 0);
      assert.deepEqual(
        ear.messages.map((bytes) => bytes[699]),
        Array.from({ length: 200 }, (_, i) => 199 - i),
      );
    },
  );

  promise("bytes of any length go both ways at the same time", async (_pair, a, b) => {
    const random = new Random(5);
    const sent = [a, b].map(() =>
      Array.from({ length: 30 }, () => {
        const length = random.of([1, 2, 125, 126, 127, 4000, 65_535, 65_536, 70_000]);
        return new Uint8Array(length).map(() => random.below(256));
      })
    );
    const ears = [new Ear(), new Ear()];
    a.start(ears[1]);
    b.start(ears[0]);
    for (let i = 0; i < 30; i++) {
      sendBytes(a, sent[0][i]);
      sendBytes(b, sent[1][i]);
    }
    for (const [i, ear] of ears.entries()) {
      await ear.until(() => ear.messages.length === 30);
      assert.ok(ear.messages.every((bytes, k) => bytes.toHex() === sent[i][k].toHex()));
    }
  });

  promise("close sends what was given before and tells the other end why, once", async (_pair, a, b) => {
    const ear = new Ear(), own = new Ear();
    a.start(own);
    b.start(ear);
    sendBytes(a, new Uint8Array(100_000));
    a.close({ code: "replaced", message: "another prócess uses this state", permanent: false });
    a.close(DONE);
    await ear.until(() => ear.closings.length > 0);
    assert.equal(ear.octets, 100_000);
    assert.deepEqual(ear.closings, [{
      code: "replaced",
      message: "another prócess uses this state",
      permanent: false,
    }]);
    sendBytes(a, ascii("after"));
    sendBytes(b, ascii("after"));
    b.close(DONE);
    await new Promise((later) => setTimeout(later));
    assert.equal(ear.messages.length, 1);
    assert.deepEqual([ear.closings.length, own.closings.length, own.messages.length], [1, 0, 0]);
  });

  promise("whether a reason is permanent is the same at both ends", async (_pair, a, b) => {
    const ear = new Ear();
    b.start(ear);
    a.close({ code: "bad_version", message: "", permanent: true });
    await ear.until(() => ear.closings.length > 0);
    assert.deepEqual(ear.closings, [{ code: "bad_version", message: "", permanent: true }]);
  });

  promise("a reader that closes within a delivery hears nothing more", async (_pair, a, b) => {
    const ear = new Ear();
    b.start({
      bytes: (bytes, from, to) => ear.bytes(bytes, from, to),
      boundary() {
        b.close(DONE);
        ear.boundary();
      },
      closed: (reason) => ear.closed(reason),
    });
    const other = new Ear();
    a.start(other);
    sendBytes(a, ascii("one"));
    sendBytes(a, ascii("two"));
    await other.until(() => other.closings.length > 0);
    assert.deepEqual(texts(ear), ["one"]);
    assert.equal(other.closings[0].code, "done");
  });

  promise("a connection that breaks is lost, which is no reason to give up", async ({ cut }, a) => {
    if (cut === null) return;
    const ear = new Ear();
    a.start(ear);
    cut();
    await ear.until(() => ear.closings.length > 0);
    assert.deepEqual([ear.closings[0].code, ear.closings[0].permanent], ["lost", false]);
    assert.equal(ear.closings.length, 1);
  });

  promise("a close that came before the reader is told to it", async (_pair, a, b) => {
    sendBytes(a, ascii("early"));
    a.close({ code: "draining", message: "", permanent: false });
    await new Promise((later) => setTimeout(later));
    const ear = new Ear();
    b.start(ear);
    await ear.until(() => ear.closings.length > 0);
    assert.deepEqual([texts(ear), ear.closings[0].code], [["early"], "draining"]);
  });

  promise("so is a connection that broke before the reader", async ({ cut }, a) => {
    if (cut === null) return;
    cut();
    await new Promise((later) => setTimeout(later));
    const ear = new Ear();
    a.start(ear);
    await ear.until(() => ear.closings.length > 0);
    assert.equal(ear.closings[0].code, "lost");
  });

  promise("what the other end never takes is forgotten, and so is the wire", async (pair, a, b) => {
    sendBytes(a, new Uint8Array(8 * 1024 * 1024));
    a.close(DONE);
    a.destroy();
    a.destroy();
    const ear = new Ear();
    b.start(ear);
    if (pair.cut !== null) await ear.until(() => ear.closings.length > 0);
    assert.equal(ear.messages.length, 0);
    assert.equal(a.busy, false);
  });
}

Deno.test("the headroom is what the longest WebSocket header needs", () => {
  assert.equal(WIRE_HEADROOM, 14);
});

/** Control messages over every wire: whole, in order, and bounded. */
import assert from "node:assert/strict";
import { MORE, Type } from "../../src/core/frame.ts";
import type { Bye } from "../../src/wire/hello.ts";
import { ascii, CARRIERS, Cheat, frame, join, promise, TCP, until } from "./session_rig.ts";

const bye = (message: string): Bye => ({ type: "bye", reason: "draining", message });

promise(
  "messages arrive whole and in order, the largest too, between streams that go on",
  async (sessions) => {
    const { acceptor, dialler } = sessions;
    // Members that nobody asks for are left behind, and count.
    const padded = (octets: number) => {
      const message = { ...bye("é"), padding: "" };
      const rest = new TextEncoder().encode(JSON.stringify(message)).length;
      return { ...message, padding: "p".repeat(octets - rest) };
    };
    const asked = dialler.ask(TCP);
    asked.give(100_000);
    dialler.session.control(bye("first"));
    for (const octets of [65_534, 65_535, 65_536, 131_071, 1024 * 1024]) {
      dialler.session.control(
        padded(octets),
      );
    }
    assert.throws(() => dialler.session.control(padded(1024 * 1024 + 1)), RangeError);
    dialler.session.control({ type: "from_the_future" });
    dialler.session.control(bye("last"));
    await until(() => acceptor.said.length === 7 && acceptor.readers[0]?.ended === "");
    assert.deepEqual(acceptor.said, [bye("first"), ...Array(5).fill(bye("é")), bye("last")]);
    assert.deepEqual(acceptor.closings, []);
  },
);

promise("what is said right before the close is heard before it", async (sessions) => {
  const { acceptor, dialler } = sessions;
  dialler.session.control(bye("going"));
  dialler.session.close("draining", "going");
  await until(() => acceptor.closings.length > 0);
  assert.deepEqual([acceptor.said, acceptor.closings[0].code], [[bye("going")], "draining"]);
});

promise("whether dialling again can help is the same at both ends", async (sessions) => {
  const { acceptor, dialler } = sessions;
  acceptor.session.close("revoked_token", "its token was revoked");
  await until(() => dialler.closings.length > 0);
  assert.deepEqual([acceptor.closings[0].permanent, dialler.closings[0].permanent], [true, true]);
});

for (const { name, make } of CARRIERS) {
  Deno.test(`${name}: a message in the smallest pieces is one message, whatever stands between them`, async () => {
    const cheat = new Cheat(await make());
    const json = ascii(JSON.stringify(bye("ü".repeat(1000))));
    const pieces = [...json].map((octet, i) =>
      frame(Type.CONTROL, 0, Uint8Array.of(i < json.length - 1 ? MORE : 0, octet))
    );
    const between = frame(Type.DRAIN, 0);
    cheat.say(join(pieces.flatMap((piece) => [piece, between])), join(pieces));
    await until(() => cheat.party.said.length === 2);
    assert.deepEqual(cheat.party.said, [bye("ü".repeat(1000)), bye("ü".repeat(1000))]);
    assert.equal(cheat.party.drained, pieces.length);
    cheat.close();
  });
}

Deno.test("a mebibyte in pieces of one octet costs about as much memory as it is long", async () => {
  const cheat = new Cheat(await CARRIERS[0].make());
  const piece = frame(Type.CONTROL, 0, Uint8Array.of(MORE, 0x20));
  const many = join(Array.from({ length: 65_536 }, () => piece));
  const before = Deno.memoryUsage();
  for (let i = 0; i < 16; i++) {
    cheat.say(many);
    await until(() => cheat.pair.ends[0].busy === false);
  }
  const after = Deno.memoryUsage();
  const grown = after.external - before.external + after.heapUsed - before.heapUsed;
  assert.ok(grown < 24 * 1024 * 1024, `${grown} octets`);
  cheat.say(frame(Type.CONTROL, 0, Uint8Array.of(MORE, 0x20)));
  await until(() => cheat.party.closings.length > 0);
  assert.match(cheat.party.closings[0].message, /more than 1048576 octets/);
  cheat.close();
});

/** Detection against real listeners. */
import assert from "node:assert/strict";
import { detectTarget, listens } from "../../src/cli/detect.ts";
import { parseTarget } from "../../src/core/target.ts";

/** Something that listens on a port of the machine's choice and answers whatever comes with `answer`. */
function server(answer: string, hostname = "127.0.0.1") {
  const listener = Deno.listen({ hostname, port: 0 });
  const seen: string[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      const buffer = new Uint8Array(1024);
      const n = await conn.read(buffer).catch(() => null);
      if (n !== null) {
        seen.push(new TextDecoder().decode(buffer.subarray(0, n)));
        await conn.write(new TextEncoder().encode(answer)).catch(() => {});
      }
      conn.close();
    }
  })();
  return {
    port: listener.addr.port,
    seen,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

const HTTP = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("the one server that speaks HTTP is taken, whatever it answers, and others are left alone", async () => {
  await using http = server(HTTP);
  await using mail = server("220 mail.example.com ESMTP\r\n");
  const found = await detectTarget({ ports: [freePort(), mail.port, http.port] });
  assert.equal(found, `localhost:${http.port}`);
  assert.match(http.seen.find((text) => text !== "")!, /^HEAD \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
});

Deno.test("a server on the IPv6 loopback alone is found too", async () => {
  await using http = server(HTTP, "::1");
  assert.equal(await detectTarget({ ports: [http.port] }), `localhost:${http.port}`);
  assert.equal(await listens(parseTarget(`localhost:${http.port}`)), true);
});

Deno.test("none and several are errors that say what to type", async () => {
  await assert.rejects(detectTarget({ ports: [freePort()] }), /no HTTP server/);
  await using one = server(HTTP);
  await using two = server(HTTP);
  const ports = [one.port, two.port];
  await assert.rejects(
    detectTarget({ ports }),
    new RegExp(`several servers listen here: localhost:${one.port}, localhost:${two.port}`),
  );
  assert.equal(await detectTarget({ ports, not: [one.port] }), `localhost:${two.port}`);
});

Deno.test("whether something listens is told for every kind of target, without a word being sent", async () => {
  await using http = server(HTTP);
  const folder = Deno.makeTempDirSync();
  const unix = Deno.listen({ transport: "unix", path: `${folder}/a.sock` });
  try {
    const cases: [string, boolean][] = [
      [`localhost:${http.port}`, true],
      [`https://127.0.0.1:${http.port}`, true],
      [`127.0.0.1:${freePort()}`, false],
      [`unix:${folder}/a.sock`, true],
      [`unix:${folder}/b.sock`, false],
      ["echo", true],
    ];
    for (const [target, expected] of cases) {
      assert.equal(await listens(parseTarget(target)), expected, target);
    }
  } finally {
    unix.close();
    Deno.removeSync(folder, { recursive: true });
  }
  assert.deepEqual(http.seen.filter((text) => text !== ""), []);
});

/** What the verbs make of answers that no daemon and no hub gives. */
import assert from "node:assert/strict";
import { ApiClient, Refused, Unanswered } from "../../src/cli/client.ts";

const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: ";

const STRANGE:
  readonly (readonly [what: string, answer: string, kind: typeof Refused | typeof Unanswered])[] = [
    ["is cut short", `${HEAD}100\r\n\r\n{"items":[`, Unanswered],
    ["is a page", `${HEAD}13\r\n\r\n<html></html>`, Refused],
    ["is a number", `${HEAD}1\r\n\r\n5`, Refused],
    ["is empty", `${HEAD}0\r\n\r\n`, Refused],
    ["is no HTTP", "SSH-2.0-OpenSSH_9.7\r\n", Unanswered],
  ];

for (const [what, answer, kind] of STRANGE) {
  Deno.test(`an answer that ${what} is told as such, and is no list`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const served = (async () => {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode(answer));
    })();
    const { port } = listener.addr as Deno.NetAddr;
    const error = await new ApiClient({ origin: `http://127.0.0.1:${port}` }).all("/v1/links").then(
      () => assert.fail("it was taken"),
      (error) => error,
    );
    assert.ok(error instanceof kind, String(error));
    await served;
  });
}

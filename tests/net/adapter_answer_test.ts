import assert from "node:assert/strict";
import { field, fieldAll } from "../../src/core/http1/types.ts";
import { appRig, request, settle, until } from "./visitor_rig.ts";

const GET = request("GET /");

Deno.test("an answer's fields arrive as they were set, cookies one by one", async () => {
  await using rig = appRig(() =>
    new Response("x", {
      status: 201,
      statusText: "Made",
      headers: [
        ["Set-Cookie", "a=1, b"],
        ["Set-Cookie", "c=2"],
        ["Connection", "close"],
        ["Transfer-Encoding", "gzip"],
        ["X-Latin", "\xe9"],
      ],
    })
  );
  const visitor = await rig.connect();
  const { head, body } = await visitor.ask(GET);
  assert.deepEqual([head.status, head.reason, body], [201, "Made", "x"]);
  assert.deepEqual(fieldAll(head, "set-cookie"), ["a=1, b", "c=2"]);
  assert.equal(field(head, "x-latin"), "\xe9");
  assert.equal(field(head, "connection"), undefined);
  assert.equal(field(head, "transfer-encoding"), undefined);
  assert.equal((await visitor.ask(GET)).status, 201);
});

Deno.test("a length is said where it is known at once, and chunks are sent where it is not", async () => {
  const answers: Record<string, () => Response> = {
    "/text": () => new Response("12345"),
    "/none": () => new Response(),
    "/said": () => new Response(slowly("123", "45"), { headers: { "Content-Length": "5" } }),
    "/slow": () => new Response(slowly("123", "45")),
    "/204": () => new Response(null, { status: 204 }),
    "/304": () => new Response(null, { status: 304 }),
  };
  await using rig = appRig((asked) => answers[new URL(asked.url).pathname]());
  const visitor = await rig.connect();
  const framings: Record<string, (string | undefined)[]> = {};
  for (const target of Object.keys(answers)) {
    const { head, body } = await visitor.ask(request(`GET ${target}`));
    framings[target] = [field(head, "content-length"), field(head, "transfer-encoding"), body];
  }
  assert.deepEqual(framings, {
    "/text": ["5", undefined, "12345"],
    "/none": ["0", undefined, ""],
    "/said": ["5", undefined, "12345"],
    "/slow": [undefined, "chunked", "12345"],
    "/204": [undefined, undefined, ""],
    "/304": [undefined, undefined, ""],
  });
});

Deno.test("HEAD is answered without the body that the app gives", async () => {
  let cancelled = 0;
  const body = () => new ReadableStream({ cancel: () => void cancelled++ });
  await using rig = appRig(() => new Response(body(), { headers: { "Content-Length": "9" } }));
  const visitor = await rig.connect();
  for (let i = 1; i <= 2; i++) {
    assert.equal(field((await visitor.ask(request("HEAD /"))).head, "content-length"), "9");
    assert.equal(cancelled, i);
  }
});

Deno.test("an HTTP/1.0 visitor gets a streamed answer whole", async () => {
  await using rig = appRig(() => new Response(slowly("123", "45")));
  const visitor = await rig.connect();
  await visitor.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  assert.match(await visitor.rest(), /\r\nConnection: close\r\n\r\n12345$/);
});

Deno.test("each event of a stream arrives when it was sent", async () => {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  await using rig = appRig(() => new Response(body, { headers: { "Content-Type": "text/event-stream" } }));
  const visitor = await rig.connect();
  await visitor.send(GET);
  assert.match(await visitor.until("\r\n\r\n"), /^HTTP\/1\.1 200 /);
  for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
    controller.enqueue(new TextEncoder().encode(event));
    assert.equal(await visitor.until(`${event}\r\n`), `9\r\n${event}\r\n`);
  }
});

Deno.test("a stream ends when its visitor leaves, and so does what the app waits for", async () => {
  const cancelled = Promise.withResolvers<void>(), aborted = Promise.withResolvers<void>();
  await using rig = appRig((asked) => {
    asked.signal.addEventListener("abort", () => aborted.resolve());
    return new Response(new ReadableStream({ cancel: () => cancelled.resolve() }));
  });
  const visitor = await rig.connect();
  await visitor.send(GET);
  await visitor.until("\r\n\r\n");
  visitor.leave();
  await Promise.all([cancelled.promise, aborted.promise]);
});

Deno.test("an endless answer to a visitor that takes nothing fills no memory", async () => {
  let pulled = 0;
  const cancelled = Promise.withResolvers<void>();
  await using rig = appRig(() =>
    new Response(
      new ReadableStream({
        pull: (controller) => {
          pulled++;
          controller.enqueue(new Uint8Array(10_000));
        },
        cancel: () => cancelled.resolve(),
      }),
    )
  );
  const visitor = rig.from("192.0.2.1", 1000);
  await visitor.send(GET);
  await settle();
  const before = pulled;
  assert.ok(before < 20, `${before} chunks`);
  await visitor.octets(200_000);
  await settle();
  assert.ok(pulled > before && pulled < before + 40, `${pulled} chunks`);
  visitor.leave();
  await cancelled.promise;
});

Deno.test("a large chunk is written as it is taken", async () => {
  await using rig = appRig(() => new Response("x".repeat(5_000_000)));
  const visitor = rig.from("192.0.2.1", 1000);
  assert.equal((await visitor.ask(GET)).body.length, 5_000_000);
});

const FAILING: Record<string, () => Response | Promise<Response>> = {
  "an app that throws": () => {
    throw new Error("secret");
  },
  "an app that rejects": () => Promise.reject(new Error("secret")),
  "an app that gives no Response": () => "secret" as unknown as Response,
  "a body that fails at once": () =>
    new Response(new ReadableStream({ pull: () => Promise.reject(new Error("secret")) })),
  "a body that was read": () => {
    const response = new Response("secret");
    response.body!.getReader();
    return response;
  },
  "an error response": () => Response.error(),
  "a length that is none": () => new Response("secret", { headers: { "Content-Length": "1, 2" } }),
  "more fields than a head may have": () =>
    new Response("secret", { headers: Array.from({ length: 101 }, (_, i) => [`x-${i}`, "y"]) }),
};

for (const [what, app] of Object.entries(FAILING)) {
  Deno.test(`${what} is a 500 that tells nothing, and the connection goes on`, async () => {
    await using rig = appRig((asked) => asked.url.endsWith("/good") ? new Response("x") : app());
    const visitor = await rig.connect();
    const { status, head, body } = await visitor.ask(GET);
    assert.equal(status, 500);
    assert.equal(field(head, "content-type"), "application/problem+json");
    assert.equal(field(head, "cache-control"), "no-store");
    assert.equal(JSON.parse(body).code, "internal_error");
    assert.equal(JSON.parse(body).requestId, field(head, "x-request-id"));
    assert.doesNotMatch(body, /secret/);
    assert.equal((await visitor.ask(request("GET /good"))).body, "x");
  });
}

Deno.test("an answer that fails in its middle, or is not as long as it says, is cut", async () => {
  const said = { headers: { "Content-Length": "4" } };
  const answers: Record<string, () => Response> = {
    "/fails": () => new Response(failing()),
    "/short": () => new Response(slowly("ab"), said),
    "/long": () => new Response(endless(), said),
    "/text": () =>
      new Response(new ReadableStream<unknown>({ start: (c) => c.enqueue("no octets") }) as ReadableStream),
  };
  await using rig = appRig((asked) => answers[new URL(asked.url).pathname]());
  for (const target of ["/fails", "/short", "/text"]) {
    const visitor = await rig.connect();
    await visitor.send(request(`GET ${target}`));
    await assert.rejects(visitor.answer(), /the connection ended/, target);
  }
  const visitor = await rig.connect();
  await visitor.send(request("GET /long") + request("GET /fails"));
  assert.match(await visitor.rest(), /\r\n\r\n\0{0,4}$/);
  await until(() => rig.listener.busy === 0);
});

/** A stream whose parts come in turns of the loop of their own. */
function slowly(...parts: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: async (controller) => {
      await settle();
      const part = parts.shift();
      if (part === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(part));
    },
  });
}

function failing(): ReadableStream<Uint8Array> {
  let pulled = false;
  return new ReadableStream({
    pull: async (controller) => {
      await settle();
      if (pulled) throw new Error("secret");
      pulled = true;
      controller.enqueue(new Uint8Array(10));
    },
  });
}

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1)) });
}

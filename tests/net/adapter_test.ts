import assert from "node:assert/strict";
import { Hono } from "hono";
import { field, fieldAll } from "../../src/core/http1/types.ts";
import { appRig, request, type TestVisitor, until } from "./visitor_rig.ts";

const GET = request("GET /");

Deno.test("an app gets the request as it came", async () => {
  await using rig = appRig(async (asked) =>
    Response.json({
      method: asked.method,
      url: asked.url,
      twice: asked.headers.get("x-twice"),
      latin: asked.headers.get("x-latin")!.charCodeAt(0),
      body: await asked.text(),
    })
  );
  const visitor = await rig.connect();
  const { status, head, body } = await visitor.ask(
    request("PROPFIND /a%20b//c?d=e&f[]=%2F", [
      "X-Twice: 1",
      "X-Twice: 2",
      "X-Latin: \xe9",
      "Content-Length: 5",
    ], "hello"),
  );
  assert.equal(status, 200);
  assert.equal(field(head, "content-length"), String(body.length));
  assert.match(field(head, "date")!, / GMT$/);
  assert.deepEqual(JSON.parse(body), {
    method: "PROPFIND",
    url: "http://demo.example/a%20b//c?d=e&f[]=%2F",
    twice: "1, 2",
    latin: 0xe9,
    body: "hello",
  });
});

Deno.test("the URL of a visitor that came by https says so", async () => {
  await using rig = appRig((asked) => new Response(asked.url), { secure: true });
  assert.equal((await (await rig.connect()).ask(GET)).body, "https://demo.example/");
});

Deno.test("no target names another host or another path than it is", async () => {
  await using rig = appRig((asked) => new Response(asked.url));
  const visitor = await rig.connect();
  for (
    const target of ["//evil.example/x", "/@evil.example", "/:80/", "/?//x", "/a?", "/;/%2e.a", "/%2f..%2f"]
  ) {
    const { status, body } = await visitor.ask(request(`GET ${target}`));
    assert.deepEqual([status, body], [200, `http://demo.example${target}`]);
  }
  for (const target of ["/\\evil.example", "/a/../b", "/./a", "/a/%2e%2E/b", "/a/..", '/"', "/%2e"]) {
    const { status, body } = await visitor.ask(request(`GET ${target}`));
    assert.deepEqual([status, JSON.parse(body).code], [400, "path_ambiguous"], target);
  }
});

Deno.test("what can be no Request is refused", async () => {
  await using rig = appRig(() => new Response("x"));
  const visitor = await rig.connect();
  assert.equal((await visitor.ask(request("TRACK /"))).status, 400);
  assert.equal((await visitor.ask("GET / HTTP/1.1\r\nHost: 999.1.1.1\r\n\r\n")).status, 400);
  assert.equal((await visitor.ask(request("GET /", ["Content-Length: 3"], "abc"))).body, "x");
  assert.equal((await visitor.ask(GET)).body, "x");
});

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

Deno.test("a 100 is sent when the app asks for the body, and not before", async () => {
  const ask = Promise.withResolvers<void>();
  await using rig = appRig(async (asked) => {
    await ask.promise;
    return new Response(await asked.text());
  });
  const visitor = await rig.connect();
  await visitor.send(request("POST /", ["Content-Length: 2", "Expect: 100-continue"]));
  await until(() => rig.listener.busy === 1);
  const first = visitor.until("\r\n\r\n");
  ask.resolve();
  assert.equal(await first, "HTTP/1.1 100 Continue\r\n\r\n");
  await visitor.send("hi");
  assert.equal((await visitor.answer()).body, "hi");
});

Deno.test("an app that refuses without asking for the body sends no 100", async () => {
  await using rig = appRig(() => new Response("no", { status: 401 }));
  const visitor = await rig.connect();
  await visitor.send(request("POST /", ["Content-Length: 2", "Expect: 100-continue"]));
  const { status, interim, head } = await visitor.answer();
  assert.deepEqual([status, interim, field(head, "connection")], [401, [], "close"]);
  assert.equal(await visitor.rest(), "");
});

Deno.test("a body is read only as far as the app reads it", async () => {
  const go = Promise.withResolvers<void>();
  const total = 1_000_000;
  await using rig = appRig(async (asked) => {
    const reader = asked.body!.getReader();
    let length = (await reader.read()).value!.length;
    await go.promise;
    for (let read = await reader.read(); !read.done; read = await reader.read()) length += read.value.length;
    return new Response(String(length));
  });
  const visitor = rig.from("192.0.2.1", 1024);
  let sent = 0;
  const sending = (async () => {
    await visitor.send(request("POST /", [`Content-Length: ${total}`]));
    for (; sent < total; sent += 1000) await visitor.send("x".repeat(1000));
  })();
  await settle();
  assert.ok(sent < 50_000, `${sent} octets were read`);
  go.resolve();
  await sending;
  assert.equal((await visitor.answer()).body, String(total));
});

Deno.test("an app that cancels the body, or ignores it, still answers", async () => {
  await using rig = appRig(async (asked) => {
    const reader = asked.body!.getReader();
    if (asked.url.endsWith("/cancelled")) {
      await reader.read();
      await reader.cancel();
    }
    return new Response("enough");
  });
  for (const target of ["/ignored", "/cancelled"]) {
    const visitor = await rig.connect();
    const length = 500_000;
    const sent = visitor.send(request(`POST ${target}`, [`Content-Length: ${length}`], "x".repeat(length)));
    assert.equal((await visitor.answer()).body, "enough");
    await sent.catch(() => {});
  }
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

Deno.test("an app that answers a visitor who has left is not kept waiting", async () => {
  const go = Promise.withResolvers<void>(), cancelled = Promise.withResolvers<void>();
  let asked: Request | null = null;
  await using rig = appRig(async (request) => {
    asked = request;
    await assert.rejects(request.text(), { name: "AbortError" });
    await go.promise;
    return new Response(new ReadableStream({ cancel: () => cancelled.resolve() }));
  });
  const visitor = await rig.connect();
  await visitor.send(request("POST /", ["Content-Length: 5"], "ab"));
  await until(() => asked !== null);
  visitor.leave();
  await until(() => asked!.signal.aborted);
  go.resolve();
  await cancelled.promise;
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

Deno.test("a Hono app is served as it is, HEAD and errors of its own included", async () => {
  const app = new Hono();
  app.get("/hello/:name", (context) => context.text(`Hello, ${context.req.param("name")}`));
  app.post("/sum", async (context) => context.json({ sum: (await context.req.json()).reduce(add, 0) }));
  await using rig = appRig((asked) => app.fetch(asked));
  const visitor = await rig.connect();
  assert.equal((await visitor.ask(request("GET /hello/you"))).body, "Hello, you");
  assert.equal((await visitor.ask(request("HEAD /hello/you"))).status, 200);
  const sum = request("POST /sum", ["Content-Type: application/json", "Content-Length: 7"], "[1,2,3]");
  assert.equal((await visitor.ask(sum)).body, `{"sum":6}`);
  assert.equal((await visitor.ask(request("GET /nowhere"))).status, 404);
  await pipelined(visitor);
});

async function pipelined(visitor: TestVisitor): Promise<void> {
  const names = Array.from({ length: 50 }, (_, i) => `n${i}`);
  await visitor.send(names.map((name) => request(`GET /hello/${name}`)).join(""));
  for (const name of names) assert.equal((await visitor.answer()).body, `Hello, ${name}`);
}

function add(a: number, b: number): number {
  return a + b;
}

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

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setTimeout(resolve));
}

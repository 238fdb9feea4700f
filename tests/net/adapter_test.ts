import assert from "node:assert/strict";
import { Hono } from "hono";
import { field } from "../../src/core/http1/types.ts";
import { appRig, request, settle, type TestVisitor, until } from "./visitor_rig.ts";

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

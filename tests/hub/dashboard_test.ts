/** Who gets into the dashboard, and what nobody can make somebody's browser do there. */
import assert from "node:assert/strict";
import { latin1 } from "../../src/core/latin1.ts";
import { Talk } from "../e2e/talk.ts";
import { Browser, field } from "./browser.ts";
import { eventually, HubRig, link } from "./rig.ts";

Deno.test("a token is pasted once: what the browser keeps is another secret, for this host alone, and ends with the token", async () => {
  await using rig = await HubRig.start();
  const token = await rig.token("member");
  const browser = new Browser(rig);
  assert.equal((await browser.get("/")).status, 401);
  const answer = await browser.signIn(token, "/services?a=b");
  assert.equal(field(answer, "location"), "/services?a=b");
  const [, name, secret, rest] = /^(__Host-connectd-\d+)=([\w-]{43}); (.*)$/.exec(
    field(answer, "set-cookie")!,
  )!;
  assert.equal(name, `__Host-connectd-${rig.hub.address.port}`);
  assert.equal(rest, "Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=43200");
  assert.equal(token.includes(secret), false);
  const page = await browser.get("/");
  assert.equal(page.status, 200);
  for (
    const [what, value] of [["content-security-policy", /default-src 'none'/], [
      "cache-control",
      /^no-store$/,
    ]] as const
  ) {
    assert.match(field(page, what)!, value);
  }
  assert.equal(page.body.includes(token) || rig.lines.join().includes(token), false);
  // It opens no API, and the API's credential no page.
  assert.equal(
    (await rig.api("GET", "/v1/links", undefined, undefined, rig.hub.address.port, [
      `Cookie: ${browser.cookie}`,
    ])).status,
    401,
  );
  assert.equal((await new Browser(rig).get("/", [`Authorization: Bearer ${token}`])).status, 401);

  const other = new Browser(rig);
  await other.signIn(token);
  assert.equal(field(await other.post("/sign-out"), "location"), "/sign-in");
  assert.equal((await other.get("/")).status, 401);
  assert.equal((await browser.get("/")).status, 200);
  using talk = await Talk.to(rig.hub.address.port);
  const lines = [
    "GET / HTTP/1.1",
    `Host: ${browser.host}`,
    `Cookie: ${browser.cookie}`,
    "Accept: text/event-stream",
  ];
  await talk.write(`${lines.join("\r\n")}\r\n\r\n`);
  assert.equal((await talk.head())!.fields.get("content-type"), "text/event-stream");
  await rig.hub.tokens.revoke(rig.hub.tokens.identify(`Bearer ${token}`)!.token!, null);
  assert.equal((await browser.get("/")).status, 401);
  // Whoever looks on is shown nothing more: the stream ends, and with it this wait.
  let events = "";
  await talk.body("chunked", (bytes) => void (events += latin1(bytes)));
  assert.match(events, /event: patch/);
});

Deno.test("only the dashboard's own page, at its own name, can make a browser change something", async (t) => {
  await using rig = await HubRig.start();
  const { links: [{ id }] } = await rig.attached().hello([link("one")]);
  const browser = await Browser.signedIn(rig);
  const own = `http://${browser.host}`, port = rig.hub.address.port;
  const rows: [string, readonly string[]][] = [
    ["no Origin", []],
    ["an opaque one", ["Origin: null"]],
    ["a link's page", [`Origin: http://${id}.localhost:${port}`]],
    ["another port", [`Origin: http://hub.localhost:${port + 1}`]],
    ["another scheme", [`Origin: https://hub.localhost:${port}`]],
    ["another name of the hub", [`Origin: http://localhost:${port}`]],
    ["more than it", [`Origin: ${own}.evil.example`]],
    ["a path", [`Origin: ${own}/`]],
    ["two of them", [`Origin: ${own}`, "Origin: http://evil.example"]],
    ["another site, says the browser", [`Origin: ${own}`, "Sec-Fetch-Site: cross-site"]],
    ["the same site, says the browser", [`Origin: ${own}`, "Sec-Fetch-Site: same-site"]],
  ];
  for (const [name, fields] of rows) {
    await t.step(name, async () => {
      const answer = await browser.post(`/links/${id}/revoke`, {}, fields);
      assert.deepEqual([answer.status, /foreign_origin/.test(answer.body)], [403, true]);
      assert.equal(
        (await browser.post("/sign-in", { token: await rig.token("viewer") }, fields)).status,
        403,
      );
    });
  }
  assert.equal((await rig.api("GET", `/v1/links/${id}`, await rig.token("viewer"))).json.state, "active");
  // A link's page can make the browser send the cookie: it is not taken for a person's wish, even to look.
  for (const site of ["same-site", "cross-site"]) {
    assert.equal((await browser.get("/", [`Sec-Fetch-Site: ${site}`])).status, 401);
  }
  assert.equal((await browser.post(`/links/${id}/revoke`)).status, 303);
});

Deno.test("a name that leads here without being the hub's shows nothing; another of its own leads to the dashboard's", async () => {
  await using rig = await HubRig.start();
  const { port } = rig.hub.address;
  for (
    const host of ["evil.example", "a.b.localhost", `evil.example:${port}`, "hub.localhost.evil.example"]
  ) {
    const answer = await new Browser(rig, host).get("/");
    assert.deepEqual([answer.status, /link_unknown/.test(answer.body)], [404, true], host);
  }
  for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
    const answer = await new Browser(rig, `${host}:${port}`).get("/services?x=1");
    assert.deepEqual([answer.status, field(answer, "location")], [
      302,
      `http://hub.localhost:${port}/services?x=1`,
    ]);
    assert.equal((await new Browser(rig, `${host}:${port}`).post("/sign-in", {})).status, 421);
  }
});

Deno.test("by plain http at a public host nobody is let in, and the page says why; behind a proxy that ends TLS everybody is", async () => {
  await using rig = await HubRig.start({
    publicUrl: "https://hub.example.com",
    domain: "links.example.com",
    trustedProxies: ["127.0.0.2"],
  });
  const token = await rig.token("viewer");
  const plain = new Browser(rig, "hub.example.com");
  const claimed = ["X-Forwarded-Proto: https", "Origin: https://hub.example.com"];
  for (const answer of [await plain.get("/"), await plain.post("/sign-in", { token }, claimed)]) {
    assert.deepEqual([answer.status, /plain_http|plain http/.test(answer.body)], [403, true]);
    assert.match(answer.body, /trusted_proxies/);
    assert.equal(field(answer, "set-cookie"), undefined);
  }
  await using near = await HubRig.start({
    publicUrl: "https://hub.example.com",
    domain: "links.example.com",
    trustedProxies: ["127.0.0.1"],
  });
  const secure = new Browser(near, "hub.example.com");
  const answer = await secure.post("/sign-in", { token: await near.token("viewer") }, claimed);
  assert.deepEqual([answer.status, /^__Host-connectd-443=/.test(field(answer, "set-cookie") ?? "")], [
    303,
    true,
  ]);
});

Deno.test("who signs in with one token over and over pushes out their own sessions, and nobody else's", async () => {
  await using rig = await HubRig.start();
  const other = await Browser.signedIn(rig);
  const token = await rig.token("viewer");
  const first = new Browser(rig), last = new Browser(rig);
  await first.signIn(token);
  for (let i = 0; i < 64; i++) await last.signIn(token);
  assert.deepEqual(
    await Promise.all([first, last, other].map(async (browser) => (await browser.get("/")).status)),
    [401, 200, 200],
  );
});

Deno.test("one token keeps 16 pages up to date at a time, and one that is left makes room", async () => {
  await using rig = await HubRig.start();
  const browser = await Browser.signedIn(rig, "viewer");
  const other = await Browser.signedIn(rig, "viewer");
  const look = async ({ host, cookie }: Browser) => {
    const talk = await Talk.to(rig.hub.address.port);
    const lines = [
      "GET /services HTTP/1.1",
      `Host: ${host}`,
      `Cookie: ${cookie}`,
      "Accept: text/event-stream",
    ];
    await talk.write(`${lines.join("\r\n")}\r\n\r\n`);
    const status = Number((await talk.head())!.first.split(" ")[1]);
    return { status, [Symbol.dispose]: () => talk.close() };
  };
  using open = new DisposableStack();
  const first = open.use(await look(browser));
  for (let i = 1; i < 16; i++) assert.equal(open.use(await look(browser)).status, 200);
  assert.equal(open.use(await look(browser)).status, 429);
  assert.equal(open.use(await look(other)).status, 200);
  first[Symbol.dispose]();
  await eventually(async () => open.use(await look(browser)).status, (status) => status === 200);
});

Deno.test("a hub says how its first token is made, and one within a daemon where that daemon's page is", async () => {
  await using rig = await HubRig.start();
  assert.match((await new Browser(rig).get("/sign-in")).body, /connectd token create --scope admin/);
  await using within = await HubRig.start({ state: null });
  assert.match((await new Browser(within).get("/")).body, /connectd ui/);
});

Deno.test("a form leads to no other site", async () => {
  await using rig = await HubRig.start();
  const token = await rig.token("viewer");
  for (
    const next of [
      "//evil.example",
      "https://evil.example/",
      "/\\evil.example",
      "javascript:alert(1)",
      "\t//evil.example",
    ]
  ) {
    const answer = await new Browser(rig).signIn(token, next);
    assert.equal(field(answer, "location"), "/", next);
  }
});

Deno.test("wrong tokens are slowed by their address, and a right one gets in all the same", async () => {
  await using rig = await HubRig.start();
  const browser = new Browser(rig);
  const token = await rig.token("viewer");
  const wrong = `${token.slice(0, -4)}aaaa`;
  const statuses = [];
  for (let i = 0; i < 31; i++) statuses.push((await browser.signIn(wrong)).status);
  assert.deepEqual([statuses[0], statuses[29], statuses[30]], [401, 401, 429]);
  assert.equal((await browser.signIn(await rig.token("metrics"))).status, 403);
  assert.equal((await browser.signIn(token)).status, 303);
});

Deno.test("whoever may only look is shown no form, and refused where one is sent", async (t) => {
  await using rig = await HubRig.start();
  const { links: [{ id }] } = await rig.attached().hello([link("one")]);
  const browser = await Browser.signedIn(rig, "viewer");
  for (
    const path of [
      "/",
      `/links/${id}`,
      `/links/${id}/requests`,
      "/services",
      "/shares",
      "/audit",
      "/settings",
    ]
  ) {
    const { status, body } = await browser.get(path);
    assert.equal(status, 200, path);
    const forms = [...body.matchAll(/<form method="post" action="([^"]*)"/g)].map(([, action]) => action);
    assert.deepEqual(forms, ["/sign-out"], path);
    assert.equal(body.includes('href="/new'), false, path);
  }
  for (const path of ["/tokens", "/new", "/revoke", "/device", `/links/${id}/edit`]) {
    assert.equal((await browser.get(path)).status, 403, path);
  }
  const posts = [
    ...["/new", "/revoke", "/shares", "/tokens", "/device/approve", "/device/deny"],
    ...[`/links/${id}/revoke`, `/links/${id}/renew`, `/links/${id}/edit`],
    ...["/tokens/x/revoke", "/shares/x/end", "/shares/x/approve"],
  ];
  for (const path of posts) {
    await t.step(path, async () => assert.equal((await browser.post(path, { scope: "admin" })).status, 403));
  }
  assert.equal(rig.hub.tokens.list(null).length, 1);
});

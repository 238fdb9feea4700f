/** What the pages of the dashboard show, and to whom. */
import assert from "node:assert/strict";
import { Browser, field } from "./browser.ts";
import { eventually, HubRig, link } from "./rig.ts";

Deno.test("nothing of another workspace is shown, found or changed", async () => {
  await using rig = await HubRig.start();
  const { links: [{ id }] } = await rig.attached({ workspace: "acme" }).hello([link("secretly")]);
  const browser = await Browser.signedIn(rig, "admin", "other");
  for (const path of ["/", "/services", "/shares", "/tokens", "/audit", "/settings", "/?q=secretly"]) {
    const { body } = await browser.get(path);
    assert.equal(
      body.replaceAll("q=secretly", "").includes(id) || /secretly(?!" data-filter)/.test(body),
      false,
      path,
    );
  }
  for (const path of [`/links/${id}`, `/links/${id}/requests`, `/links/${id}/edit`]) {
    assert.equal((await browser.get(path)).status, 404, path);
  }
  for (const act of ["revoke", "renew", "edit"]) {
    assert.equal((await browser.post(`/links/${id}/${act}`)).status, 404, act);
  }
  assert.equal(field(await browser.get(`/go?to=${id}`), "location"), `/?q=${id}`);
});

Deno.test("several links are revoked at once, after a look at what that cuts; others' are left alone", async () => {
  await using rig = await HubRig.start();
  const { links } = await rig.attached().hello([link("one"), link("two"), link("three")]);
  const { links: [other] } = await rig.attached({ workspace: "acme", daemon: "d-2" }).hello([link("theirs")]);
  const browser = await Browser.signedIn(rig, "member");
  const query = `id=${links[0].id}&id=${links[1].id}&id=${other.id}&id=${links[0].id}`;
  const { body } = await browser.get(`/revoke?${query}`);
  assert.match(body, /Revoke 2 links/);
  assert.equal(body.includes(other.id), false);
  assert.equal(field(await browser.get("/revoke"), "location"), "/");
  assert.equal(field(await browser.post("/revoke", query), "location"), "/?state=revoked");
  const states = await Promise.all([...links, other].map(async ({ id }) => (await rig.visit(id)).status));
  assert.deepEqual(states, [410, 410, 200, 200]);
});

Deno.test("the settings say what the workspace has, and may have", async () => {
  const each = {
    links: 10,
    sessions: null,
    streams: null,
    requests: { count: 6000, perMs: 60_000, burst: 6000, perIp: false },
  };
  await using rig = await HubRig.start({ workspaces: { each, named: new Map([["acme", { links: null }]]) } });
  await rig.attached().hello([link("one"), link("two")]);
  const { body } = await (await Browser.signedIn(rig, "viewer")).get("/settings");
  assert.match(body, /2 of at most 10.*1, no limit.*at most 6000\/m/);
  assert.match(
    (await (await Browser.signedIn(rig, "viewer", "acme")).get("/settings")).body,
    /<dd>0, no limit/,
  );
});

Deno.test("what strangers say of themselves is text on a page, whatever it is", async () => {
  await using rig = await HubRig.start();
  const evil = `"><img src=x onerror=alert(1)><script>alert(2)</script>'`;
  const token = await rig.token("daemon");
  const daemon = await rig.dialled(token, { daemon: "d-1", software: evil });
  const { links: [{ id }] } = await daemon.hello([link("one")]);
  await rig.visit(id, `GET /${encodeURIComponent("<")}<script>?${"x".repeat(9)} HTTP/1.1`);
  await rig.api("POST", "/v1/device", undefined, {}, rig.hub.address.port, [
    `User-Agent: ${evil}`,
    "Content-Type: application/json",
  ]);
  const { json: { userCode } } = await rig.api("POST", "/v1/device", undefined, {}, rig.hub.address.port, [
    `User-Agent: ${evil}`,
    "Content-Type: application/json",
  ]);
  const browser = await Browser.signedIn(rig);
  const query = encodeURIComponent(evil);
  const paths = [
    ...["/", `/?q=${query}&sort=${query}&state=${query}`, `/?after=${query}`, `/go?to=${query}`, "/services"],
    ...[
      `/links/${id}`,
      `/links/${id}/requests`,
      `/links/${query}`,
      `/device?code=${userCode}`,
      `/device?code=${query}`,
    ],
    ...[`/new?service=${query}`, `/shares?made=${query}`, `/tokens?made=${query}`, `/audit?type=${query}`],
  ];
  for (const path of paths) {
    const { body, status } = await browser.get(path);
    assert.ok(status < 500, path);
    assert.equal(/<img|<script>alert|onerror=alert\(1\)>/.test(body), false, path);
  }
});

Deno.test("a page of links that are all busy weighs less than 60 KiB", async () => {
  await using rig = await HubRig.start();
  const names = Array.from({ length: 100 }, (_, i) => `a-link-with-a-name-${String(i).padStart(3, "0")}`);
  const policy = { methods: ["GET", "POST"], paths: ["/webhooks/stripe", "/health"], maxStreams: 100 };
  const { links } = await rig.attached().hello(
    names.map((name) => link(name, { policy, expiresAt: Date.now() + 1e9 })),
  );
  await Promise.all(links.map(({ id }: { id: string }) => rig.visit(id, "GET /health HTTP/1.1")));
  const browser = await Browser.signedIn(rig);
  const { body } = await eventually(() => browser.get("/"), ({ body }) => body.includes("<svg"));
  assert.ok(body.length < 60 * 1024, `${body.length} bytes`);
  assert.match(body, /after=a-link-with-a-name-034/);
});

Deno.test("a link is gone to by its name, its id or its URL, and found by a part of them; another workspace's is not", async () => {
  await using rig = await HubRig.start();
  const { links } = await rig.attached().hello([link("shop"), link("shop-two"), link("api")]);
  const [shop, two] = links.map(({ id }: { id: string }) => id);
  await rig.attached({ workspace: "other" }).hello([link("shopping")]);
  const browser = await Browser.signedIn(rig, "viewer"), { port } = rig.hub.address;
  const rows: [to: string, leads: string][] = [
    ["shop", `/links/${shop}`],
    [" SHOP ", `/links/${shop}`],
    [shop, `/links/${shop}`],
    [`http://${shop}.localhost:${port}/any/path?x=1`, `/links/${shop}`],
    [`${shop}.localhost`, `/links/${shop}`],
    ["p-t", `/links/${two}`],
    ["sho", "/?q=sho"],
    ["shopping", "/?q=shopping"],
    ["//evil.example/", "/?q=%2F%2Fevil.example%2F"],
  ];
  for (const [to, leads] of rows) {
    const answer = await browser.get(`/go?to=${encodeURIComponent(to)}`);
    assert.equal(field(answer, "location"), leads, to);
  }
  const found = async (to: string) => {
    const { status, body } = await browser.get(`/found?to=${encodeURIComponent(to)}`);
    assert.equal(status, 200);
    return [...body.matchAll(/href="([^"]*)"/g)].map(([, href]) => href);
  };
  assert.deepEqual(await found("sho"), [`/links/${shop}`, `/links/${two}`]);
  assert.deepEqual(await found(`http://${two}.localhost:${port}/`), [`/links/${two}`]);
  assert.deepEqual(await found("shopping"), []);
  assert.equal((await browser.get("/found?to=<b>")).body.includes("<b>"), false);
  assert.equal((await new Browser(rig).get("/found?to=sho")).status, 401);
});

Deno.test("the script of the pages has a URL of its own that browsers keep, and no answer of the API passes for one", async () => {
  await using rig = await HubRig.start();
  const { body } = await new Browser(rig).get("/sign-in");
  const [, path] = /<script src="([^"]*)" defer=""><\/script>/.exec(body)!;
  const script = await new Browser(rig).get(path);
  assert.deepEqual(
    [script.status, field(script, "content-type"), field(script, "cache-control")],
    [200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
  );
  const browser = await Browser.signedIn(rig);
  for (const answer of [await browser.get("/healthz"), await browser.get("/v1/links", ["Accept: */*"])]) {
    assert.match(field(answer, "content-type")!, /json/);
    assert.equal(field(answer, "x-content-type-options"), "nosniff");
    assert.equal(field(answer, "cache-control"), "no-store");
  }
});

/** Who gets to the local page, and what a session lets them do. */
import assert from "node:assert/strict";
import { fieldOf, PageRig } from "./page_rig.ts";

const LINKS = "links:\n  web: { target: echo }";

Deno.test("a one-time URL opens one session, leaves its key behind, and is used up", async () => {
  await using page = await PageRig.start(LINKS);
  const path = await page.invitation();
  assert.match(path, /^\/sign-in\?key=[\w-]{43}$/);
  const { status, ...answer } = await page.ask("GET", path);
  assert.equal(status, 303);
  const first = { ...answer, status };
  assert.equal(fieldOf(first, "location"), "/");
  assert.equal(fieldOf(first, "referrer-policy"), "no-referrer");
  assert.match(
    fieldOf(first, "set-cookie")!,
    new RegExp(
      `^__Host-connectd-${page.port}=[\\w-]{43}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=43200$`,
    ),
  );
  const again = await page.ask("GET", path);
  assert.equal(again.status, 401);
  assert.match(again.body, /used up/);
  assert.equal(fieldOf(again, "set-cookie"), undefined);
});

Deno.test("a key is good for a minute, and looking at its URL does not use it up", async () => {
  await using page = await PageRig.start(LINKS);
  const [early, late] = [await page.invitation(), await page.invitation()];
  assert.equal((await page.ask("HEAD", early)).status, 401);
  await page.rig.pass(59_000);
  assert.equal((await page.ask("GET", early)).status, 303);
  await page.rig.pass(2_000);
  assert.equal((await page.ask("GET", late)).status, 401);
});

Deno.test("a session gives what the token gives, for 12 hours, to this name only", async () => {
  await using page = await PageRig.start(LINKS);
  await page.signIn();
  assert.equal((await page.ask("GET", "/")).status, 200);
  assert.equal((await page.ask("GET", "/v1/links")).status, 200);
  for (const host of [`127.0.0.1:${page.port}`, `localhost:${page.port}`]) {
    assert.equal((await page.ask("GET", "/", [], host)).status, 401, host);
    assert.equal((await page.ask("GET", await page.invitation(), [], host)).status, 421, host);
  }
  page.rig.clock.jump(12 * 3600_000 - 1000);
  assert.equal((await page.ask("GET", "/")).status, 200);
  page.rig.clock.jump(1000);
  assert.equal((await page.ask("GET", "/")).status, 401);
});

Deno.test("who signs out is out", async () => {
  await using page = await PageRig.start(LINKS);
  await page.signIn();
  const out = await page.post("/sign-out");
  assert.equal(out.status, 303);
  assert.match(fieldOf(out, "set-cookie")!, /; Max-Age=0$/);
  assert.equal((await page.ask("GET", "/")).status, 401);
});

const CALLS: readonly [what: string, fields: (host: string) => string[], status: number][] = [
  ["a form of another origin", () => ["Origin: http://evil.example"], 403],
  ["a form of another port of this name", () => ["Origin: http://connectd.localhost:1"], 403],
  ["a form that hides where it is from", () => ["Origin: null"], 403],
  ["a form that does not say where it is from", () => [], 403],
  [
    "a page of another port of this name",
    (host) => [`Origin: http://${host}`, "Sec-Fetch-Site: same-site"],
    401,
  ],
  ["a page of another site", (host) => [`Origin: http://${host}`, "Sec-Fetch-Site: cross-site"], 401],
  ["our own form", (host) => [`Origin: http://${host}`, "Sec-Fetch-Site: same-origin"], 303],
];

Deno.test("nobody's page but ours changes anything with the cookie that a browser sends along", async (t) => {
  await using page = await PageRig.start(LINKS);
  await page.signIn();
  for (const [what, fields, status] of CALLS) {
    await t.step(what, async () => {
      assert.equal((await page.ask("POST", "/links/web/revoke", fields(page.host))).status, status);
      assert.equal(page.rig.link("web").state, status === 303 ? "revoked" : "active");
    });
  }
});

Deno.test("a session opens no other session, and a wrong token is not made good by a cookie", async () => {
  await using page = await PageRig.start(LINKS);
  await page.signIn();
  const origin = `Origin: http://${page.host}`;
  assert.equal((await page.ask("POST", "/v1/sign-in", [origin])).status, 403);
  assert.equal((await page.ask("GET", "/", ["Authorization: Bearer wrong"])).status, 401);
  assert.equal((await page.rig.tcp("POST", "/v1/sign-in")).status, 201);
});

Deno.test("who is not signed in gets a page that says how, a program its problem document", async () => {
  await using page = await PageRig.start(LINKS);
  const person = await page.ask("GET", "/");
  assert.equal(person.status, 401);
  assert.match(person.body, /connectd ui/);
  assert.equal(person.body.includes("Sign out"), false);
  const program = await page.rig.tcp("GET", "/", { fields: [] });
  assert.equal((program.json as { code: string }).code, "unauthorized");
  const api = await page.ask("GET", "/v1/links");
  assert.equal((api.json as { code: string }).code, "unauthorized");
});

Deno.test("33 keys are more than a person needs: the first is no good any more", async () => {
  await using page = await PageRig.start(LINKS);
  const first = await page.invitation();
  for (let i = 0; i < 31; i++) await page.invitation();
  const last = await page.invitation();
  assert.equal((await page.ask("GET", first)).status, 401);
  assert.equal((await page.ask("GET", last)).status, 303);
});

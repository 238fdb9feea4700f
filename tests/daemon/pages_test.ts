/** The local page as it is sent: what it says, what it weighs, and that nothing in it is anybody else's. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Random } from "../pure/random.ts";
import { fieldOf, PageRig } from "./page_rig.ts";

const LINKS = `links:
  web: { target: echo, inspect: bodies, rate: 1000/m burst 900, paths: [/, "= /x"], ttl: 24h }
  slow: { target: echo, rate: 1/h }`;

/** A visitor's request, answered; returns its id. */
async function visit({ rig }: PageRig, link: string, line: string, fields: string[] = [], body = "") {
  const requestId = `v${Math.floor(visits++)}`;
  const asked = rig.hub.ask(rig.hub.id(link), line, { fields, last: body === "", requestId });
  if (body !== "") {
    await asked.send(body);
    asked.stream.end("");
  }
  await asked.over;
  return requestId;
}
let visits = 1;

async function signedIn(yaml: string | null): Promise<PageRig> {
  const page = await PageRig.start(yaml);
  await page.signIn();
  return page;
}

Deno.test("every page loads nothing, frames nowhere, is not kept, and weighs less than 60 KiB", async (t) => {
  await using page = await signedIn(LINKS);
  for (let i = 0; i < 120; i++) {
    await visit(page, "web", `GET /some/longer/path/of/an/api/${i}?with=a-query-of-some-length`);
  }
  const id = await visit(page, "web", "POST /hook", ["Content-Length: 17"], `{"event": "paid"}`);
  const paths = ["/", "/new", "/links/web", "/requests", `/requests/${id}`, `/requests/${id}/edit`];
  const more = [`/requests/${id}/beside`, "/plan", "/audit", "/audit?verify=1", "/nothing", "/links/none"];
  for (const path of [...paths, ...more]) {
    await t.step(path, async () => {
      const answer = await page.ask("GET", path);
      assert.equal(answer.status, ["/nothing", "/links/none"].includes(path) ? 404 : 200);
      const csp = fieldOf(answer, "content-security-policy")!;
      assert.match(
        csp,
        /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'self'; img-src data:/,
      );
      for (const [, members, text] of answer.body.matchAll(/<script([^>]*)>([^<]*)/g)) {
        assert.match(members, /^ src="\/pages-[0-9a-f]{16}\.js" defer=""$/);
        assert.equal(text, "");
      }
      assert.match(csp, /; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/);
      assert.equal(fieldOf(answer, "cache-control"), "no-store");
      assert.equal(fieldOf(answer, "x-content-type-options"), "nosniff");
      assert.equal(fieldOf(answer, "referrer-policy"), "same-origin");
      const weight = Buffer.byteLength(answer.body);
      assert.ok(weight < 60 * 1024, `${weight} octets`);
      // Everything that could be asked for is asked of this origin.
      for (const [, url] of answer.body.matchAll(/(?:src|action)="([^"]*)"/g)) assert.match(url, /^\/(?!\/)/);
    });
  }
});

Deno.test("the file's mistakes stand on the page with source line and caret until a good file is applied", async () => {
  await using page = await signedIn(LINKS);
  page.rig.write("links:\n  web: { target: echo, method: [GET] }");
  assert.equal((await page.post("/plan")).status, 303);
  for (const path of ["/", "/plan"]) {
    const { body } = await page.ask("GET", path);
    assert.match(body, /links\.yaml:3:24: error: &quot;method&quot; is no key here \[unknown_key\]/);
    assert.match(body, / {25}\^\n {2}did you mean &quot;methods&quot;\?/);
  }
  page.rig.write("links:\n  web: { target: echo, methods: [GET] }");
  assert.match((await page.ask("GET", "/plan")).body, /~ web [^\n]*methods none → GET/);
  await page.post("/plan");
  assert.equal((await page.ask("GET", "/")).body.includes("unknown_key"), false);
});

Deno.test("a link is made, renewed and revoked by forms, and what can not be is said beside the form", async () => {
  await using page = await signedIn(null);
  assert.match((await page.ask("GET", "/")).body, /connectd link localhost:3000/);
  const wrong = await page.post("/new", { target: "echo", name: "try", methods: "GET post", paths: "api" });
  assert.equal(wrong.status, 422);
  assert.match(wrong.body, /paths/);
  assert.match(wrong.body, /value="try"/);
  const made = await page.post("/new", {
    target: "echo",
    name: "try",
    methods: "get, post",
    paths: "/api",
    ttl: "1h",
  });
  assert.equal(fieldOf(made, "location"), "/links/try");
  assert.deepEqual(page.rig.link("try").policy.methods, ["GET", "POST"]);
  const shown = await page.ask("GET", "/links/try");
  assert.match(shown.body, /Only GET \(and HEAD\) or POST\./);
  assert.equal(fieldOf(await page.post("/links/try/revoke"), "location"), "/links/try");
  assert.equal(page.rig.link("try").state, "revoked");
  const trail = await page.ask("GET", "/audit?verify=1&type=link.revoked&link=try");
  assert.match(trail.body, /link\.revoked<\/th>.*>try<\/td>.*>page<\/td>/);
  assert.match(trail.body, /● All of \d+ records stand as they were written\./);
  assert.equal((await page.post("/links/try/renew", { ttl: "soon" })).status, 422);
  assert.equal((await page.post("/links/try/renew", { ttl: "2h" })).status, 303);
  assert.equal(page.rig.link("try").state, "active");
});

Deno.test("a link's page says all that its entry asks for, and no value that is a secret", async () => {
  const headers =
    "{ request: { set: { X-Key: a-secret }, remove: [Cookie] }, response: { remove: [Server] } }";
  await using page = await signedIn(
    `links:\n  web: { target: echo, max_uses: 3, hold: 10s, headers: ${headers} }`,
  );
  await visit(page, "web", "GET /");
  const { body } = await page.ask("GET", "/links/web");
  for (
    const words of [
      "2 of 3 left",
      "is waited for, at most 10s",
      "sets X-Key; removes Cookie",
      "removes Server",
    ]
  ) {
    assert.ok(body.includes(words), words);
  }
  assert.equal(body.includes("a-secret"), false);
  assert.match((await page.ask("GET", "/")).body, /2 uses left/);
});

Deno.test("requests are found by what the query says, page after page", async () => {
  await using page = await signedIn(LINKS);
  for (let i = 0; i < 60; i++) await visit(page, "web", `GET /n/${i}`);
  await visit(page, "slow", "GET /");
  await visit(page, "slow", "GET /");
  const rows = ({ body }: { body: string }) => [...body.matchAll(/<tr id="r-/g)].length;
  const first = await page.ask("GET", "/requests?path=/n/&link=&code=");
  assert.equal(rows(first), 50);
  const next = /href="(\/requests\?[^"]*before=\d+)"/.exec(first.body)![1].replaceAll("&amp;", "&");
  const second = await page.ask("GET", next);
  assert.equal(rows(second), 10);
  assert.equal(second.body.includes('data-pause="'), false);
  assert.equal(rows(await page.ask("GET", "/requests?code=rate_limited")), 1);
  assert.equal(rows(await page.ask("GET", "/requests?link=slow&status=2xx")), 1);
  assert.match((await page.ask("GET", "/requests?link=none")).body, /No request fits/);
  assert.equal((await page.ask("GET", "/requests?status=many")).status, 422);
});

Deno.test("a request is sent again, edited, and both answers stand side by side", async () => {
  await using page = await signedIn(LINKS);
  const fields = ["Content-Length: 5", "X-Kind: one", "Authorization: Bearer not-for-pages"];
  const id = await visit(page, "web", "POST /hook?a=1", fields, "a\nb\r\n");
  assert.match((await page.ask("GET", `/requests/${id}`)).body, /Authorization: \*\*\*/);
  assert.equal((await page.ask("GET", `/requests/${id}/edit`)).body.includes("not-for-pages"), false);
  const again = fieldOf(await page.post(`/requests/${id}/replay`, { via: "policy" }), "location")!;
  assert.match((await page.ask("GET", again)).body, new RegExp(`href="/requests/${id}"`));
  const typed = {
    method: "PUT",
    target: "/other",
    headers: "Host: a.test\r\nX-Kind: two\r\nAuthorization: ***",
    body: "c\r\nd",
  };
  const edited = fieldOf(await page.post(`/requests/${id}/edit`, typed), "location")!;
  const { body } = await page.ask("GET", edited.replace("/beside", "?as=text"));
  assert.match(body, /PUT \/other HTTP/);
  // The echo tells what it got: the value that the page does not show in a head.
  assert.match(body, /not-for-pages/);
  const bad = await page.post(`/requests/${id}/edit`, { ...typed, headers: "no field" });
  assert.equal(bad.status, 422);
  assert.match(bad.body, /no field/);
});

const LINES: [was: string, typed: string, sent: string][] = [
  ["a\nb", "a\r\nc", "a\nc"],
  ["a\r\nb", "a\r\nc", "a\r\nc"],
  // Mixed ends stay as they are where nobody has typed anything.
  ["a\nb\r\nc\r", "a\r\nb\r\nc\r\n", "a\nb\r\nc\r"],
  ["", "a", "a"],
  ["a", "", ""],
];

Deno.test("an edited body has the ends of lines that it had before, not those of a form", async () => {
  await using page = await signedIn(LINKS);
  for (const [was, typed, sent] of LINES) {
    const id = await visit(page, "web", "POST /", [`Content-Length: ${was.length}`], was);
    const form = { method: "POST", target: "/", headers: "Host: a.test", body: typed };
    const beside = fieldOf(await page.post(`/requests/${id}/edit`, form), "location")!;
    const { json } = await page.rig.api("GET", `/v1${beside.replace("/beside", "")}`);
    assert.equal(JSON.parse(json.response.body.text).body, sent);
  }
});

Deno.test("the verdict is explained by the rule that decides and the line in which it stands", async () => {
  await using page = await signedIn(LINKS);
  await visit(page, "slow", "GET /");
  const { body } = await page.ask("GET", `/requests/${await visit(page, "slow", "GET /")}`);
  assert.match(body, /Too many requests on this link\./);
  assert.match(body, /links\.yaml:4\n {2}slow: \{ target: echo, rate: 1\/h \}/);
});

/** What ends a tag, an attribute, a script, a style, a text area or a comment, and what begins one. */
const PIECES = [
  '"',
  "'",
  "<",
  ">",
  "</pre>",
  "</textarea>",
  "</script>",
  "</style>",
  "-->",
  "&lt;",
  "`",
  "=",
  " ",
];
const MARKS = ["<zq7 ", "<zq7>", '"zq7=', "'zq7=", "<script>zq7()</script>", "<img src=x onerror=zq7()>"];

Deno.test("whatever a visitor sends stays text on every page", async () => {
  await using page = await signedIn(LINKS);
  const random = new Random(7);
  for (let round = 0; round < 40; round++) {
    const hostile = () => Array.from({ length: 4 }, () => random.of([...PIECES, ...MARKS])).join("");
    const escaped = () => hostile().replaceAll(" ", "+");
    const text = hostile(), kind = random.of(["text/html", "image/svg+xml", "application/json", hostile()]);
    const sent = random.of([text, JSON.stringify({ [text]: [text] }), `<svg onload=zq7()>${text}</svg>`]);
    const fields = [`X-${round}: ${hostile()}`, `Content-Type: ${kind}`, `Content-Length: ${sent.length}`];
    const id = await visit(page, "web", `POST /${escaped()}?${escaped()}`, fields, sent);
    const path = `/requests/${id}`;
    for (
      const shown of [
        "/requests",
        path,
        `${path}?as=json`,
        `${path}?as=text`,
        `${path}?as=image`,
        `${path}/edit`,
      ]
    ) {
      const { status, body } = await page.ask("GET", shown);
      assert.equal(status, 200);
      assert.doesNotMatch(body, /<zq7|["']zq7=|<script>zq7|<img src=x|<svg onload/i, shown);
    }
  }
});

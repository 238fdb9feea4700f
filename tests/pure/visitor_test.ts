import assert from "node:assert/strict";
import { type Code, CODES, refusal } from "../../src/core/errors.ts";
import type { RequestHead } from "../../src/core/http1/types.ts";
import { wantsHtml } from "../../src/pages/accept.ts";
import { renderRefusal } from "../../src/pages/visitor.ts";

const decoder = new TextDecoder();

function asking(accept: string | null): RequestHead {
  return {
    raw: "",
    lines: [],
    method: "GET",
    target: "/",
    host: "a.test",
    minor: 1,
    fields: accept === null ? [] : [["Accept", accept]],
    framing: { kind: "none" },
    keepAlive: true,
    expect: false,
    upgrade: null,
  };
}

Deno.test("a page is for those who name text/html, at a weight not below JSON's", () => {
  const cases: [string | undefined, boolean][] = [
    [undefined, false],
    ["", false],
    ["*/*", false],
    ["text/*", false],
    ["text/html", true],
    ["TEXT/HTML", true],
    ["text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", true],
    ["text/html;q=0", false],
    ["text/html;q=0.5, application/json", false],
    ["text/html;q=0.5, application/json;q=0.5", true],
    ["text/html;q=0.5, */*", false],
    ["text/html;q=0.9, */*, application/problem+json;q=0.1", true],
    ["text/html;level=1;q=0.4, application/*;q=0.3", true],
    ["text/html;q=7", false],
    ["application/json", false],
  ];
  for (const [accept, expected] of cases) assert.equal(wantsHtml(accept), expected, `Accept: ${accept}`);
});

Deno.test("every code has a page under 4 KiB without script, and a problem document with code and request id", () => {
  for (const code of Object.keys(CODES) as Code[]) {
    const page = renderRefusal(refusal(code), asking("text/html"), "id-1");
    const html = decoder.decode(page.body);
    assert.ok(page.body.length < 4096, code);
    assert.ok(html.includes("id-1") && html.includes(code) && !html.includes("<script"), code);
    const problem = renderRefusal(refusal(code), asking(null), "id-2");
    const json = JSON.parse(decoder.decode(problem.body));
    assert.deepEqual([json.status, json.code, json.requestId], [CODES[code][0], code, "id-2"]);
    for (const { head, body } of [page, problem]) {
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${CODES[code][0]} [A-Z]`));
      assert.ok(head.includes(`Content-Length: ${body.length}\r\n`));
      assert.ok(head.includes("Cache-Control: no-store\r\n") && head.includes("X-Request-Id: id-"));
      assert.ok(head.endsWith("\r\n\r\n"));
      assert.equal(head.includes("Retry-After"), CODES[code][0] === 503);
    }
  }
});

Deno.test("the fields a refusal brings stand once in its answer", () => {
  const { head } = renderRefusal(refusal("hub_busy", [["Retry-After", "9"]]), null, "x");
  assert.deepEqual(head.match(/Retry-After: \d+/g), ["Retry-After: 9"]);
});

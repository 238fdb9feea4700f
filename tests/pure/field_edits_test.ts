import assert from "node:assert/strict";
import {
  checkEditable,
  checkFieldValue,
  compileEdits,
  exposeHeaders,
  FieldEdits,
  headersJson,
  type HeadersSpec,
  hideHeaders,
  printHeaders,
} from "../../src/core/field_edits.ts";
import { provenance, requestToTarget, responseToHub } from "../../src/core/headers.ts";
import { Secret } from "../../src/core/secret.ts";
import { request, response, text } from "./http1_heads.ts";

const edits = (set: Record<string, string>, remove: string[] = []) =>
  new FieldEdits({ set: Object.entries(set).map(([name, value]) => [name, new Secret(value)]), remove });

/** In which heads a field can be changed. */
const EDITABLE: [names: string, request: boolean, response: boolean][] = [
  ["X-Key x_key Authorization COOKIE Content-Type Accept-Encoding Via Location", true, true],
  ["Set-Cookie Server Strict-Transport-Security Content-Security-Policy Date", true, true],
  ["Content-Length content_length CONTENT-LENGTH Transfer-Encoding transfer_encoding", false, false],
  ["Connection Keep-Alive keep_alive TE Trailer Upgrade Expect HTTP2-Settings", false, false],
  ["Proxy Proxy-Authorization proxy_x Proxy-Connection Proxy-Authenticate Host", false, false],
  ["Forwarded X-Forwarded-For x_forwarded_proto X-Forwarded-Anything X-Real-IP X_Real_Ip", false, true],
  ["True-Client-IP CF-Connecting-IP cf_ray CDN-Loop cdn_loop", false, true],
  ["X-HTTP-Method-Override x_http_method_override X-Original-URL X-Rewrite-URL", false, true],
];

Deno.test("what frames a message or tells where it came from can not be changed, in any spelling", () => {
  for (const [names, inRequests, inResponses] of EDITABLE) {
    for (const name of names.split(" ")) {
      for (const [head, may] of [["request", inRequests], ["response", inResponses]] as const) {
        if (may) checkEditable(name, head);
        else assert.throws(() => checkEditable(name, head), SyntaxError, `${name} in a ${head}`);
      }
    }
  }
});

Deno.test("a name is a token", () => {
  for (const name of ["", " ", "a b", "a:", "a\r\n", "é", "a\0", "(a)", "x".repeat(257)]) {
    assert.throws(() => checkEditable(name, "response"), SyntaxError, JSON.stringify(name));
  }
});

Deno.test("a value is one line of visible ASCII, and is not quoted where it is not", () => {
  for (const value of ["", "a", " a\tb ", "~!\"#$%&'()", "x".repeat(4096)]) checkFieldValue(value);
  for (const wrong of ["\r", "\n", "\r\nX: y", "\0", "\x7f", "\x1b", "é", "\u2028", "\ud800"]) {
    assert.throws(() => checkFieldValue(`s3cret${wrong}`), (error: Error) => {
      assert.ok(error instanceof SyntaxError);
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
  }
});

const GET = ["GET /a HTTP/1.1", "Host: k7.hub.test"];
const OPTIONS = {
  host: null,
  provenance: provenance({ address: "192.0.2.7", proto: "http", publicHost: "k7.hub.test", loop: "d1" }),
  dropOverrides: false,
  dropAuthorization: false,
  upgrade: null,
};

const REQUESTS: { title: string; came: string[]; edits: FieldEdits; sent: string[]; drop?: true }[] = [
  {
    title: "a field is set in place of all of its name, whatever their case",
    came: ["x-key: 1", "A: b", "X-KEY: 2"],
    edits: edits({ "X-Key": "mine" }),
    sent: ["A: b", "X-Key: mine"],
  },
  {
    title: "a field is set where there was none",
    came: ["A: b"],
    edits: edits({ "X-Key": "mine", "X-Empty": "" }),
    sent: ["A: b", "X-Key: mine", "X-Empty: "],
  },
  {
    title: "all of a name are removed, and nothing that only begins so",
    came: ["Cookie: a", "Cookie2: b", "cookie: c", "Cook: d"],
    edits: edits({}, ["Cookie"]),
    sent: ["Cookie2: b", "Cook: d"],
  },
  {
    title: "a visitor can't slip a field in by an underscore",
    came: ["X_User: mallory", "x-user: mallory", "X_USER: mallory", "XUser: other"],
    edits: edits({ "X-User": "ann" }),
    sent: ["XUser: other", "X-User: ann"],
  },
  {
    title: "Connection can't take away what is set",
    came: ["Connection: X-Key, close", "X-Key: theirs"],
    edits: edits({ "X-Key": "mine" }),
    sent: ["X-Key: mine"],
  },
  {
    title: "an Authorization towards the target stands in for the link's own",
    came: ["Authorization: Bearer theirs"],
    edits: edits({ Authorization: "Basic mine" }),
    sent: ["Authorization: Basic mine"],
    drop: true,
  },
  {
    title: "an Authorization of the visitor's is removed",
    came: ["Authorization: Bearer theirs", "A: b"],
    edits: edits({}, ["authorization"]),
    sent: ["A: b"],
  },
];

for (const { title, came, edits, sent, drop } of REQUESTS) {
  Deno.test(`to the target: ${title}`, () => {
    const o = { ...OPTIONS, dropAuthorization: drop ?? false };
    const before = requestToTarget(request(GET), { ...o, edits: null }).split("\r\n").slice(2, -2);
    assert.equal(
      requestToTarget(request([...GET, ...came]), { ...o, edits }),
      text([...GET, ...sent, ...before]),
    );
  });
}

const BACK = { mapFrom: "localhost:3000", publicOrigin: "https://k7.hub.test" };

const RESPONSES: { title: string; came: string[]; edits: FieldEdits; sent: string[]; upgrade?: string }[] = [
  {
    title: "fields are set and removed",
    came: ["HTTP/1.1 200 OK", "Server: x/1", "server: y", "Content-Length: 2", "A: b"],
    edits: edits({ "Strict-Transport-Security": "max-age=1" }, ["Server"]),
    sent: ["HTTP/1.1 200 OK", "Content-Length: 2", "A: b", "Strict-Transport-Security: max-age=1"],
  },
  {
    title: "an answer from which nothing is taken has what is set",
    came: ["HTTP/1.1 204 No Content"],
    edits: edits({ "X-A": "b" }, ["Server"]),
    sent: ["HTTP/1.1 204 No Content", "X-A: b"],
  },
  {
    title: "a Location that is set is not mapped back",
    came: ["HTTP/1.1 302 Found", "Location: http://localhost:3000/a", "A: b"],
    edits: edits({ Location: "http://localhost:3000/b" }),
    sent: ["HTTP/1.1 302 Found", "A: b", "Location: http://localhost:3000/b"],
  },
  {
    title: "interim answers are taken from, and nothing is set in them",
    came: ["HTTP/1.1 103 Early Hints", "Link: </a>", "X-Powered-By: x"],
    edits: edits({ "X-A": "b" }, ["X-Powered-By"]),
    sent: ["HTTP/1.1 103 Early Hints", "Link: </a>"],
  },
  {
    title: "a 101 has them",
    came: ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Server: x"],
    edits: edits({ "X-A": "b" }, ["Server"]),
    sent: ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "X-A: b", "Connection: Upgrade"],
    upgrade: "websocket",
  },
];

for (const { title, came, edits, sent, upgrade = null } of RESPONSES) {
  Deno.test(`from the target: ${title}`, () => {
    assert.equal(responseToHub(response(came, "GET", upgrade), { ...BACK, edits }), text(sent));
  });
}

Deno.test("trailers have nothing that the head must not have", () => {
  const both = edits({ "X-Sum": "1" }, ["X-Trace"]);
  assert.equal(both.trailers(""), "");
  assert.equal(both.trailers("x-sum: 2\r\nA: b\r\nX_Trace: c\r\nB:\r\n"), "A: b\r\nB:\r\n");
  assert.equal(both.trailers("X-Trace: a\r\n"), "");
});

const SPEC: HeadersSpec = {
  request: { set: [["X-Key", new Secret("s3cret")], ["A", new Secret("s3cret")]], remove: ["Cookie"] },
  response: { set: [], remove: ["Server", "Via"] },
};

Deno.test("a spec is printed without its values, and stored with them", () => {
  assert.equal(
    printHeaders(SPEC),
    "request set X-Key: ***, set A: ***, remove Cookie; response remove Server, remove Via",
  );
  assert.equal(
    printHeaders({ request: null, response: SPEC.response }),
    "response remove Server, remove Via",
  );
  assert.deepEqual(headersJson(SPEC), {
    request: { set: { "X-Key": "***", A: "***" }, remove: ["Cookie"] },
    response: { set: {}, remove: ["Server", "Via"] },
  });
  assert.equal(headersJson(null), null);
  assert.doesNotMatch(JSON.stringify(SPEC) + printHeaders(SPEC) + Deno.inspect(SPEC), /s3cret/);
  for (const spec of [SPEC, { request: null, response: null }, null]) {
    const again = hideHeaders(JSON.parse(JSON.stringify(exposeHeaders(spec))));
    assert.equal(JSON.stringify(exposeHeaders(again)), JSON.stringify(exposeHeaders(spec)));
  }
  assert.equal(
    compileEdits(hideHeaders(exposeHeaders(SPEC))).request!.lines,
    "X-Key: s3cret\r\nA: s3cret\r\n",
  );
});

Deno.test("a link without changes has nothing to ask in its heads", () => {
  assert.deepEqual(compileEdits(null), { request: null, response: null });
  assert.equal(compileEdits({ request: null, response: SPEC.response }).request, null);
});

import assert from "node:assert/strict";
import { curlLine, type Sent } from "../../src/core/curl.ts";
import { latin1, toBytes } from "../../src/core/latin1.ts";
import { quoteOctets, quoteShell } from "../../src/core/shell.ts";
import { endingOf, type Head, Talk } from "../e2e/talk.ts";
import { packaged } from "../e2e/rig.ts";

async function bash(line: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("bash", {
    args: ["-c", line],
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  assert.ok(success, latin1(stderr));
  return latin1(stdout);
}

const octets = (from: number, to: number) =>
  String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, i) => from + i));

Deno.test("a word of a shell is what was quoted, octet for octet", async () => {
  for (
    const word of [
      "",
      "a",
      "it's",
      "$HOME `x` \\ \"!\" 'a'\\'",
      "-n",
      "~",
      octets(1, 255),
      "\x1bA\x01f",
      "a\nb\n",
    ]
  ) {
    assert.equal(await bash(`printf %s ${quoteOctets(word)}`), word);
  }
  for (const text of ["Zoë 日本 🙂'", "a\u202eb\u0000c".replace("\0", ""), "\x9b0m\r\n\t\\x41"]) {
    assert.equal(await bash(`printf %s ${quoteShell(text)}`), latin1(new TextEncoder().encode(text)));
  }
  assert.throws(() => quoteShell("a\0"), RangeError);
});

Deno.test("a quoted word does nothing to a terminal", () => {
  for (
    const quoted of [quoteOctets(octets(1, 255)), quoteShell(octets(1, 255) + "\u202e\u2028\ufeff\u200b")]
  ) {
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(quoted, /[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]/);
  }
});

interface Row {
  what: string;
  first: string;
  fields?: string[];
  /** Octets, or text. */
  body?: Uint8Array | string;
}

const ROWS: Row[] = [
  { what: "a bare GET", first: "GET /" },
  { what: "HEAD", first: "HEAD /x" },
  { what: "a target that curl would walk and glob", first: "GET /a/../b//{c,d}?e=[1-3]&'f$g;h\"" },
  { what: "what curl adds by itself, given", first: "GET /", fields: ["User-Agent: x", "Accept: a/b"] },
  {
    what: "fields twice, empty and odd",
    first: "GET /",
    fields: ["X-A: 1", "x-a: 1", "X-Empty:", "X-Odd: \xe9'\x9b \"$x"],
  },
  { what: "a method of its own", first: "PROPFIND /", fields: ["Depth: 1"] },
  {
    what: "JSON",
    first: "POST /p",
    fields: ["Content-Type: application/json"],
    body: `{"a": "it's Zoë 日本"}\n`,
  },
  { what: "a body without a type", first: "POST /p", body: "a=1" },
  { what: "a body that begins with @", first: "PUT /p", body: "@/etc/hostname" },
  { what: "an empty body", first: "POST /p", body: "" },
  { what: "line ends and controls", first: "POST /p", body: "\r\n\t\x1b[31m\u202e\r\n" },
  { what: "a NUL", first: "POST /p", body: "a\0b'" },
  { what: "octets", first: "POST /p", body: new Uint8Array([0, 255, 10, 13, 128]) },
  { what: "chunks", first: "POST /p", fields: ["Transfer-Encoding: chunked"], body: "abc" },
  { what: "a GET with a body", first: "GET /p", body: "q" },
];

async function hear(listener: Deno.TcpListener): Promise<{ head: Head; body: string }> {
  using talk = new Talk(await listener.accept());
  const head = (await talk.head())!;
  let body = "";
  await talk.body(endingOf(head, 0), (bytes) => void (body += latin1(bytes)));
  await talk.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  return { head, body };
}

for (const { what, first, fields = [], body } of ROWS) {
  Deno.test(`curl sends what was captured: ${what}`, async () => {
    if (packaged("curl", "curl") === null) return;
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const host = `127.0.0.1:${listener.addr.port}`;
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body ?? new Uint8Array();
    const length = body === undefined || fields.some((field) => /^transfer/i.test(field))
      ? []
      : [`Content-Length: ${bytes.length}`];
    const head = [`${first} HTTP/1.1`, `Host: ${host}`, ...fields, ...length, "", ""].join("\r\n");
    const [method, target] = first.split(/ (.*)/);
    const kept: Sent["body"] = typeof body === "string"
      ? { kept: bytes.length, encoding: "utf8", text: body }
      : { kept: bytes.length, encoding: "base64", text: btoa(latin1(bytes)) };
    const line = curlLine({ method, target, head, bytesIn: bytes.length, body: kept }, `http://${host}`);
    const [came] = await Promise.all([hear(listener), bash(`${line} -sS -m 20`)]);
    using sent = await parsed(head);
    assert.equal(came.head.first, `${first} HTTP/1.1`);
    assert.deepEqual(Object.fromEntries(came.head.fields), Object.fromEntries(sent.head.fields));
    assert.equal(came.body, latin1(bytes));
  });
}

/** `head` as the other end of a connection reads it. */
async function parsed(text: string): Promise<{ head: Head } & Disposable> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [talk, client] = await Promise.all([
    listener.accept().then((conn) => new Talk(conn)),
    Talk.to(listener.addr.port),
  ]);
  await client.write(toBytes(text));
  const head = (await talk.head())!;
  return {
    head,
    [Symbol.dispose]() {
      talk.close();
      client.close();
    },
  };
}

Deno.test("without the whole body there is no line", () => {
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
  const sent: Sent = { method: "POST", target: "/", head, bytesIn: 3, body: null };
  assert.equal(curlLine(sent, "http://a"), null);
  assert.equal(curlLine({ ...sent, body: { kept: 2, encoding: "utf8", text: "ab" } }, "http://a"), null);
  // Refused before it came.
  assert.equal(
    curlLine({ ...sent, bytesIn: 0, body: { kept: 0, encoding: "utf8", text: "" } }, "http://a"),
    null,
  );
  assert.match(
    curlLine({ ...sent, body: { kept: 3, encoding: "utf8", text: "abc" } }, "http://a")!,
    /--data-raw abc/,
  );
});

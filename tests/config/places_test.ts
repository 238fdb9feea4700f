import assert from "node:assert/strict";
import { isHost, parseListen, parseOrigin, printListen, resolvePath } from "../../src/config/places.ts";
import { parseTime } from "../../src/config/time.ts";

Deno.test("a path is absolute, of the home directory, or of the folder of its file", () => {
  const from = { dir: "/etc/connectd", home: "/home/ann" };
  for (
    const [text, path] of [
      ["/run/x", "/run/x"],
      ["./x", "/etc/connectd/x"],
      ["x/y", "/etc/connectd/x/y"],
      ["../x", "/etc/x"],
      ["~", "/home/ann"],
      ["~/x", "/home/ann/x"],
      ["~bob/x", "/etc/connectd/~bob/x"],
    ]
  ) {
    assert.equal(resolvePath(text, from), path);
  }
  assert.throws(() => resolvePath("", from), /empty/);
  assert.throws(() => resolvePath("a\0b", from), /NUL/);
  assert.throws(() => resolvePath("~/x", { ...from, home: null }), /HOME is not set/);
});

Deno.test("an address to listen on is read and printed back", () => {
  for (const text of ["127.0.0.1:8080", "[::1]:0", "localhost:65535", "0.0.0.0:80", "[::]:443"]) {
    assert.equal(printListen(parseListen(text)), text);
  }
  for (
    const text of [
      "",
      "8080",
      ":8080",
      "*:80",
      "::1:80",
      "127.0.0.1",
      "127.0.0.1:65536",
      "127.1:80",
      "a b:1",
      "[x]:1",
    ]
  ) {
    assert.throws(() => parseListen(text), SyntaxError, text);
  }
});

Deno.test("a hub's URL has a scheme, a host, perhaps a port, and nothing that reads into another host", () => {
  assert.deepEqual(parseOrigin("HTTPS://Hub.Example.com:8443/"), {
    url: "https://hub.example.com:8443",
    hostname: "hub.example.com",
    secure: true,
  });
  assert.equal(parseOrigin("http://[0:0::1]:80").hostname, "::1");
  for (
    const text of ["hub.example.com", "https://", "https://a/b", "https://a@b", "https://a?b", "https://a#b"]
      .concat(
        [
          "https://a:0x50",
          "https://127.1",
          "https://a_b",
          "https://a.-b",
          "https:\\\\a",
          " https://a",
          "ftp://a",
        ],
      )
  ) {
    assert.throws(() => parseOrigin(text), SyntaxError, text);
  }
});

Deno.test("a Host to send is a name or an address, perhaps with a port", () => {
  for (const text of ["a", "a.b:80", "my_app", "127.0.0.1", "[::1]:8080", "a.b."]) {
    assert.ok(isHost(text), text);
  }
  for (const text of ["", "a b", "a:0", "a:65536", "a:", "::1", "[::1", "[127.0.0.1]", "a/b", "é", "a@b"]) {
    assert.ok(!isHost(text), text);
  }
});

Deno.test("a time is RFC 3339 with its zone, and a real one", () => {
  for (
    const [text, iso] of [
      ["2026-12-01T00:00:00Z", "2026-12-01T00:00:00.000Z"],
      ["2026-12-01t01:30:00.12349+01:30", "2026-12-01T00:00:00.123Z"],
      ["2024-02-29T23:59:60z", "2024-03-01T00:00:00.000Z"],
      ["2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00.000Z"],
      ["0050-01-01T00:00:00Z", "0050-01-01T00:00:00.000Z"],
    ]
  ) {
    assert.equal(new Date(parseTime(text)).toISOString(), iso);
  }
  for (
    const text of ["2026-12-01", "2026-12-01T00:00Z", "2026-12-01T00:00:00", "2025-02-29T00:00:00Z"].concat(
      [
        "2026-13-01T00:00:00Z",
        "2026-12-01T24:00:00Z",
        "2026-12-01T00:00:00+24:00",
        "2026-12-01 00:00:00Z",
        "",
      ],
    )
  ) {
    assert.throws(() => parseTime(text), SyntaxError, text);
  }
});

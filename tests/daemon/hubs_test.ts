import assert from "node:assert/strict";
import type { HubAddress } from "../../src/core/entry.ts";
import { chooseHubs } from "../../src/daemon/other_hubs.ts";

const hub = (url: string): HubAddress => ({ url, tokenFile: "/token", caFile: null, plain: false });
const choose = (own: string[], named: string[], daemon = "d") =>
  chooseHubs(own.map(hub), new Map([[own[0], named]]), daemon);

Deno.test("hubs under the parent domain of the one that names them are dialled with its token", () => {
  const { chosen, ignored } = choose(["https://a.hub.example.com"], [
    "https://a.hub.example.com",
    "https://b.hub.example.com",
    "https://c.hub.example.com:8443",
  ]);
  assert.deepEqual(chosen, [hub("https://b.hub.example.com"), hub("https://c.hub.example.com:8443")]);
  assert.deepEqual(ignored, []);
});

Deno.test("a token goes to no host that only claims to be a fellow", () => {
  for (
    const [own, named] of [
      ["https://a.example.com", "http://b.example.com"],
      ["https://a.example.com", "https://b.example.org"],
      ["https://a.example.com", "https://bexample.com"],
      ["https://a.example.com", "https://example.com"],
      ["https://a.example.com", "https://b.example.com.evil.net"],
      ["https://a.example.com", "https://b.example.com@evil.net"],
      ["https://a.example.com", "https://evil.net/b.example.com"],
      ["https://a.example.com", "b.example.com"],
      ["https://a.example.com", ""],
      ["https://example.com", "https://evil.com"],
      ["https://hub", "https://evil"],
      ["https://192.0.2.1", "https://192.0.2.2"],
      ["https://[2001:db8::1]", "https://[2001:db8::2]"],
      ["http://localhost:8080", "https://b.localhost"],
    ]
  ) {
    const { chosen, ignored } = choose([own], [named]);
    assert.deepEqual(chosen, [], `${own} named ${named}`);
    assert.equal(ignored[0].url, named);
  }
});

Deno.test("of more than eight hubs each daemon draws two, and keeps them when another one goes", () => {
  const named = Array.from({ length: 20 }, (_, i) => `https://h${i}.hub.example.com`);
  const own = ["https://own.hub.example.com"];
  const drawn = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const { chosen, ignored } = choose(own, named, `daemon-${i}`);
    assert.equal(chosen.length, 2);
    assert.equal(ignored.length, 18);
    for (const { url } of chosen) drawn.add(url);
    const other = named.find((url) => !chosen.some((hub) => hub.url === url))!;
    assert.deepEqual(choose(own, named.filter((url) => url !== other), `daemon-${i}`).chosen, chosen);
  }
  assert.equal(drawn.size, 20);
  assert.equal(choose(own, named.slice(0, 7)).chosen.length, 7);
});

/** Which host is whose. */
import assert from "node:assert/strict";
import { latin1, toBytes } from "../../src/core/latin1.ts";
import { Hosts } from "../../src/hub/hosts.ts";
import { liveOctets } from "../heap.ts";

const print = (hosts: Hosts, host: string) => {
  const place = hosts.find(host);
  return place.kind === "link" ? `link ${place.label}` : place.kind;
};

Deno.test("hosts are compared without case, port and trailing dot, and one label is a link", () => {
  const hosts = new Hosts("hub.example.com", "https://hub.example.com", false);
  for (
    const [host, expected] of [
      ["hub.example.com", "own"],
      ["HUB.Example.COM.", "own"],
      ["hub.example.com:8443", "own"],
      ["hub.example.com.:80", "own"],
      ["demo.hub.example.com", "link demo"],
      ["DEMO.hub.example.com.:80", "link demo"],
      ["a.b.hub.example.com", "none"],
      [".hub.example.com", "none"],
      ["demo.hub.example.com..", "none"],
      ["demohub.example.com", "none"],
      ["example.com", "none"],
      ["localhost", "none"],
      ["127.0.0.1:8080", "none"],
      ["[::1]:8080", "none"],
      ["", "none"],
    ]
  ) {
    for (const _again of [1, 2]) assert.equal(print(hosts, host), expected, host);
  }
});

Deno.test("a hub on loopback is itself under every name of loopback", () => {
  const hosts = new Hosts("localhost", "http://localhost:8080", true);
  for (const host of ["hub.localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:8080", "[::1]:8080"]) {
    assert.equal(print(hosts, host), "own", host);
  }
  assert.equal(print(hosts, "x.localhost:1"), "link x");
  assert.equal(hosts.urlOf("x"), "http://x.localhost:8080");
});

Deno.test("the hub's own host is no link, within the domain or outside it", () => {
  const inside = new Hosts("example.com", "https://hub.example.com", false);
  assert.equal(print(inside, "hub.example.com"), "own");
  assert.equal(inside.ownLabel, "hub");
  assert.equal(inside.urlOf("x"), "https://x.example.com");
  const outside = new Hosts("links.example", "https://hub.example.com", false);
  assert.equal(outside.ownLabel, null);
  assert.equal(print(outside, "links.example"), "none");
});

Deno.test("a flood of invented hosts is not kept", () => {
  const hosts = new Hosts("example.com", "https://hub.example.com", false);
  for (let i = 0; i < 20_000; i++) assert.equal(print(hosts, `h${i}.example.com`), `link h${i}`);
});

Deno.test("hosts as long as a head are answered, and cost no memory afterwards", () => {
  const hosts = new Hosts("example.com", "https://hub.example.com", false);
  const before = liveOctets();
  const long = "x".repeat(60_000);
  // Read from octets, as hosts are: joined ones would share what they have in common.
  for (let i = 0; i < 4000; i++) {
    assert.equal(hosts.find(latin1(toBytes(`${i}${long}.example.com`))).kind, "link");
  }
  const grown = liveOctets() - before;
  assert.ok(grown < 10 * 1024 * 1024, `${grown} octets for hosts that nobody will ask for again`);
  assert.equal(print(hosts, "x.example.com"), "link x");
});

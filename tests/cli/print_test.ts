import assert from "node:assert/strict";
import { linkTable } from "../../src/cli/links.ts";
import { coarse, relative, table } from "../../src/cli/print.ts";
import { tokenTable } from "../../src/cli/token.ts";

const NOW = Date.UTC(2026, 0, 1);

Deno.test("a table's columns are as wide as their widest cell, and nothing trails", () => {
  const text = table(["name", "state", ""], [["a", "active", ""], ["longer-name", "x", "why"]], "none");
  assert.deepEqual(text.split("\n"), [
    "NAME         STATE",
    "a            active",
    "longer-name  x       why",
  ]);
  assert.equal(table(["name"], [], "none yet"), "none yet");
});

Deno.test("nothing in a cell can break its line or reach the terminal raw", () => {
  const lines = table(["name"], [["a\nb\u001b[31m"]], "none").split("\n");
  assert.deepEqual(lines, ["NAME", "a\\u000ab\\u001b[31m"]);
});

Deno.test("a time is told by its two largest units, seen from now", () => {
  const cases: [string | null, string][] = [
    [null, "never"],
    ["2026-01-01T00:00:00Z", "in 0s"],
    ["2026-01-01T00:00:59.600Z", "in 1m"],
    ["2026-01-02T01:02:03Z", "in 1d 1h"],
    ["2025-12-31T23:48:00Z", "12m ago"],
  ];
  for (const [iso, told] of cases) assert.equal(relative(iso, NOW), told);
  assert.equal(coarse(7 * 86_400_000), "7d");
});

Deno.test("a link's row tells its state, its end and what it let through, also where a hub knows less", () => {
  const link = {
    name: "demo",
    id: "abc",
    url: "http://abc.localhost:8080",
    target: "http://localhost:3000",
    state: "active",
    source: "file",
    activatedAt: "2026-01-01T00:00:00Z",
    expiresAt: "2026-01-01T01:00:00Z",
    policy: {},
    counters: { allowed: 3, denied: { path_denied: 1, rate_limited: 2 }, open: 0 },
    lastError: null,
  };
  const known = { ...link, target: null, service: "shop" };
  const [, row, atHub, byService] = linkTable(
    [link, { ...link, target: null, url: null, source: null }, known],
    NOW,
  ).split("\n");
  assert.match(row, /^demo +active +http:\/\/abc\.localhost:8080 +http:\/\/localhost:3000 +in 1h +3 +3$/);
  assert.match(atHub, /^demo +active +– +– +in 1h/);
  assert.match(byService, /^demo +active +http:\S+ +shop +in 1h/);
  assert.match(linkTable([], NOW), /^no links: .*connectd link/);
});

Deno.test("a token's row tells when it was used, and when it ends or that it was revoked", () => {
  const token = {
    id: "abcdefgh",
    name: "ci",
    scope: "daemon" as const,
    workspace: "default",
    createdAt: "2025-12-31T00:00:00Z",
    expiresAt: null,
    revokedAt: null,
    rotatedAt: null,
    previousEndsAt: null,
    lastUsedAt: null,
  };
  const old = {
    ...token,
    name: "old",
    lastUsedAt: "2025-12-31T11:00:00Z",
    revokedAt: "2025-12-31T12:00:00Z",
  };
  const text = tokenTable([token, old], NOW);
  assert.match(text, /ci +daemon +default +1d ago +never +never/);
  assert.match(text, /old +daemon +default +1d ago +13h ago +revoked/);
});

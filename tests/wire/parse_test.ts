/** What a peer says in JSON: read member by member, refused where it does not fit, never believed. */
import assert from "node:assert/strict";
import { Failure } from "../../src/core/errors.ts";
import { OPEN_POLICY } from "../../src/core/policy_spec.ts";
import type { Hello, LinkDecl, Reply } from "../../src/wire/hello.ts";
import { parseControl } from "../../src/wire/parse.ts";

const LINK: LinkDecl = {
  name: "web",
  id: null,
  subdomain: "shop",
  domain: null,
  newId: false,
  policy: OPEN_POLICY,
  state: "active",
  expiresAt: 1_800_000_000_000,
  activatedAt: 1_700_000_000_000,
  service: "web",
  source: "hub",
};
const HELLO: Hello = {
  type: "hello",
  version: 1,
  software: "connectd 0.1.0",
  features: ["tcp"],
  daemon: "d_1",
  instance: "i-1",
  connection: 0,
  services: [{ name: "web", kind: "http", access: "public", remote: true, port: null }],
  links: [LINK],
  revision: 3,
  more: false,
};
const GRANTED = { name: "web", id: "abc", url: "https://abc.example:8443/" };
const REFUSED = { name: "web", refused: { code: "name_taken", message: "somebody else has it" } };
const REVOCATION = { name: "web", id: "abc", at: 5, activatedAt: 3 };

/** One of each type, with every shape that its members have. */
const MESSAGES: Record<string, object> = {
  hello: HELLO,
  welcome: {
    type: "welcome",
    version: 1,
    hub: "h1",
    limits: { streams: 1000 },
    links: [GRANTED, REFUSED],
    revoked: [REVOCATION],
    hubs: ["https://b.example"],
    revision: 3,
  },
  links: {
    type: "links",
    revision: 4,
    set: [LINK],
    remove: [{ name: "old", id: "abc", reason: "expired" }, { name: "older", id: null, reason: "removed" }],
    more: true,
  },
  services: {
    type: "services",
    revision: 4,
    services: [{ name: "db", kind: "tcp", access: "private", remote: false, port: 5432 }],
  },
  ask: { type: "ask", id: "a-1", op: "create", name: "web", by: "token:ci", at: 7, body: {} },
  reply: {
    type: "reply",
    id: "a-1",
    problem: {
      status: 422,
      code: "invalid",
      detail: "it can not be made",
      errors: [{ pointer: "/ttl", detail: "is odd" }],
    },
  },
  granted: { type: "granted", revision: 4, links: [GRANTED, REFUSED] },
  revoke: { type: "revoke", ...REVOCATION },
  refused: { type: "refused", counts: [{ id: "abc", code: "path_denied", n: 7 }] },
  bye: { type: "bye", reason: "replaced", message: "another process" },
};

const copy = (value: unknown) => JSON.parse(JSON.stringify(value));

/** Calls `visit` with every object or list in `value`, and the keys in it. */
function walk(value: unknown, visit: (parent: Record<string, unknown>, key: string) => void): void {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    visit(value as Record<string, unknown>, key);
    walk((value as Record<string, unknown>)[key], visit);
  }
}

Deno.test("every message comes out as it went in, without what nobody asked for", () => {
  for (const [type, message] of Object.entries(MESSAGES)) {
    assert.deepEqual(parseControl(copy(message)), message, type);
    const more = copy(message);
    more.from_the_future = { deep: [1] };
    assert.deepEqual(parseControl(more), message, type);
  }
});

Deno.test("a member that is missing or of another kind is refused, whichever it is", () => {
  const strange = [undefined, 1.5, -1, "", "\u0000", {}, [], [[]], true, 2 ** 60, "x".repeat(5000)];
  let tried = 0;
  for (const message of Object.values(MESSAGES)) {
    const keys: string[] = [];
    walk(message, (_parent, key) => keys.push(key));
    for (let n = 0; n < keys.length; n++) {
      for (const value of strange) {
        const spoilt = copy(message);
        const places: [parent: Record<string, unknown>, key: string][] = [];
        walk(spoilt, (parent, key) => places.push([parent, key]));
        const [parent, of] = places[n], was = parent[of];
        if (value === undefined && !Array.isArray(parent)) delete parent[of];
        else parent[of] = value;
        if (fits(of, was, value)) continue;
        tried++;
        assert.throws(() => {
          const read = parseControl(spoilt);
          // Of another version's hello, and of a type to come, nothing is known.
          if (of === "type" && read === null) throw new Failure("unknown");
          if (of === "version") throw new Failure("another version");
          assert.fail(`${of} = ${JSON.stringify(value)} was taken`);
        }, Failure);
      }
    }
  }
  assert.ok(tried > 500, String(tried));
});

/** Values among the strange ones that are right somewhere. */
function fits(key: string, was: unknown, value: unknown): boolean {
  if (Array.isArray(was)) return Array.isArray(value) && value.length === 0;
  // A body is for somebody else to read.
  if (key === "body") return typeof value === "object" && !Array.isArray(value);
  // Of what a later version added nothing need be said.
  if (["remote", "port", "domain", "activatedAt", "service", "source"].includes(key) && value === undefined) {
    return true;
  }
  // So it is with when an ask was asked; of a revocation it is needed.
  if (key === "at" && was === 7 && value === undefined) return true;
  if (typeof was === "boolean") return value === true;
  return ["software", "message", "pointer", "detail"].includes(key) && typeof value === "string" &&
    value.length < 2 && (key !== "software" || value === "");
}

Deno.test("what is inherited is no member, and __proto__ is a name like any other", () => {
  for (const type of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    assert.equal(parseControl({ type }), null);
  }
  const text = JSON.stringify(HELLO);
  const polluted = JSON.parse(
    text.replace("{", '{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}},'),
  );
  assert.deepEqual(parseControl(polluted), HELLO);
  assert.equal(Object.hasOwn(parseControl(polluted)!, "__proto__"), false);
  const hidden = JSON.parse(text.replace('"revision":3,', "").replace("{", '{"__proto__":{"revision":3},'));
  assert.throws(() => parseControl(hidden), Failure);
  assert.equal(({} as Record<string, unknown>).admin, undefined);
});

Deno.test("a message as deep or as long as a mebibyte allows is refused or read, and nothing overflows", () => {
  const deep = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
  for (const key of Object.keys(HELLO)) {
    if (key === "version") continue;
    assert.throws(() => parseControl({ ...HELLO, [key]: deep }), Failure, key);
    assert.throws(() => parseControl({ ...HELLO, links: [{ ...LINK, policy: deep }] }), Failure);
    assert.throws(
      () => parseControl({ ...HELLO, links: [{ ...LINK, policy: { ...OPEN_POLICY, paths: deep } }] }),
      Failure,
    );
  }
  assert.deepEqual(parseControl({ ...HELLO, other: deep }), HELLO);
  const features = Array(250_000).fill("a");
  assert.equal((parseControl({ ...HELLO, features }) as Hello).features.length, 250_000);
  assert.throws(() => parseControl({ ...HELLO, services: Array(300_000).fill(0) }), Failure);
});

Deno.test("of another version's hello only the version is read", () => {
  const read = parseControl({ type: "hello", version: 2, links: "who knows" }) as Hello;
  assert.deepEqual([read.version, read.daemon, read.links], [2, "", []]);
});

Deno.test("names and ids are what may stand in a host name, URLs are http", () => {
  const { links: [granted], ...welcome } = MESSAGES.welcome as { links: object[] };
  const urls = [
    "javascript:alert(1)",
    "https://a b/",
    "https://a/\n",
    "ftp://a/",
    "https://",
    "https://a/" + "x".repeat(2050),
  ];
  for (const url of urls) {
    assert.throws(() => parseControl({ ...welcome, links: [{ ...granted, url }] }), Failure, url);
    assert.throws(() => parseControl({ ...welcome, links: [], hubs: [url] }), Failure, url);
  }
  for (const id of ["A", "-a", "a-", "a.b", "a/b", "a".repeat(64), "ä"]) {
    assert.throws(() => parseControl({ ...welcome, links: [{ ...granted, id }] }), Failure, id);
    assert.throws(() => parseControl({ ...HELLO, links: [{ ...LINK, subdomain: id }] }), Failure, id);
  }
});

Deno.test("a daemon of before hubs could ask is understood: its services are not for them, its links say less", () => {
  const { remote: _, port: _port, ...service } = HELLO.services[0];
  const { activatedAt: _at, service: _of, source: _from, ...link } = LINK;
  const read = parseControl({ ...HELLO, services: [service], links: [link] }) as Hello;
  assert.equal(read.services[0].remote, false);
  assert.equal(read.services[0].port, null);
  assert.deepEqual(read.links, [{ ...link, activatedAt: null, service: null, source: null }]);
  assert.equal(
    (parseControl({ ...HELLO, links: [{ ...LINK, source: null }] }) as Hello).links[0].source,
    null,
  );
});

Deno.test("of an ask's body nothing is read here, and nothing of an answer to it goes further that no API says", () => {
  const body = JSON.parse('{"__proto__":{"admin":true},"deep":[[[{}]]]}');
  assert.deepEqual(parseControl({ ...MESSAGES.ask, body }), { ...MESSAGES.ask, body });
  assert.deepEqual(parseControl({ ...MESSAGES.reply, problem: null }), { ...MESSAGES.reply, problem: null });
  const { problem } = MESSAGES.reply as { problem: object };
  for (
    const odd of [{ status: 200 }, { status: "422" }, { code: "Not a code" }, { detail: "x".repeat(2000) }]
  ) {
    assert.throws(() => parseControl({ ...MESSAGES.reply, problem: { ...problem, ...odd } }), Failure);
  }
  const errors = Array(5000).fill({ pointer: "/a", detail: "b" });
  const { problem: read } = parseControl({ ...MESSAGES.reply, problem: { ...problem, errors } }) as Reply;
  assert.equal(read!.errors.length, 100);
  for (const by of ["", "a b", "token:\n", "ä", "x".repeat(200)]) {
    assert.throws(() => parseControl({ ...MESSAGES.ask, by }), Failure, by);
  }
});

Deno.test("a time that no calendar holds is refused", () => {
  const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
  for (const at of [last, last + 1]) {
    const messages = [
      { ...HELLO, links: [{ ...LINK, expiresAt: at }] },
      { type: "revoke", ...REVOCATION, at },
      { ...MESSAGES.welcome, revoked: [{ ...REVOCATION, at }] },
    ];
    for (const message of messages) {
      if (at === last) parseControl(copy(message));
      else assert.throws(() => parseControl(copy(message)), /(expiresAt|at) is missing or malformed/);
    }
  }
});

/** Links in as few messages as hold them, none of them too large. */
import assert from "node:assert/strict";
import { Failure } from "../../src/core/errors.ts";
import { OPEN_POLICY } from "../../src/core/policy_spec.ts";
import { MAX_CONTROL } from "../../src/wire/control.ts";
import type { Hello, LinkDecl, Links } from "../../src/wire/hello.ts";
import { parseControl } from "../../src/wire/parse.ts";
import { splitHello, splitLinks } from "../../src/wire/split.ts";
import { Random } from "../pure/random.ts";

const UNTOLD = { domain: null, activatedAt: null, service: null, source: null };

const size = (message: object) => new TextEncoder().encode(JSON.stringify(message)).length;

/** A link whose declaration is about `octets` long, in characters of several octets. */
function link(name: string, octets = 0): LinkDecl {
  const paths = Array.from({ length: Math.ceil(octets / 1000) }, (_, i) => `/${i}/` + "x".repeat(990));
  const policy = { ...OPEN_POLICY, paths: paths.length > 0 ? paths : null };
  return {
    name,
    id: null,
    subdomain: null,
    newId: false,
    policy,
    state: "active",
    expiresAt: null,
    ...UNTOLD,
  };
}

function hello(links: LinkDecl[]): Hello {
  const who = { software: "t", features: [], daemon: "d", instance: "i", connection: 1, services: [] };
  return { type: "hello", version: 1, ...who, links, revision: 7, more: false };
}

/** All messages fit, each but the last says that more follow, and together they hold `links`. */
function check(messages: readonly (Hello | Links)[], links: readonly LinkDecl[]): void {
  for (const [i, message] of messages.entries()) {
    assert.ok(size(message) <= MAX_CONTROL, `${size(message)} octets`);
    assert.equal(message.more, i < messages.length - 1);
    assert.equal(message.revision, 7);
    assert.deepEqual(parseControl(JSON.parse(JSON.stringify(message))), message);
  }
  assert.deepEqual(
    messages.flatMap((message) => message.type === "hello" ? message.links : message.set),
    links,
  );
}

Deno.test("a hello of no links is one message, of a thousand small ones too", () => {
  for (const n of [0, 1, 1000]) {
    const links = Array.from({ length: n }, (_, i) => link(`l${i}`));
    const messages = splitHello(hello(links));
    assert.equal(messages.length, 1);
    check(messages, links);
  }
});

Deno.test("links of any size come in order, in messages that are full", () => {
  const random = new Random(23);
  for (let round = 0; round < 10; round++) {
    const links = Array.from({ length: 30 }, (_, i) => link(`l${i}`, random.of([0, 500, 100_000, 400_000])));
    const sum = links.reduce((octets, decl) => octets + size(decl), 0);
    const messages = splitHello(hello(links));
    check(messages, links);
    assert.ok(messages.length <= 2 * Math.ceil(sum / MAX_CONTROL) + 1, `${messages.length} for ${sum}`);
    const change: Links = { type: "links", revision: 7, set: links, remove: [], more: false };
    check(splitLinks(change), links);
  }
});

Deno.test("removals are told once and before what is set, however many they are", () => {
  const [name, id] = ["n".repeat(63), "i".repeat(63)];
  const remove = Array.from({ length: 9000 }, () => ({ name, id, reason: "removed" as const }));
  const links = Array.from({ length: 12 }, (_, i) => link(`l${i}`, 100_000));
  for (const set of [links, []]) {
    const messages = splitLinks({ type: "links", revision: 7, set, remove, more: false });
    check(messages, set);
    const count = messages.map((message) => message.remove.length);
    assert.equal(count.reduce((sum, n) => sum + n), 9000);
    const firstSet = messages.findIndex((message) => message.set.length > 0);
    assert.ok(firstSet === -1 || count.slice(firstSet + 1).every((n) => n === 0));
  }
  const few = splitLinks({
    type: "links",
    revision: 7,
    set: [link("web")],
    remove: remove.slice(0, 2000),
    more: false,
  });
  assert.equal(few.length, 1);
});

Deno.test("one link that no message holds is a failure that names it", () => {
  const messages = [
    () => splitHello(hello([link("web"), link("huge", 1_100_000)])),
    () => splitLinks({ type: "links", revision: 7, set: [link("huge", 1_100_000)], remove: [], more: false }),
  ];
  for (const split of messages) {
    assert.throws(
      split,
      (error) => error instanceof Failure && error.permanent && /link huge/.test(error.message),
    );
  }
});

/** What must hold of any JSON that a peer sends as a control message. */
import assert from "node:assert/strict";
import { Failure } from "../../src/core/errors.ts";
import { parseControl } from "../../src/wire/parse.ts";
import { policySpec } from "../pure/policy_fuzz.ts";
import type { Random } from "../pure/random.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Values that some member somewhere does not expect. */
const ODD: readonly string[] = [
  ...[
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e300",
    "-0",
    "9007199254740992",
    '""',
    '"a"',
    '"\\u0000"',
    '"\\ud800"',
  ],
  ...['"a\\nb"', '"__proto__"', '"constructor"', "[]", "[[]]", "{}", '{"__proto__":{}}', '{"length":3}'],
  ...['"https://a.test/"', '"A"', '"-a"', `"${"a".repeat(64)}"`, `"${"a".repeat(5000)}"`, "253402300800000"],
];

/** A message is read as its type says, ignored, or refused with a Failure. True: it was read. */
export function controlCase(random: Random): boolean {
  const text = control(random);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return false;
  }
  try {
    const message = readOrRefused(value);
    if (message === null) return false;
    // What was read holds nothing but what was asked for: it reads as itself.
    const again = JSON.parse(JSON.stringify(message));
    assert.deepEqual(again, JSON.parse(JSON.stringify(parseControl(again))));
    assert.deepEqual(Object.keys(Object.prototype), []);
    return true;
  } catch (error) {
    throw new Error(text.slice(0, 5000), { cause: error });
  }
}

function readOrRefused(value: unknown): object | null {
  try {
    return parseControl(value);
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}

/** The text of a message, right or not; not always JSON. */
export function control(random: Random): string {
  const value = message(random);
  for (let n = random.below(3); n > 0; n--) mutate(random, value);
  const text = JSON.stringify(value);
  if (random.below(10) > 0) return text;
  const at = random.below(text.length);
  return text.slice(0, at) + random.of(['"', "{", "]", ",", "\\", "0", "e9", "\u00e9", ""]) +
    text.slice(at + random.below(4));
}

/** Something within `value` becomes another thing, goes, or comes. */
function mutate(random: Random, value: Json): void {
  let at = value;
  for (;;) {
    if (typeof at !== "object" || at === null) return;
    const holder = at as { [name: string]: Json };
    const names = Object.keys(holder);
    if (names.length === 0) return;
    const name = random.of(names);
    const inner = holder[name];
    if (typeof inner === "object" && inner !== null && random.below(3) > 0) {
      at = inner;
      continue;
    }
    const kind = random.below(4);
    if (kind === 0) delete holder[name];
    else if (kind === 1) holder[random.of(["x", "toString", "refused", "policy"])] = odd(random);
    else holder[name] = odd(random);
    return;
  }
}

function odd(random: Random): Json {
  return JSON.parse(random.of(ODD));
}

function list(random: Random, make: () => Json): Json[] {
  return Array.from({ length: random.below(3) }, make);
}

function message(random: Random): Json {
  const name = () => random.of(["a", "stripe", "a-b-1", "0"]);
  const id = () => random.of(["abc", "4k2jq7mzcn3ra"]);
  const count = () => random.of([0, 1, 7, 2 ** 53 - 1]);
  const flag = () => random.below(2) === 0;
  const time = () => random.of([0, 1_800_000_000_000, 253_402_300_799_999]);
  const link = (): Json => ({
    name: name(),
    id: random.of([null, id()]),
    subdomain: random.of([null, "demo"]),
    newId: flag(),
    policy: JSON.parse(JSON.stringify(policySpec(random))),
    state: random.of(["active", "expired", "revoked", "error"]),
    expiresAt: random.of([null, time()]),
    ...(flag()
      ? {}
      : { activatedAt: random.of([null, time()]), service: "a", source: random.of([null, "file", "hub"]) }),
  });
  const services = () =>
    list(random, () => ({
      ...{ name: name(), kind: random.of(["http", "tcp"]), access: random.of(["public", "private"]) },
      ...(flag() ? {} : { remote: flag(), port: random.of([null, 1 + random.below(65_535)]) }),
    }));
  const grant = (): Json =>
    flag()
      ? { name: name(), id: id(), url: "https://abc.hub.test" }
      : { name: name(), refused: { code: "name_taken", message: "the name is taken" } };
  const revocation = () => ({
    ...{ name: name(), id: id(), at: time() },
    ...(flag() ? {} : { activatedAt: random.of([null, time()]) }),
  });
  switch (random.below(11)) {
    case 0:
      return {
        type: "hello",
        version: random.of([1, 1, 1, 2]),
        software: "connectd/0.1.0",
        features: list(random, () => "x"),
        daemon: "d-1",
        instance: "i_1",
        connection: count(),
        services: services(),
        links: list(random, link),
        revision: count(),
        more: flag(),
      };
    case 1:
      return {
        type: "welcome",
        version: 1,
        hub: "h",
        limits: { streams: count() },
        links: list(random, grant),
        revoked: list(random, revocation),
        hubs: list(random, () => "http://hub.test:8080"),
        revision: count(),
      };
    case 2:
      return {
        type: "links",
        revision: count(),
        set: list(random, link),
        remove: list(random, () => ({ name: name(), id: random.of([null, id()]), reason: "removed" })),
        more: flag(),
      };
    case 3:
      return { type: "granted", revision: count(), links: list(random, grant) };
    case 4:
      return { type: "revoke", ...revocation() };
    case 5:
      return { type: "refused", counts: list(random, () => ({ id: id(), code: "ip_denied", n: count() })) };
    case 7:
      return { type: "services", revision: count(), services: services() };
    case 8:
      return {
        ...{
          type: "ask",
          id: "a_1",
          op: random.of(["create", "edit", "renew"]),
          name: name(),
          by: "token:ci",
        },
        ...(flag() ? {} : { at: time() }),
        body: random.of<Json>([{}, { ttl: "1h", paths: ["/a"] }, { x: odd(random) }]),
      };
    case 9:
      return {
        ...{ type: "reply", id: "a_1" },
        problem: flag() ? null : {
          ...{ status: random.of([403, 404, 409, 422, 503]), code: "not_managed", detail: "no" },
          errors: list(random, () => ({ pointer: "/ttl", detail: "is odd" })),
        },
      };
    case 6:
      return { type: "bye", reason: random.of(["replaced", "draining", "revoked_token"]), message: "bye" };
    default:
      return { type: random.of(["from_the_future", "__proto__", "toString", ""]), x: odd(random) };
  }
}

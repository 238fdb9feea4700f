/** Every operation of the hub's API, by everybody who may come: each scope, its own workspace and another. */
import assert from "node:assert/strict";
import { apiOperations } from "../../src/hub/api.ts";
import type { HubState } from "../../src/hub/state.ts";
import type { Scope } from "../../src/hub/tokens.ts";
import { type Answer, ask, HubRig, link } from "./rig.ts";

/** Scopes by their first letter; x is metrics. */
const LETTERS: Readonly<Record<string, Scope>> = {
  v: "viewer",
  m: "member",
  d: "daemon",
  a: "admin",
  x: "metrics",
};

interface Row {
  /** Who may, by letter; `*`: everybody, without a token too. All others are refused: 401, 403. */
  readonly may: string;
  /** What those get in the workspace whose things are asked for, in another, and over the hub's own socket. */
  readonly own: number | Readonly<Record<string, number>>;
  readonly foreign: number;
  readonly socket: number;
  /** Absent: the operation's own path. `{link}` and its like are things of the workspace `acme`. */
  readonly path?: string;
  readonly body?: Record<string, unknown>;
}

const row = (
  may: string,
  [own, foreign, socket]: readonly [Row["own"], number, number],
  path?: string,
  body?: Record<string, unknown>,
): Row => ({ may, own, foreign, socket, ...(path ? { path } : {}), ...(body ? { body } : {}) });

/** A share is changed by who made it, and by admins. */
const byMaker = (status: number) => ({ m: 403, d: 403, a: status });

// A body that is wrong in itself (422) shows who may call where the call would change what later rows need.
const TABLE: Readonly<Record<string, Row>> = {
  //                                   may     own  foreign socket
  "GET /healthz": row("*", [200, 200, 200]),
  "GET /readyz": row("*", [200, 200, 200]),
  "GET /v1/links": row("vmda", [200, 200, 200]),
  "GET /v1/links/:id": row("vmda", [200, 404, 200], "/v1/links/{link}"),
  "GET /v1/links/:id/logs": row("vmda", [200, 404, 200], "/v1/links/{link}/logs"),
  "POST /v1/links": row("mda", [422, 422, 422], "/v1/links", { service: "acme-db" }),
  "PATCH /v1/links/:id": row("mda", [422, 404, 422], "/v1/links/{link}", {}),
  "POST /v1/links/:id/renew": row("mda", [403, 404, 403], "/v1/links/{link}/renew", {}),
  "GET /v1/sessions": row("vmda", [200, 200, 200]),
  "GET /v1/services": row("vmda", [200, 200, 200]),
  "GET /v1/services/:name": row("vmda", [200, 404, 200], "/v1/services/acme-db"),
  "GET /v1/shares": row("vmda", [200, 200, 200]),
  "POST /v1/shares": row("mda", [201, 422, 201], "/v1/shares", { services: ["acme-db"] }),
  "GET /v1/shares/:id": row("vmda", [200, 404, 200], "/v1/shares/{share}"),
  "POST /v1/shares/join": row("ma", [200, 404, 404], "/v1/shares/join", { code: "{code}" }),
  "POST /v1/shares/:id/approve": row("mda", [byMaker(422), 404, 422], "/v1/shares/{share}/approve", {
    member: "nobody",
  }),
  "GET /v1/events": row("vmda", [200, 200, 200]),
  "GET /v1/tokens": row("a", [200, 200, 200]),
  "GET /v1/tokens/:id": row("a", [200, 404, 200], "/v1/tokens/{token}"),
  "POST /v1/tokens": row("a", [201, 403, 201], "/v1/tokens", { scope: "viewer", workspace: "acme" }),
  "POST /v1/tokens/:id/rotate": row("a", [200, 404, 200], "/v1/tokens/{token}/rotate"),
  "POST /v1/device": row("*", [200, 200, 200]),
  "POST /v1/device/token": row("*", [400, 400, 400], "/v1/device/token", { deviceCode: "none" }),
  "POST /v1/device/lookup": row("ma", [404, 404, 404], "/v1/device/lookup", { userCode: "none" }),
  "POST /v1/device/approve": row("ma", [404, 404, 404], "/v1/device/approve", { userCode: "none" }),
  "POST /v1/device/deny": row("ma", [404, 404, 404], "/v1/device/deny", { userCode: "none" }),
  "GET /v1/audit": row("vmda", [200, 200, 200]),
  "GET /v1/audit/head": row("a", [200, 200, 200]),
  "POST /v1/audit/verify": row("a", [200, 200, 200]),
  "GET /metrics": row("x", [200, 200, 200]),
  "GET /v1/tls/ask": row("*", [404, 404, 404], "/v1/tls/ask?domain=other.example.com"),
  "GET /v1/status": row("", [200, 200, 200]),
  "POST /v1/reload": row("", [409, 409, 409]),
  "POST /v1/backup": row("", [200, 200, 200]),
  "GET /v1/openapi.json": row("vmda", [200, 200, 200]),
  // What ends things comes last.
  "DELETE /v1/shares/:id": row("mda", [byMaker(200), 404, 200], "/v1/shares/{share}"),
  "DELETE /v1/links/:id": row("mda", [200, 404, 200], "/v1/links/{link}"),
  "DELETE /v1/tokens/:id": row("a", [200, 404, 200], "/v1/tokens/{token}"),
};

const ownOf = (own: Row["own"], letter: string) => typeof own === "number" ? own : own[letter];

/** Names in acme that no call says: whoever reads them elsewhere has seen what is not theirs. */
const HIDDEN = /acme-(?:web|daemon|owner|victim)/;

Deno.test("each operation has a row of the matrix, and each row an operation", () => {
  const names = apiOperations({} as HubState).map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(Object.keys(TABLE).sort(), names.sort());
});

Deno.test("every operation × every scope, its own workspace and another: nobody does or sees what is not theirs", async () => {
  await using rig = await HubRig.start({ trustedProxies: ["127.0.0.1/32"] });
  const things = await acme(rig);
  const create = async (scope: Scope, workspace: string) =>
    (await rig.hub.tokens.create({ scope, workspace, name: null, ttlMs: null })).token.expose();
  const tokens = new Map<string, { own: string; foreign: string }>();
  for (const [letter, scope] of Object.entries(LETTERS)) {
    tokens.set(letter, { own: await create(scope, "acme"), foreign: await create(scope, "other") });
  }
  const gone = await deadTokens(rig);
  let calls = 0;
  const check = async (
    name: string,
    who: string,
    where: number | string,
    token: string | null,
    due: number,
    refused = false,
  ) => {
    const answer = await call(where, name, token, things, ++calls);
    const what = `${name} by ${who}: ${answer.body.slice(0, 300)}`;
    assert.equal(answer.status, due, what);
    // A daemon that takes no changes is 403 as well: that is not about who asks.
    if (refused) assert.match(answer.json.code, /^(?:unauthorized|forbidden)$/, what);
    if (who.startsWith("foreign")) assert.doesNotMatch(answer.body, HIDDEN, `${name} by ${who}`);
  };
  const { port } = rig.hub.address;
  for (const [name, { may, own, foreign, socket }] of Object.entries(TABLE)) {
    const open = may === "*";
    const strangers: (readonly [string, string | null])[] = [["nobody", null], ...gone];
    for (const [who, token] of strangers) await check(name, who, port, token, open ? foreign : 401, !open);
    for (const [letter, of] of tokens) {
      const scope = LETTERS[letter], mayCall = open || may.includes(letter);
      await check(name, `foreign ${scope}`, port, of.foreign, mayCall ? foreign : 403, !mayCall);
      await check(name, `own ${scope}`, port, of.own, mayCall ? ownOf(own, letter) : 403, !mayCall);
    }
    await check(name, "socket", rig.hub.socket!, null, socket);
  }
});

/** A link, a private service, a share of it and a token, all in the workspace acme. */
async function acme(rig: HubRig): Promise<Record<string, string>> {
  const daemon = rig.attached({ workspace: "acme", daemon: "acme-daemon" });
  const db = { name: "acme-db", kind: "tcp", access: "private", remote: false, port: 5432 } as const;
  const [{ id }] = (await daemon.hello([link("acme-web")], { services: [db] })).links;
  const owner = await rig.hub.tokens.create({
    scope: "admin",
    workspace: "acme",
    name: "acme-owner",
    ttlMs: null,
  });
  const share = await rig.api("POST", "/v1/shares", owner.token.expose(), { services: ["acme-db"] });
  assert.equal(share.status, 201, share.body);
  const { record } = await rig.hub.tokens.create({
    ...{ scope: "viewer", workspace: "acme", name: "acme-victim", ttlMs: null },
  });
  return { link: id, share: share.json.id, code: share.json.code, token: record.id };
}

/** Tokens of an admin of acme that are good no more, and one that never was. */
async function deadTokens(rig: HubRig): Promise<[why: string, token: string][]> {
  const { tokens } = rig.hub;
  const wish = { scope: "admin", workspace: "acme", name: null, ttlMs: null } as const;
  const expired = await tokens.create({ ...wish, ttlMs: 0 });
  const revoked = await tokens.create(wish), rotated = await tokens.create(wish);
  await tokens.revoke(revoked.record.id, null);
  await tokens.rotate(rotated.record.id, 0, null);
  const made = [["expired", expired], ["revoked", revoked], ["rotated out", rotated]] as const;
  return [
    ...made.map(([why, { token }]): [string, string] => [why, token.expose()]),
    ["made up", `connectd_aaaaaaaa_${"a".repeat(32)}`],
  ];
}

/** Each call comes from an address of its own: wrong tokens and codes are counted by address. */
async function call(
  where: number | string,
  name: string,
  token: string | null,
  things: Readonly<Record<string, string>>,
  n: number,
): Promise<Answer> {
  const [method, pattern] = name.split(" "), { path = pattern, body } = TABLE[name];
  const fill = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_, thing) => things[thing]);
  const json = body === undefined
    ? ""
    : JSON.stringify(body).replaceAll(/\{(\w+)\}/g, (_, thing) => things[thing]);
  const fields = [
    `${method} ${fill(path)} HTTP/1.1`,
    `X-Forwarded-For: 198.51.${n >> 8}.${n & 255}`,
    ...(token === null ? [] : [`Authorization: Bearer ${token}`]),
    ...(body === undefined ? [] : ["Content-Type: application/json", `Content-Length: ${json.length}`]),
  ];
  const text = fields.join("\r\n");
  return path === "/v1/events" ? await glance(where, text) : await ask(where, "localhost", text, json);
}

/** The answer as far as it has come with its head: a stream of events goes on for ever. */
async function glance(where: number | string, text: string): Promise<Answer> {
  const socket: Deno.Conn = typeof where === "number"
    ? await Deno.connect({ hostname: "127.0.0.1", port: where })
    : await Deno.connect({ transport: "unix", path: where });
  const [first, ...rest] = text.split("\r\n");
  await socket.write(new TextEncoder().encode([first, "Host: localhost", ...rest, "\r\n"].join("\r\n")));
  const buffer = new Uint8Array(65536);
  let seen = "";
  while (!/\r\n\r\n[^]/.test(seen)) {
    const n = await socket.read(buffer);
    if (n === null) break;
    seen += new TextDecoder().decode(buffer.subarray(0, n));
  }
  socket.close();
  const [head, body = ""] = seen.split("\r\n\r\n");
  const status = Number(head.split(" ")[1]);
  return { status, head, body, json: status === 200 ? null : JSON.parse(body) };
}

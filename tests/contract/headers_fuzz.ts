/** What must hold of any request that goes on to a target. */
import assert from "node:assert/strict";
import { checkEditable, type EditsSpec, FieldEdits } from "../../src/core/field_edits.ts";
import { type ForwardOptions, provenance, requestToTarget } from "../../src/core/headers.ts";
import { Malformed } from "../../src/core/errors.ts";
import type { RequestHead } from "../../src/core/http1/types.ts";
import { Secret } from "../../src/core/secret.ts";
import { request } from "../pure/http1_inputs.ts";
import { inOnePiece, readRequest } from "../pure/http1_vectors.ts";
import type { Random } from "../pure/random.ts";
import { compareRequest, outcome } from "./http1_fuzz.ts";

/** A request as it goes on: read again, by us and llhttp, it is the same but for what is ours to say. */
export function headersCase(random: Random): boolean {
  const text = request(random);
  const read = outcome(() => readRequest(text, inOnePiece));
  if (read === null || read instanceof Malformed) return false;
  const { head, body } = read;
  const edits = random.below(2) === 0 ? null : editsOf(random, head);
  const o: ForwardOptions = {
    host: random.of([null, "localhost:3000"]),
    provenance: provenance({
      address: random.of(["192.0.2.7", "2001:db8::7"]),
      proto: random.of(["http", "https"]),
      publicHost: head.host,
      loop: "d1",
    }),
    dropOverrides: random.below(2) === 0,
    dropAuthorization: random.below(2) === 0,
    upgrade: random.of([null, head.upgrade]),
    edits: edits === null ? null : new FieldEdits(edits),
  };
  const sent = requestToTarget(head, o);
  try {
    const message = sent + (head.framing.kind === "chunked" ? "0\r\n\r\n" : body);
    const again = readRequest(message, inOnePiece)!;
    compareRequest(message, again);
    assert.equal(again.head.raw, sent);
    assert.equal(again.head.method, head.method);
    assert.equal(again.head.target, head.target);
    assert.deepEqual(again.head.framing, head.framing);
    assert.deepEqual(again.head.fields.slice(0, -ADDED), passing(head, o, edits));
    const added = again.head.fields.slice(-ADDED).map(([name]) => name);
    for (const name of added.slice(0, -1)) {
      assert.equal(again.head.fields.filter((pair) => alike(pair[0]) === alike(name)).length, 1, name);
    }
  } catch (error) {
    throw new Error(`${JSON.stringify(text)} went on as ${JSON.stringify(sent)}`, { cause: error });
  }
  return true;
}

/** Changes of fields that the head has and of others, in any spelling; each name once, as a file has it. */
function editsOf(random: Random, head: RequestHead): EditsSpec {
  const set: [string, Secret][] = [], remove: string[] = [];
  const seen = new Set<string>();
  for (let n = random.below(6); n > 0; n--) {
    const [name] = random.of([...head.fields, ["X-Key", ""], ["Authorization", ""], ["x_forwarded_x", ""]]);
    const spelled = random.of([name, name.toUpperCase(), name.replaceAll("-", "_"), `${name}-b`]);
    try {
      checkEditable(spelled, "request");
    } catch {
      continue;
    }
    if (seen.has(alike(spelled))) continue;
    seen.add(alike(spelled));
    if (random.below(2) === 0) remove.push(spelled);
    else set.push([spelled, new Secret(random.of(["", "a", "close, b", "chunked", "5", "a\tb: c"]))]);
  }
  return { set, remove };
}

/** X-Forwarded-For, -Proto, -Host, -Port, Forwarded, CDN-Loop. */
const ADDED = 6;

/** As those read names who turn them into variables. */
function alike(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

const ALWAYS_DROPPED =
  /^(connection|keep-alive|te|transfer-encoding|http2-settings|proxy|proxy[-_].*|x[-_]forwarded.*|cf[-_].*|content_length|transfer_encoding)$/i;
const FORGED = /^(forwarded|x-real-ip|true-client-ip)$/;
const OVERRIDES = /^(x-http-method-override|x-http-method|x-method-override|x-original-url|x-rewrite-url)$/;
const FOR_ALL = /^(host|content-length|expect|upgrade|authorization|cdn-loop|location|content-location)$/;

/** The pairs that go on before what connectd adds: the rules once more, in another way. */
function passing(head: RequestHead, o: ForwardOptions, edits: EditsSpec | null): [string, string][] {
  const changed = [...edits?.set.map(([name]) => name) ?? [], ...edits?.remove ?? []].map(alike);
  const named = head.fields.filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(",").map((member) => member.trim()));
  const pairs: [string, string][] = [];
  let trailers = false;
  for (const [name, value] of head.fields) {
    const lower = name.toLowerCase();
    if (lower === "te" && /(^|,)[ \t]*trailers[ \t]*(,|$)/i.test(value)) trailers = true;
    const dropped = ALWAYS_DROPPED.test(name) || FORGED.test(alike(name)) ||
      (o.dropOverrides && OVERRIDES.test(alike(name))) ||
      (o.dropAuthorization && lower === "authorization") ||
      (o.upgrade === null && lower === "upgrade") || changed.includes(alike(name)) ||
      (named.includes(lower) && !FOR_ALL.test(lower) && !OVERRIDES.test(alike(name)));
    if (!dropped) pairs.push(lower === "host" && o.host !== null ? ["Host", o.host] : [name, value]);
  }
  if (head.framing.kind === "chunked") pairs.push(["Transfer-Encoding", "chunked"]);
  if (trailers) pairs.push(["TE", "trailers"]);
  const connection = [...(trailers ? ["TE"] : []), ...(o.upgrade === null ? [] : ["Upgrade"])];
  if (connection.length > 0) pairs.push(["Connection", connection.join(", ")]);
  for (const [name, value] of edits?.set ?? []) pairs.push([name, value.expose()]);
  return pairs;
}

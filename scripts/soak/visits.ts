/** The kinds of visits. Each throws Broken where a promise did, anything else where it was interrupted. */
import { long, REQUESTS, RESPONSES } from "../../tests/pure/http1_vectors.ts";
import type { Random } from "../../tests/pure/random.ts";
import { Broken, check, endingOf, piece } from "../../tests/e2e/talk.ts";
import type { Ledger } from "./ledger.ts";
import { pause, Unserved, Visitor } from "./visitor.ts";

/** Where visitors go. */
export interface Place {
  readonly port: number;
  readonly ledger: Ledger;
  /** Links that come and go. */
  readonly fleeting: readonly string[];
}

/** One visit to a link that stays. */
export type Visit = (place: Place, random: Random) => Promise<void>;

const KIB = 1024;

const steady = ({ port, ledger }: Place, random: Random) => Visitor.of(port, "steady", ledger, random);

/** Requests of all sizes one after another on a kept connection. */
async function kept(place: Place, random: Random): Promise<void> {
  using visitor = await steady(place, random);
  for (let left = 1 + random.below(20); left > 0; left--) {
    await random.of([sum, fill, echo])(visitor);
    if (random.below(4) === 0) await pause(random.below(200));
  }
}

const sizes = [0, 1, 100, 4 * KIB, 64 * KIB + 1, 300 * KIB];

async function sum(visitor: Visitor): Promise<void> {
  const { random, ledger } = visitor;
  const method = random.of(["POST", "PUT", "PATCH"]);
  const number = ledger.send(method), octets = random.of(sizes), chunked = random.below(2) === 0;
  const fields = random.below(4) === 0 ? "Expect: 100-continue\r\n" : "";
  const body = { octets, chunked, pauseMs: 0 };
  const sha = await visitor.send({ method, path: `/sum/${number}`, fields, body }, number);
  await visitor.sum(number, octets, sha, chunked ? `X-Number: ${number}` : "");
}

async function fill(visitor: Visitor): Promise<void> {
  const { random, ledger } = visitor;
  const number = ledger.send("GET"),
    octets = random.of(sizes),
    by = random.of(["length", "chunked", "close"]);
  await visitor.send({ method: "GET", path: `/fill/${number}?octets=${octets}&by=${by}` }, number);
  await visitor.fill(await visitor.expect(200), number, octets);
  ledger.answered(number);
}

/** Both directions at once. */
async function echo(visitor: Visitor): Promise<void> {
  const { random, ledger } = visitor;
  const number = ledger.send("POST"), octets = random.of(sizes), chunked = random.below(2) === 0;
  const body = { octets, chunked, pauseMs: 0 };
  const sent = visitor.send({ method: "POST", path: `/echo/${number}`, body }, number);
  // Whatever breaks is seen by who reads.
  sent.catch(() => {});
  await visitor.fill(await visitor.expect(200), number, octets);
  await sent;
  ledger.answered(number);
}

/** Several requests before the first answer; the answers come in their order. */
async function pipelined(place: Place, random: Random): Promise<void> {
  using visitor = await steady(place, random);
  const answers: (() => Promise<void>)[] = [];
  const sending = async () => {
    for (let left = 2 + random.below(7); left > 0; left--) {
      if (random.below(2) === 0) {
        const number = place.ledger.send("GET"), octets = random.of(sizes);
        await visitor.send({ method: "GET", path: `/fill/${number}?octets=${octets}&by=chunked` }, number);
        answers.push(async () => {
          await visitor.fill(await visitor.expect(200), number, octets);
          place.ledger.answered(number);
        });
      } else {
        const number = place.ledger.send("POST"), octets = random.below(4 * KIB);
        const body = { octets, chunked: false, pauseMs: 0 };
        const sha = await visitor.send({ method: "POST", path: `/sum/${number}`, body }, number);
        answers.push(() => visitor.sum(number, octets, sha, ""));
      }
    }
  };
  await sending();
  for (const answer of answers) await answer();
}

/** Leaves at any moment: in a head, in a body, before the answer, within it, unread octets in the kernel or not. */
async function leaves(place: Place, random: Random): Promise<void> {
  using visitor = await steady(place, random);
  const { ledger } = place;
  if (random.below(3) === 0) {
    const number = ledger.send("POST");
    const head = visitor.headOf({
      method: "POST",
      path: `/sum/${number}`,
      body: { octets: 100_000, chunked: false, pauseMs: 0 },
    });
    const octets = random.below(head.length + 50_000);
    await visitor.talk.write(head.slice(0, octets));
    if (octets > head.length) await visitor.talk.write(piece(number, 0, octets - head.length));
    await pause(random.below(100));
  } else if (random.below(2) === 0) {
    const number = ledger.send("GET");
    await visitor.send({ method: "GET", path: `/hold/${number}` }, number);
    await pause(random.below(500));
    if (random.below(2) === 0) await visitor.talk.endWriting();
  } else {
    const number = ledger.send("GET"), octets = random.below(4096) * KIB, enough = random.below(octets + 1);
    await visitor.send({ method: "GET", path: `/fill/${number}?octets=${octets}&by=length` }, number);
    const head = await visitor.expect(200);
    let at = 0;
    await visitor.talk.octets(Math.min(enough, endingOf(head, 0) as number), (bytes) => {
      check(number, at, bytes);
      at += bytes.length;
    });
    await pause(random.below(1_000));
  }
}

/** The target goes before its answer or within: 502, or an answer that is seen to be cut. */
async function deserted(place: Place, random: Random): Promise<void> {
  using visitor = await steady(place, random);
  const { ledger } = place;
  const method = random.of(["GET", "POST"]), number = ledger.send(method);
  const body = method === "GET" ? null : { octets: random.of(sizes), chunked: false, pauseMs: 0 };
  const after = random.below(2) === 0 ? null : random.of(sizes);
  const path = `/die/${number}${after === null ? "" : `?after=${after}`}`;
  const sent = visitor.send({ method, path, body }, number);
  sent.catch(() => {});
  if (after === null) {
    await visitor.text(await visitor.expect(502));
    return;
  }
  const head = await visitor.expect(200);
  let at = 0;
  try {
    await visitor.talk.body(endingOf(head, "close"), (bytes) => {
      check(number, at, bytes);
      at += bytes.length;
    });
  } catch (error) {
    if (error instanceof Broken) throw error;
    // That is what was due: Cut or a reset, and up to there the right octets.
    return;
  }
  throw new Broken(`an answer that its target cut at ${after} octets ended well`);
}

const ANSWERS = RESPONSES.flatMap(({ request, expect }, index) =>
  request.upgrade === undefined && /^(GET|HEAD|POST)$/.test(request.method)
    ? [{ index, method: request.method, expect }]
    : []
);

/** Whatever a target may answer: what is no HTTP is 502 or seen to be cut, what is comes as it was meant. */
async function answered(place: Place, random: Random): Promise<void> {
  const { index, method, expect } = random.of(ANSWERS);
  using visitor = await steady(place, random);
  const number = place.ledger.send(method), path = `/vector/${number}?case=${index}`;
  const body = method === "POST" ? { octets: 10, chunked: false, pauseMs: 0 } : null;
  await visitor.send({ method, path, body }, number);
  let text = "";
  const read = async () => {
    const head = await visitor.head();
    text = head.first;
    if (method !== "HEAD" && !/ (204|304) /.test(`${head.first} `)) text += `\n${await visitor.text(head)}`;
  };
  if (expect.accept) {
    await read();
    if (
      !text.startsWith(`HTTP/1.1 ${expect.status} `) || !text.endsWith(method === "HEAD" ? "" : expect.body)
    ) {
      if (/^HTTP\/1\.1 50[23] /.test(text)) throw new Unserved(`${RESPONSES[index].name}: ${text}`);
      throw new Broken(`the answer ${RESPONSES[index].name} came as ${JSON.stringify(text)}`);
    }
    return place.ledger.answered(number);
  }
  // A reset is a cut as well.
  const whole = await read().then(() => true, () => false);
  if (whole && !/^HTTP\/1\.1 50[23] /.test(text)) {
    throw new Broken(`the answer ${RESPONSES[index].name} came as ${JSON.stringify(text)}`);
  }
}

/** Reads with pauses, or sends with pauses, or has a target that does. */
async function slow(place: Place, random: Random): Promise<void> {
  using visitor = await steady(place, random);
  const { ledger } = place;
  if (random.below(2) === 0) {
    const number = ledger.send("GET"), octets = (1 + random.below(4)) * 1024 * KIB;
    await visitor.send({ method: "GET", path: `/fill/${number}?octets=${octets}&by=chunked` }, number);
    await visitor.fill(await visitor.expect(200), number, octets, () => pause(random.below(20)));
    return ledger.answered(number);
  }
  const method = "POST", number = ledger.send(method), chunked = random.below(2) === 0;
  const [pauseMs, wait] = random.of([[20, 0], [0, 20]]), octets = pauseMs > 0 ? 200 * KIB : 1024 * KIB;
  const path = `/sum/${number}?pause=${wait}`;
  const sha = await visitor.send({ method, path, body: { octets, chunked, pauseMs } }, number);
  await visitor.sum(number, octets, sha, chunked ? `X-Number: ${number}` : "");
}

/** A WebSocket: both directions at once after the 101. */
async function socket(place: Place, random: Random): Promise<void> {
  using visitor = await steady(place, random);
  const number = place.ledger.send("GET"), octets = random.below(1024 * KIB);
  const fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  await visitor.send({ method: "GET", path: `/socket/${number}`, fields }, number);
  await visitor.expect(101);
  const leaves = random.below(4) === 0;
  const body = { octets, chunked: false, pauseMs: random.below(3) };
  visitor.sendBody(body, number).catch(() => {});
  let at = 0;
  await visitor.talk.octets(leaves ? octets >> 1 : octets, (bytes) => {
    check(number, at, bytes);
    at += bytes.length;
  });
  place.ledger.answered(number);
  await pause(random.below(500));
  if (leaves || random.below(2) === 0) return;
  await visitor.talk.endWriting();
  await visitor.talk.body("close", () => {
    throw new Broken("a socket gave more than it was given");
  });
}

/** An event stream, read to its end. */
async function events(place: Place, random: Random): Promise<void> {
  using visitor = await steady(place, random);
  const number = place.ledger.send("GET"), count = 1 + random.below(30);
  await visitor.send(
    { method: "GET", path: `/events/${number}?count=${count}&pause=${random.below(150)}` },
    number,
  );
  const text = await visitor.text(await visitor.expect(200));
  const due = Array.from({ length: count }, (_, i) => `id: ${i}\ndata: ${number}\n\n`).join("");
  if (text !== due) throw new Broken(`${count} events came as ${JSON.stringify(text)}`);
  place.ledger.answered(number);
}

const REFUSED = REQUESTS.flatMap(({ name, bytes, expect }) =>
  expect.accept || expect.truncated ? [] : [{ name, text: long(bytes), status: expect.status }]
);

/** What is no request, or two at once: refused, and what follows on the connection is nothing at all. */
async function malformed(place: Place, random: Random): Promise<void> {
  const { name, text, status } = random.of(REFUSED);
  using visitor = await Visitor.of(place.port, "trap", place.ledger, random);
  const behind = `GET / HTTP/1.1\r\nHost: ${visitor.host}\r\n\r\n`;
  // The hub may have answered and gone before all is written.
  const sent = visitor.writeSplit(text.replaceAll("a.test", visitor.host) + behind).catch(() => {});
  try {
    await visitor.text(await visitor.expect(status));
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    throw new Broken(`${name}: ${error.message}`);
  }
  await sent;
  const next = await visitor.talk.head().catch(() => null);
  if (next !== null) throw new Broken(`${name}: another answer, ${next.first}`);
}

/** The policy of the link `guarded` (`place.ts`): who it refuses never reaches the target. */
async function refused(place: Place, random: Random): Promise<void> {
  const { ledger } = place;
  using visitor = await Visitor.of(place.port, "guarded", ledger, random);
  for (let left = 1 + random.below(5); left > 0; left--) {
    const [method, path, status] = random.of(ASKED);
    const number = ledger.send(method, status === 200);
    const what = path.replace("#", String(number));
    const body = method === "GET" ? null : { octets: random.below(2 * KIB), chunked: false, pauseMs: 0 };
    await visitor.send({ method, path: what, body }, number);
    const head = await visitor.expect(status);
    await visitor.text(head);
    if (head.fields.get("connection") === "close") return;
  }
}

const ASKED = [
  ["POST", "/sum/#", 200],
  ["GET", "/fill/#?octets=100&by=length", 200],
  ["DELETE", "/sum/#", 405],
  ["POST", "/echo/#", 403],
  ["GET", "/summit/#", 403],
  ["GET", "/fill/#/../../admin", 400],
  ["POST", "/sum/%2e%2e/#", 400],
  ["POST", "//sum/#", 400],
] as const;

/** A link that may end at any moment: right, refused or cut, never wrong. */
async function fleeting(place: Place, random: Random): Promise<void> {
  using visitor = await Visitor.of(place.port, random.of(place.fleeting), place.ledger, random);
  try {
    for (let left = 1 + random.below(5); left > 0; left--) await random.of([sum, fill, echo])(visitor);
  } catch (error) {
    if (error instanceof Broken && !/ 410 | 503 /.test(error.message)) throw error;
    // It was closed or revoked: nothing else is promised.
  }
}

/** How often each comes among a hundred or so. */
export const VISITS: readonly (readonly [name: string, visit: Visit, often: number])[] = [
  ["kept", kept, 25],
  ["pipelined", pipelined, 10],
  ["leaves", leaves, 15],
  ["deserted", deserted, 10],
  ["answered", answered, 10],
  ["slow", slow, 6],
  ["sockets", socket, 6],
  ["events", events, 6],
  ["malformed", malformed, 15],
  ["refused", refused, 10],
  ["fleeting", fleeting, 15],
];

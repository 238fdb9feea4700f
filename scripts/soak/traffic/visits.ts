/** Visits that are served, and how often each kind comes. */
import type { Random } from "../../../tests/pure/random.ts";
import { Broken, check } from "../../../tests/e2e/talk.ts";
import { answered, deserted, leaves, malformed, refused } from "./odd_visits.ts";
import { pause } from "../campaign.ts";
import { KIB, type Place, SIZES, steady, type Visit, Visitor } from "./visitor.ts";

/** Requests of all sizes one after another on a kept connection. */
async function kept(place: Place, random: Random): Promise<void> {
  using visitor = await steady(place, random);
  for (let left = 1 + random.below(20); left > 0; left--) {
    await random.of([sum, fill, echo])(visitor);
    if (random.below(4) === 0) await pause(random.below(200));
  }
}

async function sum(visitor: Visitor): Promise<void> {
  const { random, ledger } = visitor;
  const method = random.of(["POST", "PUT", "PATCH"]);
  const number = ledger.send(method), octets = random.of(SIZES), chunked = random.below(2) === 0;
  const fields = random.below(4) === 0 ? "Expect: 100-continue\r\n" : "";
  const body = { octets, chunked, pauseMs: 0 };
  const sha = await visitor.send({ method, path: `/sum/${number}`, fields, body }, number);
  await visitor.sum(number, octets, sha, chunked ? `X-Number: ${number}` : "");
}

async function fill(visitor: Visitor): Promise<void> {
  const { random, ledger } = visitor;
  const number = ledger.send("GET"),
    octets = random.of(SIZES),
    by = random.of(["length", "chunked", "close"]);
  await visitor.send({ method: "GET", path: `/fill/${number}?octets=${octets}&by=${by}` }, number);
  await visitor.fill(await visitor.expect(200), number, octets);
  ledger.answered(number);
}

/** Both directions at once. */
async function echo(visitor: Visitor): Promise<void> {
  const { random, ledger } = visitor;
  const number = ledger.send("POST"), octets = random.of(SIZES), chunked = random.below(2) === 0;
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
        const number = place.ledger.send("GET"), octets = random.of(SIZES);
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

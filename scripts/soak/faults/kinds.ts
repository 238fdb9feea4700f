/** Requests that a crowd makes: each one is through in a second or two where nothing is broken. */
import { Broken, check, type Head } from "../../../tests/e2e/talk.ts";
import { pause } from "../campaign.ts";
import { KIB, SIZES, Unserved, type Visitor, type Wish } from "../traffic/visitor.ts";

export interface Kind {
  readonly name: string;
  /** Waits for what does not come, until it is cut. */
  readonly patient: boolean;
  /** No other request can follow on its connection. */
  readonly spends: boolean;
  /** `heard` is called when an answer begins. */
  readonly run: (visitor: Visitor, heard: () => void) => Promise<void>;
}

/** The head that is due; throws Unserved for the answers of those in trouble, Broken for all others. */
async function expect(visitor: Visitor, heard: () => void, status = 200): Promise<Head> {
  const head = await visitor.head();
  if (head.first.startsWith(`HTTP/1.1 ${status} `)) {
    heard();
    return head;
  }
  const told = `${head.first} ${await visitor.text(head)}`;
  if (/^HTTP\/1\.1 50[234] /.test(head.first)) throw new Unserved(told);
  throw new Broken(`${status} is due, not ${told}`);
}

async function sum(visitor: Visitor, heard: () => void, octets: number, pauseMs: number): Promise<void> {
  const { random, ledger } = visitor;
  const method = random.of(["POST", "PUT", "PATCH"]), number = ledger.send(method);
  const chunked = random.below(2) === 0;
  const fields = random.below(4) === 0 ? "Expect: 100-continue\r\n" : "";
  const body = { octets, chunked, pauseMs };
  const sha = await visitor.send({ method, path: `/sum/${number}`, fields, body }, number);
  const text = await visitor.text(await expect(visitor, heard));
  const due = `${octets} ${sha} ${chunked ? `X-Number: ${number}` : ""}`;
  // Names are in lower case behind some fronts.
  if (text.toLowerCase() !== due.toLowerCase()) {
    throw new Broken(`the target says ${JSON.stringify(text)}, not ${JSON.stringify(due)}`);
  }
  ledger.answered(number);
}

async function fill(
  visitor: Visitor,
  heard: () => void,
  method: string,
  octets: number,
  slow?: () => Promise<void>,
): Promise<void> {
  const { random, ledger } = visitor;
  const number = ledger.send(method), by = random.of(["length", "chunked"]);
  await visitor.send({ method, path: `/fill/${number}?octets=${octets}&by=${by}` }, number);
  await visitor.fill(await expect(visitor, heard), number, octets, slow);
  ledger.answered(number);
}

/** Both directions at once. */
async function echo(visitor: Visitor, heard: () => void): Promise<void> {
  const { random, ledger } = visitor;
  const number = ledger.send("POST"), octets = random.of(SIZES);
  const body = { octets, chunked: random.below(2) === 0, pauseMs: 0 };
  const sent = visitor.send({ method: "POST", path: `/echo/${number}`, body }, number);
  // Whatever breaks is seen by who reads.
  sent.catch(() => {});
  await visitor.fill(await expect(visitor, heard), number, octets);
  await sent;
  ledger.answered(number);
}

/** Unsafe and safe ones before the first answer. */
async function pipelined(visitor: Visitor, heard: () => void): Promise<void> {
  const { random, ledger } = visitor;
  const asked = Array.from({ length: 2 + random.below(4) }, () => {
    const method = random.of(["GET", "DELETE", "POST"]);
    return { method, number: ledger.send(method), octets: random.of([0, 100, 4 * KIB]) };
  });
  for (const { method, number, octets } of asked) {
    const body: Wish["body"] = method === "POST" ? { octets: 100, chunked: false, pauseMs: 0 } : null;
    await visitor.send({ method, path: `/fill/${number}?octets=${octets}&by=length`, body }, number);
  }
  for (const { number, octets } of asked) {
    await visitor.fill(await expect(visitor, heard), number, octets);
    ledger.answered(number);
  }
}

/** A WebSocket: both directions at once after the 101. */
async function socket(visitor: Visitor, heard: () => void): Promise<void> {
  const { random, ledger } = visitor;
  const number = ledger.send("GET"), octets = random.below(200 * KIB);
  const fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  await visitor.send({ method: "GET", path: `/socket/${number}`, fields }, number);
  await expect(visitor, heard, 101);
  visitor.sendBody({ octets, chunked: false, pauseMs: random.below(3) }, number).catch(() => {});
  let at = 0;
  await visitor.talk.octets(octets, (bytes) => {
    check(number, at, bytes);
    at += bytes.length;
  });
  ledger.answered(number);
  await visitor.talk.endWriting();
  await visitor.talk.body("close", () => {});
}

async function events(visitor: Visitor, heard: () => void): Promise<void> {
  const number = visitor.ledger.send("GET");
  await visitor.send({ method: "GET", path: `/events/${number}?count=10&pause=50` }, number);
  await visitor.text(await expect(visitor, heard));
  visitor.ledger.answered(number);
}

/** A target that reads the request's head and goes: were it sent again, it would be there twice. */
async function deserted(visitor: Visitor): Promise<void> {
  const { random, ledger } = visitor;
  const method = random.of(["POST", "DELETE", "PATCH"]), number = ledger.send(method);
  await visitor.send({ method, path: `/die/${number}` }, number);
  const head = await visitor.head(), told = await visitor.text(head);
  if (!/^HTTP\/1\.1 50[234] /.test(head.first)) throw new Broken(`502 is due, not ${head.first} ${told}`);
}

/** A target that gives no answer. */
async function hold(visitor: Visitor, heard: () => void, method: string): Promise<void> {
  const number = visitor.ledger.send(method);
  await visitor.send({ method, path: `/hold/${number}` }, number);
  await visitor.text(await expect(visitor, heard));
}

const often = (n: number, name: string, run: Kind["run"], spends = false): Kind[] =>
  Array.from({ length: n }, () => ({ name, patient: false, spends, run }));

/** Each as often as it stands there. */
export const KINDS: readonly Kind[] = [
  ...often(4, "an upload", (visitor, heard) => sum(visitor, heard, visitor.random.of(SIZES), 0)),
  ...often(3, "a download", (visitor, heard) => fill(visitor, heard, "GET", visitor.random.of(SIZES))),
  ...often(2, "a DELETE", (visitor, heard) => fill(visitor, heard, "DELETE", 12)),
  ...often(2, "an echo", echo),
  ...often(2, "a pipeline", pipelined),
  ...often(2, "a request whose target goes", deserted),
  ...often(1, "a slow upload", (visitor, heard) => sum(visitor, heard, 100 * KIB, 10)),
  ...often(1, "a slow download", (visitor, heard) => fill(visitor, heard, "GET", 300 * KIB, () => pause(5))),
  ...often(1, "a WebSocket", socket, true),
  ...often(1, "an event stream", events),
];

const patient = (method: string): Kind => ({
  name: `a ${method} without an answer`,
  patient: true,
  spends: true,
  run: (visitor, heard) => hold(visitor, heard, method),
});

/** Those that stay until something breaks. */
export const PATIENT: readonly Kind[] = [patient("GET"), patient("DELETE")];

/** Visits that go wrong: the visitor leaves, the target does, or what one of them says is not to be passed on. */
import { long, REQUESTS, RESPONSES } from "../../../tests/pure/http1_vectors.ts";
import type { Random } from "../../../tests/pure/random.ts";
import { Broken, check, endingOf, piece } from "../../../tests/e2e/talk.ts";
import { pause } from "../campaign.ts";
import { KIB, type Place, SIZES, steady, Unserved, Visitor } from "./visitor.ts";

/** Leaves at any moment: in a head, in a body, before the answer, within it, unread octets in the kernel or not. */
export async function leaves(place: Place, random: Random): Promise<void> {
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
export async function deserted(place: Place, random: Random): Promise<void> {
  using visitor = await steady(place, random);
  const { ledger } = place;
  const method = random.of(["GET", "POST"]), number = ledger.send(method);
  const body = method === "GET" ? null : { octets: random.of(SIZES), chunked: false, pauseMs: 0 };
  const after = random.below(2) === 0 ? null : random.of(SIZES);
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
export async function answered(place: Place, random: Random): Promise<void> {
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

const REFUSED = REQUESTS.flatMap(({ name, bytes, expect }) =>
  expect.accept || expect.truncated ? [] : [{ name, text: long(bytes), status: expect.status }]
);

/** What is no request, or two at once: refused, and what follows on the connection is nothing at all. */
export async function malformed(place: Place, random: Random): Promise<void> {
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
export async function refused(place: Place, random: Random): Promise<void> {
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

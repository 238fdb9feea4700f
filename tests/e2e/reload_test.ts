/** A thousand links and a thousand streams, and a reload under them. */
import assert from "node:assert/strict";
import { startPair } from "./pair.ts";
import { eventually, Rig } from "./rig.ts";
import { chunk, endingOf, Talk } from "./talk.ts";

const LINKS = 1_000, STREAMS = 1_000;

/** Of the links: those before CLOSED go, those before CHANGED are retuned, all others stay as they are. */
const CLOSED = 25, CHANGED = 75;

/** What an explicit reload waits for the file to stand still, in ms (interfaces: Reload). */
const STILL_MS = 25;

function links(port: number, from: number, rate: number, more: number): string {
  const link = (name: string, rate: number) =>
    `  ${name}:\n    target: localhost:${port}\n    subdomain: ${name}\n    methods: [GET]\n    rate: ${rate}/m\n`;
  const kept = Array.from(
    { length: LINKS - from },
    (_, i) => link(`l${from + i}`, from + i < CHANGED ? rate : 60),
  );
  return [...kept, ...Array.from({ length: more }, (_, i) => link(`new${i}`, 60))].join("");
}

/** An event stream for each request: an event at once, and another when all are told to go on. */
function eventTarget(rig: Rig): { port: number; open: Set<Talk> } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Talk>();
  rig.atEnd(() => {
    listener.close();
    for (const talk of open) talk.close();
  });
  const serve = async (talk: Talk) => {
    if (await talk.head() === null) return;
    await talk.write(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    await talk.write(event("before"));
    open.add(talk);
  };
  (async () => {
    // A connection that breaks is missed by its visitor.
    for await (const conn of listener) serve(new Talk(conn)).catch(() => {});
  })();
  return { port: (listener.addr as Deno.NetAddr).port, open };
}

const event = (text: string) => chunk(new TextEncoder().encode(`data: ${text}\n\n`));

Deno.test("of 1,000 streams on links that stay, none drops when 1,000 links are reloaded", async () => {
  await using rig = new Rig();
  const { port, open } = eventTarget(rig);
  const pair = await startPair(rig, links(port, 0, 60, 0));
  const heard: string[] = [];
  const visitors = await Promise.all(Array.from({ length: STREAMS }, async (_, i) => {
    const talk = await Talk.to(pair.port);
    // On changed ones too: what is open there stays as well.
    const name = `l${CLOSED + i % (LINKS - CLOSED)}`;
    await talk.write(`GET / HTTP/1.1\r\nHost: ${name}.localhost:${pair.port}\r\n\r\n`);
    const head = (await talk.head())!;
    assert.match(head.first, /^HTTP\/1\.1 200 /, name);
    heard[i] = "";
    const over = talk.body(endingOf(head, 0), (bytes) => void (heard[i] += new TextDecoder().decode(bytes)));
    // Whoever drops is found below.
    over.catch(() => {});
    return { talk, over };
  }));
  await eventually(
    () => Promise.resolve(heard.filter((text) => text === "data: before\n\n").length),
    (n) => n === STREAMS,
  );

  // The call has a connection already: it comes long before the watch, which waits for 200 ms.
  await (await fetch(`${pair.control}/healthz`)).text();
  pair.write(links(port, CLOSED, 120, CLOSED));
  const begun = performance.now();
  const response = await fetch(`${pair.control}/v1/reload`, {
    method: "POST",
    headers: { Authorization: `Bearer ${pair.token}` },
  });
  const { plan, applied } = await response.json() as { plan: { step: string }[]; applied: boolean };
  console.log(
    `1,000 links reloaded in ${
      (performance.now() - begun - STILL_MS).toFixed(0)
    } ms, and ${STILL_MS} ms before`,
  );
  assert.equal(applied, true);
  const count = (step: string) => plan.filter((one) => one.step === step).length;
  assert.deepEqual([count("close"), count("retune"), count("open"), plan.length], [
    CLOSED,
    CHANGED - CLOSED,
    CLOSED,
    CLOSED + CHANGED,
  ]);

  for (const talk of open) await talk.write(event("after"));
  for (const talk of open) await talk.write("0\r\n\r\n");
  await Promise.all(visitors.map(({ over }) => over));
  assert.deepEqual(new Set(heard), new Set(["data: before\n\ndata: after\n\n"]));
  for (const { talk } of visitors) talk.close();
});

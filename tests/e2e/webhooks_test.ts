/** Webhooks as their senders sign them and their receivers verify them, through a link: one changed octet would show. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhooks } from "@octokit/webhooks";
import Stripe from "stripe";
import { curl, Rig } from "./rig.ts";

const SECRET = "whsec_of_this_test_and_of_no_other";

/** Bodies that somebody on the way could be tempted to tidy up. */
const BODIES: readonly string[] = [
  `{"id":"evt_1","object":"event","type":"charge.succeeded"}`,
  `{ "id":"evt_2",\r\n  "object": "event",\t"type":"x",  "name": "Zoë 日本 \\u00e9" }\n\n`,
  `{"id":"evt_3","object":"event","type":"x","note":"${"long ".repeat(50_000)}"}`,
];

/** A receiver on node:http, as most of them are: `verify` says whether it believes a request. */
async function receiver(
  rig: Rig,
  verify: (request: IncomingMessage, body: Buffer) => boolean | Promise<boolean>,
): Promise<number> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", async () => {
      const good = await verify(request, Buffer.concat(parts));
      response.writeHead(good ? 200 : 400).end(good ? "verified\n" : "forged\n");
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  rig.atEnd(() => void server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}

async function webhookLink(rig: Rig, port: number): Promise<string> {
  const { ready } = await rig.daemon(
    `version: 1\nlinks:\n  hook:\n    target: localhost:${port}\n    methods: [POST]\n    paths: [/webhooks]\n    rate: 100/m burst 20\n`,
  );
  return ready.links[0].url;
}

Deno.test("what Stripe signs, Stripe's library verifies behind a link, and nothing else", async () => {
  await using rig = new Rig();
  const stripe = new Stripe("sk_test_unused");
  const port = await receiver(rig, (request, body) => {
    const signature = request.headers["stripe-signature"] as string;
    return stripe.webhooks.constructEventAsync(body, signature, SECRET).then(() => true, () => false);
  });
  const url = await webhookLink(rig, port);
  for (const [i, payload] of BODIES.entries()) {
    const header = await stripe.webhooks.generateTestHeaderStringAsync({ payload, secret: SECRET });
    const file = rig.file(`stripe-${i}`, payload);
    const send = (signature: string) =>
      curl(`${url}/webhooks/stripe`, "--data-binary", `@${file}`, "-H", `Stripe-Signature: ${signature}`);
    assert.deepEqual([(await send(header)).status, (await send(header)).body], [200, "verified\n"]);
    assert.equal((await send(header.replace(/v1=../, "v1=00"))).status, 400);
  }
  assert.equal((await curl(`${url}/webhooks/stripe`)).status, 405);
});

Deno.test("what GitHub signs, its library verifies behind a link, and nothing else", async () => {
  await using rig = new Rig();
  const webhooks = new Webhooks({ secret: SECRET });
  const port = await receiver(
    rig,
    (request, body) =>
      webhooks.verify(body.toString("utf8"), request.headers["x-hub-signature-256"] as string),
  );
  const url = await webhookLink(rig, port);
  for (const [i, payload] of BODIES.entries()) {
    const signature = await webhooks.sign(payload);
    const file = rig.file(`github-${i}`, payload);
    const send = (signature: string) =>
      curl(
        `${url}/webhooks/github`,
        ...["--data-binary", `@${file}`, "-H", `X-Hub-Signature-256: ${signature}`],
        ...["-H", "X-GitHub-Event: push", "-H", "Content-Type: application/json"],
      );
    assert.equal((await send(signature)).status, 200);
    assert.equal((await send(signature.replace(/=./, signature[7] === "0" ? "=1" : "=0"))).status, 400);
  }
});

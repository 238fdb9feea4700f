/** gRPC-Web and Connect through a link, by ConnectRPC's server and client. */
import assert from "node:assert/strict";
import { type Process, Rig } from "../e2e/rig.ts";
import { onBoth, openWays } from "./ways.ts";

const packages = new URL("./packages/", import.meta.url).pathname;

function grpcWeb(rig: Rig, ...args: string[]): Process {
  const program = ["run", "-A", "--no-prompt", "--config", `${packages}deno.json`, `${packages}grpc_web.ts`];
  return rig.spawn(Deno.execPath(), [...program, ...args]);
}

/** What a client that sees everything sees (packages/grpc_web.ts). */
const WHOLE = [
  ...["header before", "trailer behind", "hello ☃", "3000000"],
  ...["InvalidArgument", "Unauthenticated", "Unavailable", "Internal"].map((code) =>
    `${code} it failed ☃ because`
  ),
  ...["header before", "trailer behind", "200 items 199001 octets", "whole"],
  ...["header before", "100 items 49501 octets", "Aborted it failed ☃ because"],
  Array.from({ length: 100 }, (_, i) => `${i} `).join(""),
];

Deno.test("calls of gRPC-Web and Connect come to the same through a link: messages, trailers and errors", async () => {
  await using rig = new Rig();
  const { port } = await grpcWeb(rig, "serve").ready<{ port: number }>();
  const ways = (await openWays(rig, { grpc: port }))("grpc");
  const { straight, through } = await onBoth(ways, async ({ host }) => {
    return (await grpcWeb(rig, "visit", host).ready<{ seen: Record<string, string[]> }>()).seen;
  });
  assert.deepEqual(through, straight);
  assert.deepEqual(Object.keys(through), ["gRPC-Web", "gRPC-Web, gzip", "Connect", "Connect, gzip"]);
  for (const seen of Object.values(through)) assert.deepEqual(seen, WHOLE);
});

/**
 * gRPC-Web and Connect by ConnectRPC, over HTTP/1.1: as `serve` a server that prints its port, as `visit HOST:PORT` a
 * client that prints what each of its calls came to. Every message is a google.protobuf.StringValue.
 */
import { createServer } from "node:http";
import type { AddressInfo, LookupFunction } from "node:net";
import { create, createFileRegistry, type Message } from "@bufbuild/protobuf";
import { file_google_protobuf_wrappers, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type HandlerContext, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  connectNodeAdapter,
  createConnectTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";

const VALUE = ".google.protobuf.StringValue";
const method = (name: string, clientStreaming: boolean, serverStreaming: boolean) => ({
  ...{ name, clientStreaming, serverStreaming, inputType: VALUE, outputType: VALUE },
});
const file = create(FileDescriptorProtoSchema, {
  ...{
    name: "talk.proto",
    package: "test",
    syntax: "proto3",
    dependency: ["google/protobuf/wrappers.proto"],
  },
  service: [{
    name: "Talk",
    method: [method("Say", false, false), method("Count", false, true), method("Join", true, false)],
  }],
});
const Talk = createFileRegistry(file, () => file_google_protobuf_wrappers).getService("test.Talk")!;

type Text = Message & { value: string };

/** What the head and the trailers of every answer have. */
function mark(context: HandlerContext): void {
  context.responseHeader.set("x-said", "before");
  context.responseTrailer.set("x-said", "behind");
}

/** Fails where the text asks for a code. */
function obey({ value }: Text): void {
  const code = /^fail (\d+)/.exec(value)?.[1];
  if (code !== undefined) throw new ConnectError("it failed ☃", Number(code), { "x-why": "because" });
}

const answers = {
  say(text: Text, context: HandlerContext) {
    mark(context);
    obey(text);
    return { value: text.value };
  },
  async *count(text: Text, context: HandlerContext) {
    mark(context);
    for (let i = 0; i < 200; i++) {
      yield { value: String(i).padEnd(i * 10) };
      if (i === 99) obey(text);
    }
  },
  async join(texts: AsyncIterable<Text>) {
    let value = "";
    for await (const text of texts) value += text.value;
    return { value };
  },
};

async function serve(): Promise<void> {
  const handler = connectNodeAdapter({ routes: (router) => router.service(Talk, answers as object) });
  const server = createServer(handler);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  console.log(JSON.stringify({ ready: true, port: (server.address() as AddressInfo).port }));
}

/** `*.localhost` is this machine, whatever the resolver thinks. */
const lookup: LookupFunction = (_host, options, found) =>
  options.all ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4);

async function visit(host: string): Promise<void> {
  const options = { baseUrl: `http://${host}`, httpVersion: "1.1" as const, nodeOptions: { lookup } };
  const gzip = { acceptCompression: [compressionGzip], sendCompression: compressionGzip };
  const transports: Record<string, Transport> = {
    "gRPC-Web": createGrpcWebTransport({ ...options, acceptCompression: [] }),
    "gRPC-Web, gzip": createGrpcWebTransport({ ...options, ...gzip }),
    "Connect": createConnectTransport({ ...options, acceptCompression: [] }),
    "Connect, gzip": createConnectTransport({ ...options, ...gzip }),
  };
  const seen: Record<string, string[]> = {};
  for (const [name, transport] of Object.entries(transports)) seen[name] = await calls(transport);
  console.log(JSON.stringify({ ready: true, seen }));
}

/** A call of each kind, and what it came to. */
async function calls(transport: Transport): Promise<string[]> {
  // The service is made above, without generated types.
  const client = createClient(Talk, transport) as unknown as {
    say(text: { value: string }, options?: unknown): Promise<Text>;
    count(text: { value: string }, options?: unknown): AsyncIterable<Text>;
    join(texts: AsyncIterable<{ value: string }>): Promise<Text>;
  };
  const seen: string[] = [];
  const told = {
    onHeader: (fields: Headers) => seen.push(`header ${fields.get("x-said")}`),
    onTrailer: (fields: Headers) => seen.push(`trailer ${fields.get("x-said")}`),
  };
  const attempt = async (call: () => Promise<string>) => {
    seen.push(
      await call().catch((error) => {
        if (!(error instanceof ConnectError)) throw error;
        return `${Code[error.code]} ${error.rawMessage} ${error.metadata.get("x-why")}`;
      }),
    );
  };
  const count = async (about: string) => {
    let items = 0, octets = 0;
    try {
      for await (const { value } of client.count({ value: about }, told)) {
        items++;
        octets += value.length;
      }
    } finally {
      seen.push(`${items} items ${octets} octets`);
    }
    return "whole";
  };
  const texts = async function* () {
    for (let i = 0; i < 100; i++) yield { value: `${i} ` };
  };
  await attempt(async () => (await client.say({ value: "hello ☃" }, told)).value);
  await attempt(async () => String((await client.say({ value: "x".repeat(3_000_000) })).value.length));
  for (const code of [Code.InvalidArgument, Code.Unauthenticated, Code.Unavailable, Code.Internal]) {
    await attempt(async () => (await client.say({ value: `fail ${code}` }, told)).value);
  }
  await attempt(() => count("all"));
  await attempt(() => count(`fail ${Code.Aborted}`));
  await attempt(async () => (await client.join(texts())).value);
  return seen;
}

const [verb, host] = Deno.args;
if (verb === "serve") await serve();
else await visit(host);

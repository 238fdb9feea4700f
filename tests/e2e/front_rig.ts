/** A hub behind a front: the hub in this process, so that a test says whose a domain is; a daemon as its users start it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { createHash } from "node:crypto";
import assert from "node:assert/strict";
import { connect } from "node:tls";
import type { HubOptions } from "../../src/hub/hub.ts";
import { HubRig } from "../hub/rig.ts";
import { TestNet } from "../hub/test_net.ts";
import { eventually, type Process, type Rig } from "./rig.ts";

export const DOMAIN = "hub.test", PUBLIC_HOST = "connect.test", OWN = "api.example.com";

/** A service that says who asks, counts what it gets, sends events one at a time, and echoes WebSocket octets. */
export class Target {
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  /** Lets the next event go. */
  next: () => void = () => {};
  /** Event streams whose visitor went before their end. */
  left = 0;

  async listen(): Promise<number> {
    this.#server.on("upgrade", upgrade);
    await new Promise<void>((listening) => this.#server.listen(0, "127.0.0.1", () => listening()));
    return (this.#server.address() as { port: number }).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === "/events") {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.on("close", () => this.left += Number(!response.writableEnded));
      for (let i = 1; i <= 3; i++) {
        response.write(`data: ${i}\n\n`);
        await new Promise<void>((go) => this.next = go);
      }
      return void response.end();
    }
    let octets = 0;
    for await (const chunk of request) octets += chunk.length;
    const { headers } = request;
    response.end(JSON.stringify({
      octets,
      address: headers["x-forwarded-for"],
      proto: headers["x-forwarded-proto"],
      host: headers["x-forwarded-host"],
    }));
  }
}

function upgrade(request: IncomingMessage, socket: Duplex): void {
  const accept = createHash("sha1")
    .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on("error", () => {});
  socket.pipe(socket);
}

/** Both, and a link `demo` to `target` that asks for OWN. `net` says whose that is. */
export async function behind(
  rig: Rig,
  target: number,
  options: Partial<HubOptions> = {},
): Promise<{ hub: HubRig; net: TestNet; daemon: Process; port: number }> {
  const net = new TestNet();
  const hub = await HubRig.start({
    domain: DOMAIN,
    publicUrl: `https://${PUBLIC_HOST}`,
    trustedProxies: ["127.0.0.1/32"],
    prover: net,
    ...options,
  });
  rig.atEnd(() => hub[Symbol.asyncDispose]());
  const { port } = hub.hub.address;
  rig.file("token", await hub.token("daemon"));
  const text = `version: 1\nhub: http://127.0.0.1:${port}\ntoken_file: ./token\nlinks:\n` +
    `  demo: { target: "http://127.0.0.1:${target}", ttl: never, subdomain: demo, domain: ${OWN}, host: public }\n`;
  const args = [
    "--config",
    rig.file("links.yaml", text),
    "--state",
    `${rig.folder}/daemon`,
    "--control",
    "127.0.0.1:0",
  ];
  const daemon = rig.connectd(["run", ...args, "--json"]);
  await daemon.ready();
  return { hub, net, daemon, port };
}

/** Sees that each event comes through the front as `target` sends it. `front`: curl's words for the link's origin. */
export async function eventsOneByOne(rig: Rig, target: Target, front: Front): Promise<void> {
  const process = rig.spawn("curl", ["-sSN", ...front.words, `${front.origin}/events`]);
  for (let i = 1; i <= 3; i++) {
    await process.until(() => process.stdout.includes(`data: ${i}\n`));
    assert.ok(!process.stdout.includes(`data: ${i + 1}`));
    target.next();
  }
  assert.equal((await process.ended()).code, 0);
}

/** Sees that `target` hears of it when a visitor leaves a stream that is silent. */
export async function leavingIsHeard(rig: Rig, target: Target, front: Front): Promise<void> {
  const before = target.left;
  const process = rig.spawn("curl", ["-sSN", ...front.words, `${front.origin}/events`]);
  await process.until(() => process.stdout.includes("data: 1\n"));
  await process.kill("SIGKILL");
  await eventually(() => Promise.resolve(target.left), (left) => left > before);
}

/** A link behind a front, as curl is told of it. */
export interface Front {
  readonly origin: string;
  readonly words: readonly string[];
}

/** What comes back of an upgrade and five octets. */
export function echoed(port: number, host: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port, servername: host, ca, ALPNProtocols: ["http/1.1"] },
      () => {
        socket.write(
          `GET /ws HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        );
      },
    );
    let text = "";
    socket.on("data", (bytes: Uint8Array) => {
      const before = text;
      text += new TextDecoder("latin1").decode(bytes);
      if (text.endsWith("\r\n\r\n") && !before.endsWith("\r\n\r\n")) socket.write("hello");
      if (text.endsWith("hello")) {
        socket.destroy();
        resolve(text);
      }
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`it ended: ${text}`)));
  });
}

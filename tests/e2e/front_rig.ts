/** A hub behind a front: the hub in this process, so that a test says whose a domain is; a daemon as its users start it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { createHash } from "node:crypto";
import type { HubOptions } from "../../src/hub/hub.ts";
import { HubRig } from "../hub/rig.ts";
import { TestNet } from "../hub/test_net.ts";
import type { Process, Rig } from "./rig.ts";

export const DOMAIN = "hub.test", PUBLIC_HOST = "connect.test", OWN = "api.example.com";

/** A service that says who asks, counts what it gets, sends events one at a time, and echoes WebSocket octets. */
export class Target {
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  /** Lets the next event go. */
  next: () => void = () => {};

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

/** Vite's dev server over the folder that is named. */
import type { AddressInfo } from "node:net";
import { createServer } from "vite";

const [root] = Deno.args;
const server = await createServer({
  root,
  configFile: false,
  cacheDir: `${root}/.vite`,
  logLevel: "error",
  server: { host: "127.0.0.1", port: 0 },
});
server.ws.on("test:are-you-there", (_, client) => client.send("test:here"));
await server.listen();
const { port } = server.httpServer!.address() as AddressInfo;
console.log(JSON.stringify({ ready: true, port }));

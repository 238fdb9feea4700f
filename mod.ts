/**
 * connectd: a public link for a local service, under a policy that its owner writes in one file.
 *
 * As a program it is the command line (`deno task help`). Imported, it gives the same parts to another program:
 *
 * ```ts
 * import { link } from "connectd";
 * await using demo = await link("localhost:3000", { ttl: "1h", methods: ["GET"] });
 * console.log(demo.url);
 * ```
 *
 * @module
 */
import { main } from "./src/cli/main.ts";

export {
  type Daemon,
  type DaemonSettings,
  type Hub,
  type HubSettings,
  type Link,
  link,
  type LinkJson,
  type LinkPlace,
  type LinkPolicy,
  type Log,
  type ServerLimits,
  startDaemon,
  startHub,
} from "./src/cli/library.ts";

if (import.meta.main) {
  // What the machine trusts, a company's own authority included. Read once, at the first use of TLS.
  if (Deno.env.get("DENO_TLS_CA_STORE") === undefined) Deno.env.set("DENO_TLS_CA_STORE", "system,mozilla");
  Deno.exit(await main(Deno.args));
}

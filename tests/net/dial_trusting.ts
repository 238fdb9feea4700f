/** Run by dial_test.ts in a process that trusts the target's authority by default: arguments are a port and a file. */
import { dial } from "../../src/net/dial.ts";

const [port, caFile] = Deno.args;
const target = { kind: "https", host: "127.0.0.1", port: Number(port) } as const;

async function attempt(caFile: string | null): Promise<string> {
  try {
    const tls = { caFile, serverName: "api.internal", insecure: false };
    (await dial(target, tls, new AbortController().signal)).close();
    return "connected";
  } catch {
    return "refused";
  }
}

console.log(`default: ${await attempt(null)}`);
console.log(`other file: ${await attempt(caFile)}`);

/** 256 MiB each way, told from another 256 MiB by their SHA-256. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { nginx, packaged, Rig } from "./rig.ts";

const SIZE = 256 * 1024 * 1024;

/** Writes random octets and returns their SHA-256. */
function randomFile(path: string): string {
  const hash = createHash("sha256");
  using file = Deno.openSync(path, { write: true, create: true });
  const part = new Uint8Array(1024 * 1024);
  for (let written = 0; written < SIZE; written += part.length) {
    for (let at = 0; at < part.length; at += 65_536) crypto.getRandomValues(part.subarray(at, at + 65_536));
    hash.update(part);
    file.writeSync(part);
  }
  return hash.digest("hex");
}

/** Runs curl and returns the SHA-256 of what it printed. */
async function curlHash(args: string[]): Promise<string> {
  const child = new Deno.Command("curl", { args: ["-sS", "--fail", ...args], stdout: "piped" }).spawn();
  const hash = createHash("sha256");
  for await (const part of child.stdout) hash.update(part);
  assert.equal((await child.status).code, 0);
  return hash.digest("hex");
}

async function linkTo(rig: Rig, port: number): Promise<string> {
  const { ready } = await rig.daemon(`version: 1\nlinks:\n  bulk:\n    target: localhost:${port}\n`);
  return ready.links[0].url;
}

Deno.test("a download of 256 MiB from a packaged server keeps its SHA-256", async () => {
  const program = packaged("nginx", "nginx-light");
  if (program === null) return;
  await using rig = new Rig();
  const port = await nginx(rig, program, "location / { }");
  const hash = randomFile(`${rig.folder}/nginx/big`);
  assert.equal(await curlHash([`${await linkTo(rig, port)}/big`]), hash);
});

for (const framing of ["Content-Length", "chunks"]) {
  Deno.test(`an upload of 256 MiB with ${framing} keeps its SHA-256`, async () => {
    await using rig = new Rig();
    const server = createServer((request, response) => {
      const hash = createHash("sha256");
      request.on("data", (part) => hash.update(part));
      request.on("end", () => response.end(hash.digest("hex")));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    rig.atEnd(() => void server.close().closeAllConnections());
    const url = await linkTo(rig, (server.address() as AddressInfo).port);
    const hash = randomFile(`${rig.folder}/big`);
    const how = framing === "chunks" ? ["-H", "Transfer-Encoding: chunked"] : [];
    const { stdout } = await new Deno.Command("curl", {
      args: ["-sS", "--fail", "-T", `${rig.folder}/big`, ...how, `${url}/sink`],
      stdin: "null",
      stdout: "piped",
    }).output();
    assert.equal(new TextDecoder().decode(stdout), hash);
  });
}

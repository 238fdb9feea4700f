/** connectd as another program imports it. */
import assert from "node:assert/strict";
import { link, startDaemon, startHub } from "../../mod.ts";
import { nobodyListens } from "../e2e/rig.ts";

/** The answer to `path` of the link at `url`, asked of the port: names below localhost are curl's and browsers' to know. */
async function ask(url: string, path = "/"): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(url);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const text = `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n\r\n`;
  await conn.write(new TextEncoder().encode(text));
  const answer = await new Response(conn.readable).text();
  return { status: Number(answer.split(" ")[1]), body: answer.slice(answer.indexOf("\r\n\r\n") + 4) };
}

Deno.test("a program links a target under a policy, and the link goes with it", async () => {
  const demo = await link("echo", { name: "demo", ttl: "1h", paths: ["/api"], rate: "60/m" });
  try {
    assert.equal((await ask(demo.url, "/api/x")).status, 200);
    assert.equal((await ask(demo.url, "/")).status, 403);
    assert.deepEqual([demo.link.name, demo.link.policy.rate], ["demo", ["60/m"]]);
  } finally {
    await demo.close();
  }
  await nobodyListens({ hostname: "127.0.0.1", port: Number(new URL(demo.url).port) });
});

Deno.test("what a program may not ask for is an error with a sentence, and nothing is left of it", async () => {
  await assert.rejects(link("echo", { paths: ["api"] }), /paths\/0: .*api/);
  await assert.rejects(link("no target"), SyntaxError);
  await assert.rejects(link("echo", { ttl: "soon" }), /ttl: .*soon/);
});

Deno.test("a program runs a hub, and a daemon that serves a file there", async () => {
  const folder = Deno.makeTempDirSync();
  const hub = await startHub({ listen: "127.0.0.1:0", state: `${folder}/hub` });
  try {
    const { token } = await hub.tokens.create({
      scope: "daemon",
      workspace: "acme",
      name: null,
      ttlMs: null,
    });
    Deno.writeTextFileSync(`${folder}/token`, token.expose());
    Deno.writeTextFileSync(
      `${folder}/links.yaml`,
      `version: 1\nhub: ${hub.url}\ntoken_file: ./token\nlinks:\n  one:\n    target: echo\n`,
    );
    const file = `${folder}/links.yaml`, state = `${folder}/daemon`;
    const daemon = await startDaemon({ file, state, control: "127.0.0.1:0" });
    const [one] = daemon.links();
    assert.deepEqual([daemon.hub, one.state], [hub.url, "active"]);
    assert.equal((await ask(one.url!)).status, 200);
    await daemon.drain();
    await nobodyListens({ transport: "unix", path: daemon.socket! });
  } finally {
    await hub.close();
    Deno.removeSync(folder, { recursive: true });
  }
});

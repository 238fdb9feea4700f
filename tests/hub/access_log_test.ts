/** What a hub writes of requests for its links. */
import assert from "node:assert/strict";
import type { Access } from "../../src/store/access_line.ts";
import { ask, type FakeDaemon, HubRig, link, respond } from "./rig.ts";

interface Line {
  readonly link: string;
  readonly path: string;
  readonly status: number;
  readonly code: string | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What stands in the log once the hub has ended. */
async function linesOf(rig: HubRig): Promise<Line[]> {
  await rig.hub.close();
  return Deno.readTextFileSync(`${rig.folder}/hub-access.log`).split("\n").slice(0, -1)
    .map((line) => JSON.parse(line));
}

const brief = ({ path, status, code }: Line) => `${path} ${status} ${code}`;

async function served(rig: HubRig): Promise<{ daemon: FakeDaemon; id: string }> {
  const daemon = rig.attached({
    serve(stream, head) {
      const [, target] = head.split(" ");
      if (target.startsWith("/reset")) return stream.reset("target_refused");
      if (target.startsWith("/strange")) return stream.reset("no_such_code");
      if (target.startsWith("/junk")) return stream.sendHead("junk\r\n\r\n", true);
      if (target.startsWith("/half")) {
        stream.sendHead("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", false);
        stream.send(new TextEncoder().encode("half"), 0, 4);
        return stream.reset("target_closed");
      }
      if (target.startsWith("/never")) return;
      if (target.startsWith("/body")) return { end: () => respond(stream, "hello") };
      respond(stream, "hello");
    },
  });
  const { links } = await daemon.hello([link("web", { policy: { paths: null, methods: ["GET", "POST"] } })]);
  return { daemon, id: links[0].id };
}

Deno.test("each request for a link is one line: answered, refused, cut, given up", async () => {
  await using rig = await HubRig.start();
  const { daemon, id } = await served(rig);
  await rig.visit(id, "GET /ok?key=s3cret HTTP/1.1");
  await ask(rig.hub.address.port, `${id}.localhost`, "POST /body HTTP/1.1\r\nContent-Length: 7", "1234567");
  await rig.visit(id, "PUT /put HTTP/1.1");
  for (const path of ["/reset", "/strange", "/junk", "/half"]) await rig.visit(id, `GET ${path} HTTP/1.1`);
  const visitor = await Deno.connect({ hostname: "127.0.0.1", port: rig.hub.address.port });
  await visitor.write(new TextEncoder().encode(`GET /never HTTP/1.1\r\nHost: ${id}.localhost\r\n\r\n`));
  while (daemon.opened.length < 7) await daemon.happens();
  visitor.close();
  await daemon.happens();
  await rig.visit("nobody-has-it", "GET /unknown HTTP/1.1");
  const lines = await linesOf(rig);
  assert.deepEqual(lines.map(brief), [
    "/ok 200 null",
    "/body 200 null",
    "/put 405 method_denied",
    "/reset 502 target_refused",
    "/strange 502 target_closed",
    "/junk 502 target_bad_response",
    "/half 200 target_closed",
    "/never 0 visitor_left",
  ]);
  assert.deepEqual([lines[1].bytesIn, lines[1].bytesOut, lines[6].bytesOut], [7, 5, 4]);
  for (const { link } of lines) assert.equal(link, id);
  assert.doesNotMatch(Deno.readTextFileSync(`${rig.folder}/hub-access.log`), /s3cret/);
});

Deno.test("an access log that is off is not there, and its hub serves", async () => {
  await using rig = await HubRig.start({ keepAccessMs: null });
  const { id } = await served(rig);
  assert.equal((await rig.visit(id)).status, 200);
  await rig.hub.close();
  assert.ok(![...Deno.readDirSync(rig.folder)].some(({ name }) => name.startsWith("hub-access")));
});

Deno.test("a hub within a daemon writes no log, and tells what it refuses itself", async () => {
  const told: Access[] = [];
  await using rig = await HubRig.start({ state: null, refused: (request) => void told.push(request) });
  const { id } = await served(rig);
  await rig.visit(id);
  await rig.visit(id, "PUT /put?q HTTP/1.1");
  assert.deepEqual(told.map(({ link, status, code }) => [link, status, code]), [[
    "web",
    405,
    "method_denied",
  ]]);
  assert.ok(![...Deno.readDirSync(rig.folder)].some(({ name }) => name.startsWith("hub-access")));
});

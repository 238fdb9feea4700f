/** A visitor's way through the hub, on real sockets. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import type { Stream } from "../../src/wire/stream.ts";
import { ask, eventually, type FakeDaemon, HubRig, link, readAnswer, respond } from "./rig.ts";

const WIRES: [string, (rig: HubRig, serve?: (s: Stream, head: string) => void) => Promise<FakeDaemon>][] = [
  ["in memory", (rig, serve) => Promise.resolve(rig.attached({ serve }))],
  ["over a socket", async (rig, serve) => await rig.dialled(await rig.token("daemon"), { serve })],
];

for (const [wire, connect] of WIRES) {
  Deno.test(`${wire}: a request reaches the daemon byte for byte, and its answer the visitor`, async () => {
    await using rig = await HubRig.start();
    let seen = "", body = "";
    const daemon = await connect(rig, (stream, head) => {
      seen = head;
      return {
        data: (bytes: Uint8Array) => void (body += new TextDecoder().decode(bytes)),
        end: () => respond(stream, `got ${body}`),
      };
    });
    const { links, hub } = await daemon.hello([link("web")]);
    const [{ id, name, url }] = links;
    assert.deepEqual([name, url], ["web", `http://${id}.localhost:${rig.hub.address.port}`]);
    assert.match(id, /^[a-z2-7]{13}$/);
    assert.match(hub, /^[a-z2-7]{13}$/);
    const text = "POST /a%2Fb?x=1 HTTP/1.1\r\nX-Odd:  Value \r\nContent-Length: 5";
    const { status, body: answer } = await ask(rig.hub.address.port, `${id}.localhost`, text, "hello");
    assert.deepEqual([status, answer], [200, "got hello"]);
    assert.equal(
      seen,
      `POST /a%2Fb?x=1 HTTP/1.1\r\nHost: ${id}.localhost\r\nConnection: close\r\nX-Odd:  Value \r\nContent-Length: 5\r\n\r\n`,
    );
    const { open } = daemon.opened[0];
    assert.deepEqual([open.link, open.host, open.address], [id, `${id}.localhost`, "127.0.0.1"]);
  });

  Deno.test(`${wire}: a body larger than every window passes both ways`, async () => {
    await using rig = await HubRig.start();
    const size = 3_000_000;
    const daemon = await connect(rig, (stream) => {
      let got = 0;
      const bytes = new Uint8Array(size).fill(120);
      const pour = () => {
        sent += stream.send(bytes, sent, size);
        if (sent === size) {
          sent++;
          stream.end();
        }
      };
      let sent = 0;
      return {
        data: (bytes: Uint8Array) => void (got += bytes.length),
        end: () => {
          assert.equal(got, size);
          stream.sendHead(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`, false);
          for (let before = -1; sent !== before && sent < size;) {
            before = sent;
            pour();
          }
        },
        writable: () => {
          if (sent < size) pour();
        },
      };
    });
    const { links } = await daemon.hello([link("web")]);
    const head = `PUT / HTTP/1.1\r\nContent-Length: ${size}`;
    const { body } = await ask(rig.hub.address.port, `${links[0].id}.localhost`, head, "y".repeat(size));
    assert.equal(body.length, size);
  });
}

Deno.test("what the daemon says before its head goes through the strict codec", async () => {
  await using rig = await HubRig.start();
  const answers: Record<string, (stream: Stream) => void> = {
    "/garbage": (stream) => stream.sendHead("200 OK\r\n\r\n", true),
    "/interim": (stream) => stream.sendHead("HTTP/1.1 103 Early Hints\r\n\r\n", true),
    "/half": (stream) => stream.sendHead("HTTP/1.1 200 OK\r\n", true),
    "/behind": (stream) => stream.sendHead("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", true),
    "/refused": (stream) => stream.reset("target_refused"),
    "/odd": (stream) => stream.reset("no_such_code"),
    "/proto": (stream) => stream.reset("constructor"),
  };
  const daemon = rig.attached({ serve: (stream, head) => answers[head.split(" ")[1]](stream) });
  const { links } = await daemon.hello([link("web")]);
  for (
    const [path, status, code] of [
      ["/garbage", 502, "target_bad_response"],
      ["/interim", 502, "target_bad_response"],
      ["/half", 502, "target_bad_response"],
      ["/behind", 502, "target_bad_response"],
      ["/refused", 502, "target_refused"],
      ["/odd", 502, "target_closed"],
      ["/proto", 502, "target_closed"],
    ] as const
  ) {
    const answer = await rig.visit(links[0].id, `GET ${path} HTTP/1.1`);
    assert.deepEqual([answer.status, answer.json?.code], [status, code], path);
  }
});

Deno.test("an answer that breaks off, or says more than its head declared, never looks whole", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached({
    serve(stream, head) {
      stream.sendHead("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", false);
      const more = head.startsWith("GET /more");
      stream.send(new TextEncoder().encode(more ? "123456" : "12"), 0, more ? 6 : 2);
      if (head.startsWith("GET /reset")) stream.reset("target_closed");
      else stream.end();
    },
  });
  const { links } = await daemon.hello([link("web")]);
  for (const path of ["/short", "/reset", "/more"]) {
    const { body } = await rig.visit(links[0].id, `GET ${path} HTTP/1.1`);
    assert.notEqual(body.length, 4, path);
  }
});

Deno.test("a visitor who leaves ends the stream, and interim answers and trailers pass", async () => {
  await using rig = await HubRig.start();
  let code = "";
  const daemon = rig.attached({
    serve(stream, head) {
      if (head.startsWith("GET /wait")) return { reset: (why: string) => void (code = why) };
      stream.sendHead("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", false);
      stream.sendHead("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n", false);
      stream.send(new TextEncoder().encode("ab"), 0, 2);
      stream.end("X-Sum: 2\r\n");
    },
  });
  const { links } = await daemon.hello([link("web")]);
  const { head, body } = await rig.visit(links[0].id);
  assert.match(head, /^HTTP\/1\.1 103 /);
  assert.match(body, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 2\r\n\r\n$/);
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: rig.hub.address.port });
  await socket.write(
    new TextEncoder().encode(`GET /wait HTTP/1.1\r\nHost: ${links[0].id}.localhost\r\n\r\n`),
  );
  await eventually(() => daemon.opened.length, (n) => n === 2);
  socket.close();
  await eventually(() => code, (code) => code === "visitor_left");
  await eventually(() => daemon.session.streams, (n) => n === 0);
});

Deno.test("after a 101 bytes pass as they are, those that were sent early once", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached({
    serve(stream) {
      stream.sendHead(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        false,
      );
      return {
        data: (bytes: Uint8Array) => void stream.send(bytes, 0, bytes.length),
        end: () => stream.end(),
      };
    },
  });
  const { links } = await daemon.hello([link("web")]);
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: rig.hub.address.port });
  const head = `GET / HTTP/1.1\r\nHost: ${
    links[0].id
  }.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
  await socket.write(new TextEncoder().encode(head + "early "));
  const buffer = new Uint8Array(1000);
  let text = "";
  const until = async (end: string) => {
    while (!text.endsWith(end)) {
      text += new TextDecoder().decode(buffer.subarray(0, (await socket.read(buffer))!));
    }
  };
  await until("early ");
  await socket.write(new TextEncoder().encode("late"));
  await until("early late");
  assert.match(text, /^HTTP\/1\.1 101 /);
  await socket.closeWrite();
  await readAnswer(socket);
  await eventually(() => daemon.session.streams, (n) => n === 0);
});

Deno.test("hosts that are no link's and links that are none are 404, health is answered where no link is", async () => {
  await using rig = await HubRig.start();
  const { port } = rig.hub.address;
  const get = async (host: string, path = "/") => {
    const { status, json } = await ask(port, host, `GET ${path} HTTP/1.1`);
    return [status, json?.code ?? null];
  };
  assert.deepEqual(await get("nosuchlink.localhost"), [404, "link_unknown"]);
  assert.deepEqual(await get("example.com"), [404, "link_unknown"]);
  assert.deepEqual(await get("a.b.localhost"), [404, "link_unknown"]);
  assert.deepEqual(await get("example.com", "/healthz"), [200, null]);
  assert.deepEqual(await get("example.com", "/readyz?x=1"), [200, null]);
  assert.deepEqual(await get("example.com", "/healthz/x"), [404, "link_unknown"]);
  assert.deepEqual(await get("nosuchlink.localhost", "/healthz"), [404, "link_unknown"]);
  const daemon = rig.attached();
  const { links } = await daemon.hello([link("web")]);
  const { body } = await ask(port, `${links[0].id.toUpperCase()}.LOCALHOST.:1`, "GET /healthz HTTP/1.1");
  assert.equal(body, `/healthz of ${links[0].id}`);
  const { status } = await ask(port, `${links[0].id}.localhost:${"0".repeat(300)}1`, "GET / HTTP/1.1");
  assert.equal(status, 400);
});

Deno.test("a visitor whom the policy refuses costs the tunnel nothing, and the daemon hears of it", async () => {
  await using rig = await HubRig.start();
  const daemon = rig.attached();
  const { links } = await daemon.hello([
    link("web", { policy: { methods: ["GET"], paths: ["/api"], maxBody: 10 } }),
    link("locked", { policy: { methods: ["GET"], auth: true, basic: true } }),
    link("shadow", { policy: { methods: ["GET"], shadow: true } }),
    link("away", { policy: { allowIps: ["192.0.2.0/24"], auth: true, bearer: true } }),
    link("broken", { state: "error" }),
    link("late", { expiresAt: 1 }),
  ]);
  const [web, locked, shadow, away, broken, late] = links.map(({ id }: { id: string }) => id);
  const post = "POST /api HTTP/1.1\r\nContent-Length: 0";
  const refused = await rig.visit(web, post);
  assert.deepEqual([refused.status, refused.json.code], [405, "method_denied"]);
  assert.match(refused.head, /\r\nAllow: GET, HEAD\r\n/);
  assert.equal((await rig.visit(web, "GET /x HTTP/1.1")).json.code, "path_denied");
  assert.equal((await rig.visit(web, "GET /api/../x HTTP/1.1")).json.code, "path_ambiguous");
  assert.equal((await rig.visit(away)).json.code, "ip_denied");
  assert.equal((await rig.visit(broken)).json.code, "link_unavailable");
  assert.equal((await rig.visit(late)).json.code, "link_expired");
  assert.equal(daemon.opened.length, 0);
  assert.equal((await rig.visit(web, "GET /api HTTP/1.1")).status, 200);
  assert.equal((await rig.visit(locked, post)).status, 200);
  assert.equal((await rig.visit(shadow, post)).status, 200);
  const counted: Record<string, number> = {};
  await eventually(() => {
    for (const message of daemon.messages.splice(0)) {
      if (message.type !== "refused") continue;
      for (const { id, code, n } of message.counts) {
        counted[`${id} ${code}`] = (counted[`${id} ${code}`] ?? 0) + n;
      }
    }
    return Object.keys(counted).length;
  }, (n) => n === 6);
  assert.deepEqual(counted, {
    [`${web} method_denied`]: 1,
    [`${web} path_denied`]: 1,
    [`${web} path_ambiguous`]: 1,
    [`${away} ip_denied`]: 1,
    [`${broken} link_unavailable`]: 1,
    [`${late} link_expired`]: 1,
  });
});

Deno.test("streams go to the connection with the least to do, and none takes more than its limit", async () => {
  const limits = { ...DEFAULT_LIMITS, streamsPerSession: 2 };
  await using rig = await HubRig.start({ limits });
  const hold: Stream[] = [];
  const serve = (stream: Stream) => void hold.push(stream);
  const a = rig.attached({ connection: 0, serve }), b = rig.attached({ connection: 1, serve });
  const [{ id }] = (await a.hello([link("web")])).links;
  assert.equal((await b.hello([link("web")])).links[0].id, id);
  const visits = Array.from({ length: 4 }, () => rig.visit(id));
  await eventually(() => hold.length, (n) => n === 4);
  assert.deepEqual([a.opened.length, b.opened.length], [2, 2]);
  const busy = await rig.visit(id);
  assert.deepEqual([busy.status, busy.json.code], [503, "hub_busy"]);
  assert.match(busy.head, /\r\nRetry-After: \d/);
  for (const stream of hold) respond(stream, "ok");
  for (const visit of visits) assert.equal((await visit).body, "ok");
});

Deno.test("one client's requests leave streams to others, however many it sends", async () => {
  const limits = { ...DEFAULT_LIMITS, streamsPerSession: 20 };
  await using rig = await HubRig.start({ limits, trustedProxies: ["127.0.0.1/32"] });
  const hold: Stream[] = [];
  const daemon = rig.attached({ serve: (stream) => void hold.push(stream) });
  const [{ id }] = (await daemon.hello([link("web")])).links;
  const visits: Promise<{ status: number }>[] = [];
  // Who asks, and whether that is let through: four times as many streams must be left as the client has then.
  const asked: readonly (readonly [client: string, through: boolean])[] = [
    ...Array.from({ length: 4 }, () => ["192.0.2.1", true] as const),
    ["192.0.2.1", false],
    ...Array.from({ length: 3 }, () => ["192.0.2.2", true] as const),
    ["192.0.2.2", false],
    ["192.0.2.1", false],
    ["192.0.2.3", true],
    ["192.0.2.3", true],
    ["192.0.2.3", false],
    ...Array.from({ length: 9 }, (_, i) => [`192.0.2.${i + 4}`, i < 8] as const),
  ];
  for (const [client, through] of asked) {
    const visit = rig.visit(id, `GET / HTTP/1.1\r\nX-Forwarded-For: ${client}`);
    if (through) visits.push(visit);
    const before = hold.length;
    const answer = await Promise.race([visit, eventually(() => hold.length, (n) => n > before)]);
    const refused = typeof answer === "object" && answer.json.code === "hub_busy";
    assert.equal(refused, !through, `${client} with ${before} in flight`);
  }
  for (const stream of hold) respond(stream, "ok");
  for (const visit of visits) assert.equal((await visit).status, 200);
});

Deno.test("visitors wait for a daemon that is away for a moment, and keep their bodies until it is back", async () => {
  await using rig = await HubRig.start();
  const serve = (stream: Stream) => ({ end: () => respond(stream, "back") });
  const daemon = rig.attached({ serve });
  const [{ id }] = (await daemon.hello([link("web")])).links;
  daemon.leave();
  const token = await rig.token("viewer");
  const state = async () => (await rig.api("GET", "/v1/links", token)).json.items[0].state;
  await eventually(state, (state) => state === "offline");
  const visit = ask(rig.hub.address.port, `${id}.localhost`, "POST / HTTP/1.1\r\nContent-Length: 3", "abc");
  const again = rig.attached({ serve, instance: "instance-2" });
  await again.hello([link("web")]);
  assert.deepEqual([(await visit).status, (await visit).body], [200, "back"]);
});

Deno.test("a daemon that stays away is 503 with Retry-After, and 410 once the link's time is over", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  const daemon = rig.attached();
  const { links } = await daemon.hello([link("web", { expiresAt: clock.now() + 60_000 })]);
  daemon.leave();
  await daemon.end();
  const waiting = rig.visit(links[0].id);
  let answered = false;
  waiting.then(() => answered = true);
  await eventually(() => {
    clock.advance(500);
    return answered;
  }, (answered) => answered);
  assert.deepEqual([(await waiting).status, (await waiting).json.code], [503, "daemon_offline"]);
  const at = await rig.visit(links[0].id);
  assert.match(at.head, /\r\nRetry-After: \d/);
  clock.advance(60_000);
  assert.deepEqual((await rig.visit(links[0].id)).json.code, "link_expired");
});

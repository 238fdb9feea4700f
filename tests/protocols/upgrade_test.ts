/** What happens around a 101, by hand: libraries hide the moments that matter. */
import assert from "node:assert/strict";
import { latin1 } from "../../src/core/latin1.ts";
import { Rig } from "../e2e/rig.ts";
import { endingOf, Talk } from "../e2e/talk.ts";
import { onBoth, openWays, type Way } from "./ways.ts";

const FIELDS = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
const HANDSHAKE = FIELDS + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const SWITCH = `HTTP/1.1 101 Switching Protocols\r\n${FIELDS}` +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/** More than all buffers on the way take together. */
const FLOOD = new Uint8Array(32 * 1024 * 1024);

const LONG = "0123456789abcdef".repeat(16 * 1024);

/** What a server does with a connection behind the head of a handshake; what it returns is what it saw. */
type Serve = (talk: Talk) => Promise<string>;

const SERVERS: Readonly<Record<string, Serve>> = {
  "/early": async (talk) => {
    await talk.write(SWITCH);
    return await rest(talk);
  },
  "/at-once": async (talk) => {
    await talk.write(SWITCH + "octets in one packet with the 101 " + LONG);
    return await rest(talk);
  },
  "/hears-out": async (talk) => {
    await talk.write(SWITCH);
    const heard = await rest(talk);
    await talk.write("an answer to " + heard);
    return heard;
  },
  "/says-first": async (talk) => {
    await talk.write(SWITCH + "said");
    await talk.endWriting();
    return await rest(talk);
  },
  "/cuts": async (talk) => {
    await talk.write(SWITCH);
    await talk.octets(1, () => {});
    // What it has not read is lost, and so the kernel resets the connection.
    return "cut";
  },
  "/ends-and-cuts": async (talk) => {
    await talk.write(SWITCH);
    await talk.endWriting();
    await talk.octets(1, () => {});
    return "cut";
  },
  "/floods": async (talk) => {
    await talk.write(SWITCH);
    return await talk.write(FLOOD).then(() => "sent all", () => "cut");
  },
};

/** A server by hand; `heard` gives what each connection came to, in turn. */
function listen(rig: Rig): { port: number; heard: () => Promise<string> } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const talks: Talk[] = [], ends: Promise<string>[] = [];
  const serve = async (talk: Talk) => {
    using _ = talk;
    const head = await talk.head();
    return await SERVERS[head!.first.split(" ")[1]](talk);
  };
  const accept = async () => {
    for await (const conn of listener) ends.push(serve(talks[talks.push(new Talk(conn)) - 1]));
  };
  void accept();
  rig.atEnd(() => {
    for (const talk of talks) talk.close();
    listener.close();
  });
  return { port: listener.addr.port, heard: () => ends.pop()! };
}

/** Dials and sends a handshake, `behind` in one packet with it. */
async function shakeHands({ port, host }: Way, path: string, behind = ""): Promise<Talk> {
  const talk = await Talk.to(port);
  await talk.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${HANDSHAKE}\r\n${behind}`);
  return talk;
}

async function switched(talk: Talk): Promise<void> {
  assert.equal((await talk.head())!.first, "HTTP/1.1 101 Switching Protocols");
}

/** All up to the end. */
async function rest(talk: Talk): Promise<string> {
  let text = "";
  await talk.body("close", (bytes) => void (text += latin1(bytes)));
  return text;
}

/** What a client does, and what it comes to see. */
const CLIENTS: Readonly<
  Record<string, { path: string; visit: (way: Way, path: string) => Promise<string> }>
> = {
  "octets right behind a handshake are delivered once, behind the 101": {
    path: "/early",
    visit: async (way, path) => {
      using talk = await shakeHands(way, path, "early " + LONG);
      await switched(talk);
      await talk.write(" later");
      await talk.endWriting();
      return await rest(talk);
    },
  },
  "octets in one packet with the 101 are delivered behind it": {
    path: "/at-once",
    visit: async (way, path) => {
      using talk = await shakeHands(way, path);
      await switched(talk);
      await talk.endWriting();
      return await rest(talk);
    },
  },
  "a client that has ended its direction hears the answer": {
    path: "/hears-out",
    visit: async (way, path) => {
      using talk = await shakeHands(way, path);
      await switched(talk);
      await talk.write("last words");
      await talk.endWriting();
      return await rest(talk);
    },
  },
  "a server that has ended its direction hears the answer": {
    path: "/says-first",
    visit: async (way, path) => {
      using talk = await shakeHands(way, path);
      await switched(talk);
      const said = await rest(talk);
      await talk.write("an answer");
      return said;
    },
  },
  "a server that cuts in the middle of what is sent to it ends its client": {
    path: "/cuts",
    visit: async (way, path) => {
      using talk = await shakeHands(way, path);
      await switched(talk);
      return await talk.write(FLOOD).then(() => "sent all", () => "cut");
    },
  },
  "a server that has ended its direction, and cuts, ends its client": {
    path: "/ends-and-cuts",
    visit: async (way, path) => {
      using talk = await shakeHands(way, path);
      await switched(talk);
      assert.equal(await rest(talk), "");
      return await talk.write(FLOOD).then(() => "sent all", () => "cut");
    },
  },
  "a client that cuts in the middle of what is sent to it ends its server": {
    path: "/floods",
    visit: async (way, path) => {
      using talk = await shakeHands(way, path);
      await switched(talk);
      await talk.octets(1, () => {});
      return "cut";
    },
  },
  "a client that has ended its direction, and cuts, ends its server": {
    path: "/floods",
    visit: async (way, path) => {
      using talk = await shakeHands(way, path);
      await switched(talk);
      await talk.endWriting();
      await talk.octets(1, () => {});
      return "cut";
    },
  },
};

Deno.test("around a 101 nothing is lost, moved or left open", async (t) => {
  await using rig = new Rig();
  const { port, heard } = listen(rig);
  const ways = (await openWays(rig, { raw: port }))("raw");
  for (const [promise, { path, visit }] of Object.entries(CLIENTS)) {
    await t.step(promise, async () => {
      const { straight, through } = await onBoth(ways, async (way) => ({
        client: await visit(way, path),
        server: await heard(),
      }));
      assert.deepEqual(through, straight);
    });
  }
});

/** Answers to a handshake that are no 101. */
const REFUSALS: readonly string[] = [
  "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno\n",
  "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno\n\r\n0\r\n\r\n",
  "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\nConnection: Upgrade\r\n\r\n",
  "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\na page",
];

Deno.test("an upgrade that a server refuses leaves the connection for other requests", async (t) => {
  await using rig = new Rig();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async (conn: Deno.TcpConn) => {
    using talk = new Talk(conn);
    for (let head; (head = await talk.head()) !== null;) {
      const refusal = REFUSALS[Number(head.first.split(/[ /]+/)[1])];
      await talk.write(refusal ?? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext");
    }
  };
  const accept = async () => {
    for await (const conn of listener) void serve(conn);
  };
  void accept();
  rig.atEnd(() => listener.close());
  const ways = (await openWays(rig, { refusing: listener.addr.port }))("refusing");
  for (const [i, refusal] of REFUSALS.entries()) {
    await t.step(refusal.split("\r\n")[0], async () => {
      const { straight, through } = await onBoth(ways, async (way) => {
        using talk = await shakeHands(way, `/${i}`);
        const refused = await answer(talk);
        await talk.write(`GET /next HTTP/1.1\r\nHost: ${way.host}\r\n\r\n`);
        return [refused, await answer(talk)];
      });
      assert.deepEqual(through, straight);
      assert.equal(through[1][2], "next");
    });
  }
});

/** Status line, sorted fields and body. */
async function answer(talk: Talk): Promise<[string, string[], string]> {
  const head = (await talk.head())!;
  let body = "";
  await talk.body(endingOf(head, 0), (bytes) => void (body += latin1(bytes)));
  return [head.first, [...head.fields].map((field) => field.join(": ")).sort(), body];
}

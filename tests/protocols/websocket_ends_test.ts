/** How WebSockets begin and end through a link: as they do without one. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
// @ts-types="@types/ws"
import type { WebSocket } from "ws";
import { Random } from "../pure/random.ts";
import { Rig } from "../e2e/rig.ts";
import { dial, type Seen, serveSockets, watch } from "./sockets.ts";
import { onBoth, openWays, type Way } from "./ways.ts";

/** Close codes; null: a close frame without one. */
const CODES = [1000, 1001, 1008, 1011, 3000, 4999, null] as const;

function close(socket: WebSocket, code: number | null): void {
  if (code === null) socket.close();
  else socket.close(code, `because of ${code} ☃`);
}

/** Where a request leads: what the server does with the socket. */
const SERVER: Readonly<Record<string, (socket: WebSocket, about: string) => void>> = {
  listens: () => {},
  closes: (socket, code) => close(socket, code === "null" ? null : Number(code)),
  terminates: (socket) => void socket.send("last words", () => socket.terminate()),
  echoes: (socket) =>
    void socket.on("message", (data, binary) => void socket.send(data as Buffer, { binary })),
};

Deno.test("WebSockets begin and end as they do without a link", async (t) => {
  await using rig = new Rig();
  let behind: Seen | Promise<Seen> = [];
  const port = await serveSockets(rig, {
    handleProtocols: (offered) => [...offered].find((one) => one.startsWith("chat")) ?? false,
    verifyClient: ({ req }, decide) => {
      const status = Number(/^\/refused\/(\d+)/.exec(req.url!)?.[1] ?? 101);
      decide(status === 101, status, "not so\n", { "WWW-Authenticate": "Basic realm=chat" });
    },
  }, (socket, { url }) => {
    const [, what, about] = url!.split("/");
    behind = watch(socket).over;
    SERVER[what](socket, about);
  });
  const ways = (await openWays(rig, { socket: port }))("socket");

  /** What both ends see, on each way. */
  const same = async (
    path: string,
    act: (socket: WebSocket) => void = () => {},
    protocols: readonly string[] = [],
  ) => {
    const { straight, through } = await onBoth(ways, async (way: Way) => {
      behind = [];
      const socket = dial(way, path, protocols);
      const { over } = watch(socket);
      act(socket);
      return { client: await over, server: await behind };
    });
    assert.deepEqual(through, straight);
    return through;
  };

  for (const code of CODES) {
    const line = code === null ? 'close 1005 ""' : `close ${code} "because of ${code} ☃"`;
    await t.step(`a client's close ${code ?? "without a code"} reaches the server`, async () => {
      const { server } = await same("/listens", (socket) => socket.on("open", () => close(socket, code)));
      assert.deepEqual(server, [line]);
    });
    await t.step(`a server's close ${code ?? "without a code"} reaches the client`, async () => {
      const { client } = await same(`/closes/${code}`);
      assert.deepEqual(client, ["open - -", line]);
    });
  }

  await t.step("an end that goes without a close frame is seen by the other", async () => {
    const { client } = await same("/terminates");
    assert.deepEqual(client, ["open - -", 'text "last words"', 'close 1006 ""']);
    const { server } = await same(
      "/listens",
      (socket) => socket.on("open", () => socket.send("mine", () => socket.terminate())),
    );
    assert.deepEqual(server, ['text "mine"', 'close 1006 ""']);
  });

  await t.step("the server chooses among the subprotocols that the client offers", async () => {
    const hangUp = (socket: WebSocket) => socket.on("open", () => socket.close(1000));
    const { client } = await same("/listens", hangUp, ["graphql-ws", "chat.v2", "chat.v1"]);
    assert.equal(client[0], "open chat.v2 -");
    const none = await same("/listens", hangUp, ["graphql-ws"]);
    assert.equal(none.client[0], "error Server sent no subprotocol");
  });

  for (const status of [400, 401, 403, 404, 426, 503]) {
    await t.step(`a server's ${status} to a handshake reaches the client, with what it says`, async () => {
      const { straight, through } = await onBoth(ways, (way) => refused(way, `/refused/${status}`));
      assert.deepEqual(through, straight);
      assert.deepEqual(through, [status, "Basic realm=chat", "not so\n"]);
    });
  }

  await t.step("fifty sockets at once each hear their own echoes, in order", async () => {
    const { straight, through } = await onBoth(
      ways,
      (way) => Promise.all(Array.from({ length: 50 }, (_, i) => echoes(way, i))),
    );
    assert.deepEqual(through, straight);
  });
});

/** Says twenty things of any length at once and returns what came back. Throws where it is something else. */
async function echoes(way: Way, seed: number): Promise<Seen> {
  const random = new Random(seed);
  const socket = dial(way, "/echoes");
  const { seen, over } = watch(socket);
  await new Promise((open, failed) => socket.once("open", open).once("error", failed));
  const said = Array.from({ length: 20 }, (_, i) => `${seed}:${i}:`.padEnd(random.below(20_000), "x"));
  const heard: string[] = [];
  const all = new Promise<void>((done) => {
    socket.on("message", (data) => heard.push(String(data)) === said.length && done());
  });
  for (const text of said) socket.send(text);
  await all;
  assert.deepEqual(heard, said);
  socket.close(1000);
  await over;
  return seen;
}

/** The answer to a handshake that is refused. */
async function refused(way: Way, path: string): Promise<[number?, string?, string?]> {
  const socket = dial(way, path).on("error", () => {});
  const answer = await new Promise<IncomingMessage>((got) =>
    socket.once("unexpected-response", (_, answer) => got(answer))
  );
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part);
  socket.terminate();
  return [answer.statusCode, answer.headers["www-authenticate"], Buffer.concat(parts).toString()];
}

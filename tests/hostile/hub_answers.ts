/** What a hostile daemon answers to its visitors' requests. */
import { EDIT_LIMITS } from "../../src/core/field_edits.ts";
import { LIMITS } from "../../src/core/http1/types.ts";
import { CREDIT, DATA, END, frame, head, LAST, MORE, RESET, u32 } from "./tunnel.ts";

/** Frames on the stream of a request, and what its visitor must get. */
export interface Lie {
  readonly name: string;
  /** Of the request; GET without it. */
  readonly line?: string;
  readonly frames: (id: number) => Uint8Array[];
  /** The status; -1: that of a head that went out before the connection was cut. */
  readonly status: number;
  readonly whole: boolean;
  /** The whole session ends for it. */
  readonly ends?: true;
}

/** Of a target's answer and of what its link adds. */
const MOST_FIELDS = LIMITS.fields + EDIT_LIMITS.fields;
const OK = "HTTP/1.1 200 OK\r\n";
const sized = `${OK}Content-Length: 5\r\n\r\n`, chunked = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const SECOND = `${OK}Content-Length: 6\r\n\r\npoison`;

/** A head that is none, or none that may go to a visitor: 502. */
function bad(name: string, text: string, flags = 0): Lie {
  return { name, frames: (id) => [head(id, text, flags)], status: 502, whole: true };
}

/** What follows a head that went out: the connection is cut. */
function cut(name: string, text: string, ...more: ((id: number) => Uint8Array)[]): Lie {
  return {
    name,
    frames: (id) => [head(id, text), ...more.map((make) => make(id))],
    status: 200,
    whole: false,
  };
}

const data = (text: string) => (id: number) => frame(DATA, id, text);
const end = (trailers = "") => (id: number) => frame(END, id, trailers);
const reset = (code: string) => (id: number) => frame(RESET, id, code);

function broken(name: string, frames: (id: number) => Uint8Array[], status = 502, whole = true): Lie {
  return { name, frames, status, whole, ends: true };
}

export const LIES: readonly Lie[] = [
  bad("no head", "hello\r\n\r\n"),
  bad("half a head", OK),
  bad("two heads in a frame", sized + sized),
  bad("a head with a body in it", sized + "hello"),
  bad("another version", "HTTP/2.0 200 OK\r\n\r\n"),
  bad("a request for an answer", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
  bad("LF line ends", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
  bad("a folded field", `${OK}A: b\r\n c\r\n\r\n`),
  bad("a NUL in a field", `${OK}A: b\0\r\n\r\n`),
  bad("a space before a colon", `${OK}Content-Length : 5\r\n\r\n`),
  bad("both framings", `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`),
  bad("two lengths", `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`),
  bad("a length below nothing", `${OK}Content-Length: -5\r\n\r\n`),
  bad("a length beyond counting", `${OK}Content-Length: 99999999999999999999\r\n\r\n`),
  bad("a coding that there is not", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`),
  bad("more fields than there may be", OK + "A: b\r\n".repeat(MOST_FIELDS + 1) + "\r\n"),
  {
    name: "a head of 100 KiB",
    frames: (id) => [
      head(id, `${OK}A: ${"a".repeat(60_000)}\r\n`, MORE),
      head(id, `B: ${"b".repeat(40_000)}\r\n\r\n`),
    ],
    status: 502,
    whole: true,
  },
  bad(
    "a 101 that nobody asked for",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
  ),
  bad("an interim answer that is the last", "HTTP/1.1 103 Early Hints\r\n\r\n", LAST),
  bad("a status of 099", "HTTP/1.1 099 No\r\n\r\n"),
  {
    name: "a RESET before the head",
    frames: (id) => [frame(RESET, id, "target_refused")],
    status: 502,
    whole: true,
  },
  {
    name: "a RESET of no known code",
    frames: (id) => [frame(RESET, id, "constructor")],
    status: 502,
    whole: true,
  },
  {
    name: "interim answers, then nothing",
    frames: (
      id,
    ) => [...Array(1000).fill(head(id, "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n")), frame(RESET, id, "bye")],
    status: 502,
    whole: true,
  },
  cut("a RESET in the body", sized, data("he"), reset("bye")),
  cut("a body that is too short", sized, data("he"), end()),
  cut("a second answer behind the length", sized, data("hello" + SECOND), end()),
  cut("a RESET between chunks", chunked, data("hello"), reset("bye")),
  cut("trailers that end", chunked, data("hello"), end("A: b\r\n\r\n" + SECOND)),
  cut("trailers that frame", chunked, data("hello"), end("Content-Length: 5\r\n")),
  cut("trailers that are none", chunked, data("hello"), end("no colon\r\n")),
  {
    name: "a body for a HEAD",
    line: "HEAD /",
    frames: (id) => [head(id, sized), frame(DATA, id, "hello"), frame(END, id)],
    status: 200,
    whole: true,
  },
  {
    name: "a body behind 204",
    frames: (id) => [head(id, "HTTP/1.1 204 No Content\r\n\r\n"), frame(DATA, id, SECOND), frame(END, id)],
    status: 204,
    whole: true,
  },
  { ...cut("a second head", sized, (id) => head(id, SECOND, LAST)) },
  broken("DATA before the head", (id) => [frame(DATA, id, "x")]),
  broken("END before the head", (id) => [frame(END, id)]),
  broken("DATA within the head", (id) => [head(id, OK, MORE), frame(DATA, id, "x")]),
  broken("a head without an end", (id) => [1, 2, 3].map(() => head(id, "a".repeat(65_000), MORE))),
  broken("CREDIT that overflows", (id) => [frame(CREDIT, id, u32(0xffffffff))]),
  broken(
    "a head behind the last one",
    (id) => [head(id, `${OK}Content-Length: 0\r\n\r\n`, LAST), head(id + 2, OK)],
    200,
  ),
];

/** What a hostile hub sends down a session that a daemon can only end: frames and messages that break the rules. */
import {
  CONTROL,
  control,
  CREDIT,
  DATA,
  END,
  frame,
  head,
  LAST,
  MORE,
  type Octets,
  octets,
  OPEN,
  open,
  PING,
  request,
  RESET,
  u32,
  ws,
} from "./tunnel.ts";

/** Octets that follow a welcome, and how the daemon must end the session for them. */
export interface Breach {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly code: number;
  /** What its Close says. */
  readonly says: RegExp;
}

const text = (field: Octets) => octets([field.length], field);
const full = new Uint8Array(65_536);
const unending = [open(1), head(1, request("POST /hold", ["Transfer-Encoding: chunked"]))];
const unanswered = [open(1), head(1, request("POST /hold", ["Content-Length: 99999999"]))];

/** Messages of frames. */
function frames(): [name: string, says: RegExp, ...frames: Uint8Array[]][] {
  return [
    ["a type that there is not", /type 11/, frame(11, 1, "x")],
    ["type 0", /type 0/, frame(0, 1, "x")],
    ["type 255", /type 255/, frame(255, 1, "x")],
    ["a frame of 16 MiB", /octets/, frame(DATA, 1, "", 0xffffff)],
    ["a frame of one octet more than there may be", /octets/, frame(HEAD_TYPE, 1, "", 65_537)],
    ["a PING of nine octets", /octets/, frame(PING, 0, "123456789")],
    ["a PING on a stream", /on stream 1/, frame(PING, 1, "12345678")],
    ["DATA on stream 0", /on stream 0/, frame(DATA, 0, "x")],
    ["OPEN on stream 0", /on stream 0/, frame(OPEN, 0, "\x01\0\0\0\0\0")],
    ["CONTROL on a stream", /on stream 1/, frame(CONTROL, 1, "\0{}")],
    ["an OPEN of the daemon's own parity", /OPEN of stream 2/, open(2)],
    ["an id again", /OPEN of stream 1/, ...unanswered, open(1)],
    ["an id of a stream that is gone", /OPEN of stream 1/, open(1), frame(RESET, 1, "bye"), open(1)],
    ["an id that was passed over", /OPEN of stream 3/, open(5), open(3)],
    ["an id half the circle away", /OPEN of stream/, open(0x80000001)],
    ["DATA for nobody", /nobody opened/, frame(DATA, 7, "x")],
    ["DATA for a stream of the daemon's", /nobody opened/, frame(DATA, 2, "x")],
    ["a RESET for nobody", /nobody opened/, frame(RESET, 2, "bye")],
    ["CREDIT for nobody", /nobody opened/, frame(CREDIT, 9, u32(1))],
    ["DATA before the head", /DATA where none/, open(1), frame(DATA, 1, "x")],
    ["END before the head", /END where none/, open(1), frame(END, 1)],
    ["DATA within a head", /DATA where none/, open(1), head(1, "GET", MORE), frame(DATA, 1, "x")],
    ["END twice", /END where none/, ...unending, frame(END, 1), frame(END, 1)],
    [
      "END behind the last head",
      /END where none/,
      open(1),
      head(1, request("GET /hold"), LAST),
      frame(END, 1),
    ],
    ["DATA behind END", /DATA where none/, ...unending, frame(END, 1), frame(DATA, 1, "x")],
    ["a head with unknown flags", /HEAD where none/, open(1), head(1, request(), 4)],
    [
      "a head without an end",
      /a head of more/,
      open(1),
      ...[1, 2, 3].map(() => head(1, "a".repeat(65_000), MORE)),
    ],
    // More than kernel and window take for a target that does not read.
    [
      "DATA beyond the window",
      /beyond the credit/,
      open(1),
      head(1, request("POST /deaf", ["Content-Length: 99999999"])),
      ...Array(320).fill(frame(DATA, 1, full)),
    ],
    ["CREDIT of nothing", /CREDIT where none/, ...unanswered, frame(CREDIT, 1, u32(0))],
    ["CREDIT of 2^32 - 1", /CREDIT where none/, ...unanswered, frame(CREDIT, 1, u32(0xffffffff))],
    ["CREDIT below nothing", /CREDIT where none/, ...unanswered, frame(CREDIT, 1, u32(-1))],
    [
      "CREDIT that overflows in sum",
      /CREDIT where none/,
      ...unanswered,
      ...[1, 2].map(() => frame(CREDIT, 1, u32(0x7fff0000))),
    ],
    ["CREDIT of five octets", /octets/, ...unanswered, frame(CREDIT, 1, [0, 0, 0, 1, 0])],
    ["windows that begin with nothing", /streams begin with 0/, frame(CREDIT, 0, u32(0))],
    ["windows that begin with 2^32 - 1", /streams begin with/, frame(CREDIT, 0, u32(0xffffffff))],
    ["windows that begin with one octet", /streams begin with 1/, frame(CREDIT, 0, u32(1))],
    ["a RESET that is a sentence", /no code/, open(1), frame(RESET, 1, "Good bye!")],
    ["a RESET with line ends", /no code/, open(1), frame(RESET, 1, "a\r\nb: c")],
    ["a RESET of 65 octets", /octets/, open(1), frame(RESET, 1, "a".repeat(65))],
    ["an OPEN of another kind", /OPEN of kind 9/, open(1, { kind: 9 })],
    ["an OPEN with unknown flags", /flags 255/, open(1, { flags: 255 })],
    ["an OPEN of 64 KiB", /octets/, frame(OPEN, 1, full)],
    [
      "an address of 10 KiB",
      /octets/,
      frame(OPEN, 1, octets("\x01\0", text("a"), [255], "9".repeat(10_240))),
    ],
    ["an OPEN that is cut short", /cut short/, frame(OPEN, 1, octets("\x01\0", text("h-open"), [200]), 9)],
    ["an OPEN with octets behind it", /after its texts/, frame(OPEN, 1, octets("\x01\0\0\0\0\0", "x"))],
    ["a CRLF in a link's id", /visible ASCII/, open(1, { link: "a\r\nb" })],
    ["a CRLF in an address", /visible ASCII/, open(1, { address: "::1\r\nX: y" })],
    ["a CRLF in a request's id", /visible ASCII/, open(1, { id: "a\r\nX: y" })],
    ["a CRLF in a host", /visible ASCII/, open(1, { host: "a\r\nX: y" })],
    ["a NUL in a link's id", /visible ASCII/, open(1, { link: "h-open\0" })],
    ["a space in a host", /visible ASCII/, open(1, { host: "a b" })],
    ["an escape in a request's id", /visible ASCII/, open(1, { id: "\x1b[2J" })],
    ["a letter beyond ASCII in a link's id", /visible ASCII/, open(1, { link: "\xe9" })],
    ["a message that ends within a frame", /within a frame/, frame(PING, 0, "12345678").subarray(0, 11)],
  ];
}

const HEAD_TYPE = 2;
const OPCODES = { text: 1, close: 8, ping: 9 };
const alive = frame(PING, 0, "12345678");
const close = (code: number, reason: Octets = "") =>
  ws(octets([code >>> 8, code & 255], reason), { opcode: OPCODES.close });

/** What breaks RFC 6455. */
const SOCKET: [name: string, code: number, says: RegExp, bytes: Uint8Array][] = [
  ["a masked frame", 1002, /masked/, ws(alive, { masked: true })],
  ["a text", 1003, /binary/, ws("hello", { opcode: OPCODES.text })],
  ["a reserved bit, as of compression", 1002, /reserved/, ws(alive, { rsv: 4 })],
  ["all reserved bits", 1002, /reserved/, ws(alive, { rsv: 7 })],
  ["an unknown opcode", 1002, /opcode/, ws(alive, { opcode: 3 })],
  ["an unknown control opcode", 1002, /opcode/, ws("", { opcode: 15 })],
  ["a continuation of nothing", 1002, /continuation/, ws(alive, { opcode: 0 })],
  ["a message within a message", 1002, /within/, octets(ws(alive, { fin: false }), ws(alive))],
  ["a ping in pieces", 1002, /in pieces/, ws("", { opcode: OPCODES.ping, fin: false })],
  ["a ping of 126 octets", 1002, /too long/, ws("x".repeat(126), { opcode: OPCODES.ping })],
  ["a length that is longer than it need be", 1002, /shortest/, ws(alive, { length: [126, 0, 16] })],
  ["a length of 2^63", 1009, /too long/, ws("", { length: [127, 0x80, 0, 0, 0, 0, 0, 0, 0] })],
  ["half a close code", 1002, /half/, ws("\x03", { opcode: OPCODES.close })],
  ["a close code that nobody may send", 1002, /close code/, close(1006)],
  ["a close code of 0", 1002, /close code/, close(0)],
  ["a close whose reason is no UTF-8", 1007, /UTF-8/, close(1000, "\xff\xfe")],
];

/** Text in place of a control message. */
const MESSAGES: [name: string, says: RegExp, json: string][] = [
  ["half of JSON", /no JSON/, '{"type":"granted"'],
  ["no JSON", /no JSON/, "hello"],
  ["a list", /no object/, "[]"],
  ["null", /no object/, "null"],
  ["a number", /no object/, "1e400"],
  ["a message without a type", /type is missing/, "{}"],
  ["a list a mebibyte deep", /no object|no JSON/, "[".repeat(500_000) + "]".repeat(500_000)],
  ["a message of more than 1 MiB", /more than 1048576/, `{"type":"x","x":"${"x".repeat(1024 * 1024)}"}`],
  ["a revoke of nothing", /name is missing/, '{"type":"revoke"}'],
  [
    "a revoke in the year 10000",
    /at is missing/,
    '{"type":"revoke","name":"open","id":"h-open","at":253402300800000}',
  ],
  ["a revoke below nothing", /at is missing/, '{"type":"revoke","name":"open","id":"h-open","at":-1}'],
  ["counts below nothing", /n is missing/, '{"type":"refused","counts":[{"id":"a","code":"a","n":-1}]}'],
  ["counts beyond counting", /n is missing/, '{"type":"refused","counts":[{"id":"a","code":"a","n":1e400}]}'],
  ["a code that is markup", /code is missing/, '{"type":"refused","counts":[{"id":"a","code":"<b>","n":1}]}'],
  ["grants that are no list", /links is missing/, '{"type":"granted","revision":1,"links":{}}'],
  [
    "a grant for __proto__",
    /name is missing/,
    '{"type":"granted","revision":1,"links":[{"name":"__proto__"}]}',
  ],
  ["a revision that is text", /revision is missing/, '{"type":"granted","revision":"1","links":[]}'],
  ["a bye for no reason", /reason is missing/, '{"type":"bye","reason":"toString","message":""}'],
  [
    "a bye of 10 KiB",
    /message is missing/,
    `{"type":"bye","reason":"draining","message":"${"x".repeat(10_240)}"}`,
  ],
];

export const BREACHES: readonly Breach[] = [
  ...frames().map(([name, says, ...parts]) => ({ name, says, code: 1002, bytes: ws(octets(...parts)) })),
  ...SOCKET.map(([name, code, says, bytes]) => ({ name: `WebSocket: ${name}`, code, says, bytes })),
  ...MESSAGES.map(([name, says, json]) => ({ name, says, code: 1002, bytes: ws(control(json)) })),
];

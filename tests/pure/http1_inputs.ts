/** Messages for a codec to stumble on: made from HTTP's own pieces, from the vectors, and then spoiled. */
import { long, REQUESTS, RESPONSES } from "./http1_vectors.ts";
import type { Random } from "./random.ts";

/** Messages of the vectors that are short enough to be changed in a place that matters. */
const MAX_SEED = 600;
const SEED_REQUESTS = REQUESTS.map(({ bytes }) => long(bytes)).filter(({ length }) => length <= MAX_SEED);
const SEED_RESPONSES = RESPONSES.map(({ bytes }) => long(bytes)).filter(({ length }) => length <= MAX_SEED);

/** Octets that mean something somewhere, or should mean nothing. */
const ODD = "\0\x01\t\n\v\f\r\x1b\x1f !\"#%&'()*+,-./019:;<=>?@AFGZ[\\]^_`afgz{|}~\x7f\x80\x85\xa0\xad\xff";

/** What smuggling is made of. */
const WORDS = [
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\r",
  "\r\n ",
  "\r\n\t",
  "0\r\n\r\n",
  "5\r\nhello\r\n",
  ";a=b",
  ';a="b\\"c"',
  " HTTP/1.1",
  " HTTP/1.0",
  "GET / HTTP/1.1\r\nHost: b.test\r\n\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: identity\r\n",
  "Host: b.test\r\n",
  "Connection: close\r\n",
  "Connection: upgrade\r\nUpgrade: websocket\r\n",
  "chunked",
  "close",
  "keep-alive",
  ", ",
  ": ",
  " \t",
];

const METHODS = [
  "GET",
  "POST",
  "PUT",
  "HEAD",
  "OPTIONS",
  "DELETE",
  "PATCH",
  "PROPFIND",
  "M-SEARCH",
  "QUERY",
  "SOURCE",
];
const ODD_METHODS = [
  "FROB",
  "G",
  "GETS",
  "X2-Y",
  "CONNECT",
  "TRACE",
  "PRI",
  "ANNOUNCE",
  "FLUSH",
  "get",
  "A".repeat(32),
];
const HOSTS = ["a.test", "a.test:8080", "A_b.c-d.", "127.0.0.1", "[::1]:80", "[1:2::3.4.5.6]", "localhost"];
const ODD_HOSTS = ["", "a..b", "a:0", "[::g]", "a b", "a/b", "a@b", "a:99999", ".a"];
const CONNECTIONS = [
  "close",
  "keep-alive",
  "Close",
  "upgrade",
  "Upgrade, close",
  "te, close",
  "close x",
  ",close,",
  "x-a",
  "accept, cookie, te",
  "host, content-length, x-forwarded-for, cdn-loop",
];
const ODD_CONNECTIONS = [
  ...CONNECTIONS,
  "close, keep-alive",
  "keep-alive,close",
  "clos",
  "closee",
  "\tclose\t",
  "close;a",
  "upgrade,keep-alive",
  "",
];
const CODINGS = [
  "chunked",
  "Chunked",
  "gzip, chunked",
  "chunked, gzip",
  "identity",
  "chunked ",
  "\tchunked",
  "x,chunked",
  "",
];
const LENGTHS = [
  "0",
  "5",
  "05",
  "+5",
  "5,5",
  "5 ",
  "5\t",
  "0x5",
  "",
  "9007199254740993",
  "18446744073709551621",
];
const NAMES = [
  "X-A",
  "accept",
  "Cookie",
  "x_b",
  "!#$%&'*+-.^_`|~0Az",
  "Expect",
  "TE",
  "Keep-Alive",
  "Content_Length",
  "Transfer-Encodin",
  "X-Forwarded-For",
  "x_forwarded_host",
  "Forwarded",
  "X-Real-Ip",
  "CF-Connecting-IP",
  "Proxy",
  "Authorization",
  "X-HTTP-Method-Override",
  "CDN-Loop",
  "Location",
];
const REASONS = [" OK", " ", "", " Not Found", " caf\xe9", " a\tb"];

/** Mostly `usual`, now and then `odd`. */
function pick<T>(random: Random, usual: readonly T[], odd: readonly T[]): T {
  return random.of(random.below(12) === 0 ? odd : usual);
}

function some(random: Random, from: string, max: number): string {
  let text = "";
  for (let n = random.below(max); n > 0; n--) text += from[random.below(from.length)];
  return text;
}

const VISIBLE = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).join("");
const TARGET = VISIBLE.replace("#", "");
const TEXT = ` \t${VISIBLE}\x80\xa0\xff`;

function line(random: Random, name: string, value: string): string {
  const space = () => random.below(3) === 0 ? random.of(["", " ", "\t", " \t ", "  "]) : "";
  return `${name}:${random.below(4) === 0 ? "" : " "}${space()}${value}${space()}\r\n`;
}

/** Fields besides those that frame the body. */
function otherFields(random: Random): string[] {
  const lines: string[] = [];
  for (let n = random.below(4); n > 0; n--) {
    lines.push(line(random, random.of(NAMES), some(random, TEXT, 20)));
  }
  if (random.below(3) === 0) {
    lines.push(line(random, "Connection", pick(random, CONNECTIONS, ODD_CONNECTIONS)));
  }
  if (random.below(12) === 0) lines.push(line(random, "Proxy-Connection", random.of(ODD_CONNECTIONS)));
  if (random.below(8) === 0) {
    lines.push(line(random, "Upgrade", random.of(["websocket", "h2c", "WebSocket, x", ""])));
  }
  if (random.below(8) === 0) lines.push(line(random, "Expect", random.of(["100-continue", "200-ok"])));
  return lines;
}

/** A body with the field that frames it. */
function framed(random: Random): [field: string, body: string] {
  const data = some(random, ODD, 30);
  switch (random.below(4)) {
    case 0:
      return ["", ""];
    case 1:
      return [
        line(
          random,
          pick(random, ["Content-Length"], ["content-length", "Content-Length "]),
          `${data.length}`,
        ),
        data,
      ];
    case 2:
      return [line(random, "Transfer-Encoding", pick(random, ["chunked"], CODINGS)), chunks(random, data)];
    default:
      return random.below(4) > 0 ? ["", ""] : [line(random, "Content-Length", random.of(LENGTHS)), "hello"];
  }
}

function chunks(random: Random, data: string): string {
  let body = "";
  for (let at = 0; at < data.length;) {
    const size = 1 + random.below(data.length - at);
    const digits = size.toString(16).padStart(1 + random.below(3), "0");
    body += `${random.below(2) ? digits : digits.toUpperCase()}${extension(random)}\r\n${
      data.slice(at, at + size)
    }\r\n`;
    at += size;
  }
  body += `${"0".repeat(1 + random.below(2))}${extension(random)}\r\n`;
  if (random.below(3) === 0) {
    body += line(
      random,
      random.of(["X-Sum", "x-b", "Cookie", "Host", "Content-Length"]),
      some(random, TEXT, 9),
    );
  }
  return body + "\r\n";
}

function extension(random: Random): string {
  if (random.below(4) > 0) return "";
  return random.of([
    ";a",
    ";a=b",
    ';a="b c"',
    ";a;b=c",
    ';a="\\""',
    ";",
    ";a=",
    " ;a",
    "; a",
    ";a =b",
    ';a="\xff";b',
    ";=b",
    ";a\t",
    ';a="b"c',
  ]);
}

function shuffled(random: Random, lines: string[]): string {
  for (let i = lines.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [lines[i], lines[j]] = [lines[j], lines[i]];
  }
  return lines.join("");
}

/** A request, whole or not, right or not. */
export function request(random: Random): string {
  if (random.below(4) === 0) return spoil(random, random.of(SEED_REQUESTS), SEED_REQUESTS);
  const [framing, body] = framed(random);
  const version = pick(random, ["1.1", "1.1", "1.1", "1.0"], ["0.9", "1.2", "2.0", "1.", "1.11"]);
  const start = `${pick(random, METHODS, ODD_METHODS)} ${
    pick(random, ["/"], ["", "*", "a", "http://a.test/"])
  }${some(random, TARGET, 12)} HTTP/${version}\r\n`;
  const host = line(random, random.of(["Host", "host"]), pick(random, HOSTS, ODD_HOSTS));
  const text = start + shuffled(random, [host, framing, ...otherFields(random)]) + "\r\n" + body;
  return random.below(2) === 0 ? text : spoil(random, text, SEED_REQUESTS);
}

/** A response, likewise. */
export function response(random: Random): string {
  if (random.below(4) === 0) return spoil(random, random.of(SEED_RESPONSES), SEED_RESPONSES);
  const [framing, body] = framed(random);
  const status = pick(random, ["200", "204", "304", "404", "100", "103", "101", "500"], [
    "099",
    "999",
    "20",
    "2000",
    "2OO",
  ]);
  const start = `HTTP/${pick(random, ["1.1", "1.1", "1.0"], ["2.0", "1.2"])} ${status}${
    random.of(REASONS)
  }\r\n`;
  const interim = random.below(5) === 0 ? "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" : "";
  const text = interim + start + shuffled(random, [framing, ...otherFields(random)]) + "\r\n" + body;
  return random.below(2) === 0 ? text : spoil(random, text, SEED_RESPONSES);
}

/** `text` with up to three things wrong, or right in another way. */
function spoil(random: Random, text: string, others: readonly string[]): string {
  for (let n = random.below(4); n > 0; n--) {
    const at = random.below(text.length + 1);
    const end = Math.min(text.length, at + 1 + random.below(random.of([1, 4, 20])));
    const before = text.slice(0, at), piece = text.slice(at, end), after = text.slice(end);
    switch (random.below(8)) {
      case 0:
        text = before + ODD[random.below(ODD.length)] + piece + after;
        break;
      case 1:
        text = before + ODD[random.below(ODD.length)] + text.slice(at + 1);
        break;
      case 2:
        text = before + after;
        break;
      case 3:
        text = before + piece + piece + after;
        break;
      case 4:
        text = before + random.of(WORDS) + piece + after;
        break;
      case 5: {
        const other = random.of(others);
        text = before + other.slice(random.below(other.length + 1));
        break;
      }
      case 6:
        text = before + (random.below(2) ? piece.toUpperCase() : piece.toLowerCase()) + after;
        break;
      case 7: {
        // A whole line again, elsewhere: two Hosts, two lengths, trailers that are none.
        const lines = text.split("\r\n");
        lines.splice(random.below(lines.length), 0, random.of(lines));
        text = lines.join("\r\n");
        break;
      }
    }
  }
  // Upper case of an 8-bit letter may be no octet any more.
  return text.replace(/[^\0-\xff]/g, "\xff");
}

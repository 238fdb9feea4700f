/** What a hostile hub asks a daemon for: streams that are well formed, and requests that should reach nobody. */
import type { Ground } from "./daemon_world.ts";
import { DATA, END, frame, head, LAST, MORE, type Octets, type OpenWish, request } from "./tunnel.ts";

/** A request, and what must come of it. */
export interface Ask {
  readonly name: string;
  readonly open?: OpenWish;
  readonly head?: string;
  /** Of the head's frame; LAST unless it says so. */
  readonly flags?: number;
  /** Frames behind the head, on stream `id`. */
  readonly more?: (id: number) => Uint8Array[];
  /** Status, or the code of a RESET. */
  readonly gets: number | string;
  /** What the target was asked then; absent: nothing. */
  readonly seen?: string;
  /** What the target's head must not hold. */
  readonly without?: RegExp;
}

const EVIL = "GET /evil HTTP/1.1\r\nHost: x\r\n\r\n";
const chunked = (line: string) => request(line, ["Transfer-Encoding: chunked"]);
const sized = (line: string, length: number) => request(line, [`Content-Length: ${length}`]);
const data = (...parts: readonly Octets[]) => (id: number) => parts.map((part) => frame(DATA, id, part));
const whole = (...parts: readonly Octets[]) => (id: number) => [...data(...parts)(id), frame(END, id)];

/** Ids that are no link's. */
function ids({ trap, trapSocket }: Ground): Ask[] {
  const names: [name: string, link: string][] = [
    ["no link's id", "nope"],
    ["the id of another hub's link", "open"],
    ["a service that no link leads to", "inner"],
    ["a service on a unix socket", "local"],
    ["the built-in target", "echo"],
    ["an address", `127.0.0.1:${trap}`],
    ["a URL", `http://127.0.0.1:${trap}/`],
    ["a unix socket", `unix:${trapSocket}`],
    ["a TCP target", `tcp://127.0.0.1:${trap}`],
    ["the address of a cloud's secrets", "http://169.254.169.254/latest/meta-data/"],
    ["a property of objects", "__proto__"],
    ["a method of objects", "constructor"],
    ["no id at all", ""],
    ["an id of 255 octets", "a".repeat(255)],
    ["an id in capitals", "H-OPEN"],
    ["an id with a dot behind", "h-open."],
    ["a path", "../h-open"],
  ];
  return names.map(([name, link]) => ({ name: `OPEN for ${name}`, open: { link }, gets: 404 }));
}

function targets({ trap }: Ground): Ask[] {
  const there = `127.0.0.1:${trap}`;
  return [
    { name: "a raw connection to a link", open: { kind: 2 }, head: "", gets: "service_unknown" },
    {
      name: "a raw connection to a service",
      open: { kind: 2, link: "inner" },
      head: "",
      gets: "service_unknown",
    },
    { name: "an absolute target", head: request(`GET http://${there}/`), gets: 400 },
    { name: "an absolute target of another scheme", head: request("GET file:///etc/passwd"), gets: 400 },
    { name: "CONNECT", head: `CONNECT ${there} HTTP/1.1\r\nHost: ${there}\r\n\r\n`, gets: 400 },
    { name: "an authority for a target", head: request(`GET ${there}`), gets: 400 },
    { name: "userinfo for a target", head: request(`GET @${there}/`), gets: 400 },
    { name: "the asterisk", head: request("OPTIONS *"), gets: 400 },
    { name: "a network path", head: request(`GET //${there}/`), gets: 200, seen: `GET //${there}/` },
    { name: "another Host", head: `GET / HTTP/1.1\r\nHost: ${there}\r\n\r\n`, gets: 200, seen: "GET /" },
    { name: "another host in OPEN", open: { host: there }, gets: 200, seen: "GET /" },
    { name: "two Hosts", head: request("GET /", [`Host: ${there}`]), gets: 400 },
    { name: "a Host with a path", head: `GET / HTTP/1.1\r\nHost: a/${there}\r\n\r\n`, gets: 400 },
    { name: "a Host with userinfo", head: `GET / HTTP/1.1\r\nHost: a@${there}\r\n\r\n`, gets: 400 },
    { name: "a NUL in a field", head: request("GET /", ["A: b\0c"]), gets: 400 },
    { name: "a bare LF in a field", head: request("GET /", [`A: b\nHost: ${there}`]), gets: 400 },
    { name: "a folded field", head: request("GET /", ["A: b", ` Host: ${there}`]), gets: 400 },
    { name: "HTTP/2's preface", head: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", gets: 400 },
    { name: "no octet of a head", head: "", gets: 400 },
    { name: "a request id that is markup", open: { id: "<script>", link: "nope" }, gets: 404 },
  ];
}

function addresses(): Ask[] {
  const known = { link: "h-known" };
  const forged = [
    "",
    "localhost",
    "198.51.100.9%eth0",
    "fe80::1%eth0",
    "198.51.100.009",
    "198.51.100.9/24",
    "0xC6336409",
    "3325256713",
    "198.51.100.9,192.0.2.1",
    "[::1]",
    "198.51.100.9:80",
    "1:2:3:4:5:6:7:8:9",
    "9".repeat(255),
  ];
  return [
    ...forged.map((address): Ask => ({
      name: `the address ${JSON.stringify(address.slice(0, 24))}`,
      open: { ...known, address },
      gets: 400,
    })),
    { name: "an address outside", open: { ...known, address: "10.0.0.1" }, gets: 403 },
    { name: "an address outside, as IPv6", open: { ...known, address: "::ffff:10.0.0.1" }, gets: 403 },
    { name: "an address inside", open: { ...known, address: "198.51.100.9" }, gets: 200, seen: "GET /" },
  ];
}

function policies(): Ask[] {
  const strict = (line: string, gets: number, fields: string[] = []): Ask => ({
    name: `${line}${fields.map((field) => `, ${field}`).join("")} at a strict link`,
    open: { link: "h-strict" },
    head: request(line, fields),
    gets,
  });
  const overrides = ["X-HTTP-Method-Override: DELETE", "X-Original-URL: /evil", "X-Rewrite-URL: /evil"];
  return [
    strict("DELETE /ok", 405),
    strict("get /ok", 400),
    strict("GET /evil", 403),
    strict("GET /okay", 403),
    strict("GET /ok/../evil", 400),
    strict("GET /ok/%2e%2e/evil", 400),
    strict("GET /ok%2f..%2fevil", 400),
    strict("GET /ok\\evil", 400),
    strict("GET /ok/%252e%252e/evil", 400),
    strict("GET //ok", 400),
    strict("GET /ok", 403, ["Connection: Upgrade", "Upgrade: websocket"]),
    { ...strict("GET /ok", 200, overrides), seen: "GET /ok", without: /evil|delete/i },
    {
      name: "a body that is declared too large",
      open: { link: "h-strict" },
      head: sized("POST /ok", 101),
      flags: 0,
      more: whole("x".repeat(101)),
      gets: 413,
    },
    {
      name: "a body in chunks that grows too large",
      open: { link: "h-strict" },
      head: chunked("POST /ok"),
      flags: 0,
      more: data("x".repeat(60), "x".repeat(60)),
      gets: 413,
    },
  ];
}

/** A request behind a request, which would go by any policy. */
function smuggled(): Ask[] {
  return [
    { name: "a request in a body that there is not", flags: 0, more: data(EVIL), gets: 400 },
    {
      name: "a request behind a body",
      head: sized("POST /a", 3),
      flags: 0,
      more: data("abc" + EVIL),
      gets: 400,
    },
    {
      name: "a request behind a body, in a frame of its own",
      head: sized("POST /a", 3),
      flags: 0,
      more: data("abc", EVIL),
      gets: 400,
    },
    {
      name: "a body that is cut short",
      head: sized("POST /a", 10),
      flags: 0,
      more: whole("abc"),
      gets: 400,
    },
    { name: "a body that there is not", head: sized("POST /a", 10), gets: 400 },
    {
      name: "an end of chunks within a chunk",
      head: chunked("POST /a"),
      flags: 0,
      more: whole("0\r\n\r\n" + EVIL),
      gets: 200,
      seen: "POST /a 0\r\n\r\n" + EVIL,
    },
    {
      name: "a request in trailers",
      head: chunked("POST /a"),
      flags: 0,
      more: (id) => [frame(END, id, "A: b\r\n\r\n" + EVIL)],
      gets: 400,
    },
    {
      name: "a framing field in trailers",
      head: chunked("POST /a"),
      flags: 0,
      more: (id) => [frame(END, id, "Content-Length: 5\r\n")],
      gets: 400,
    },
    { name: "two heads in a frame", head: request() + EVIL, gets: 400 },
    {
      name: "a second head in the body's place",
      head: sized("POST /a", 3),
      flags: 0,
      more: (id) => [head(id, EVIL, LAST)],
      gets: 400,
    },
    {
      name: "a second head in pieces",
      head: request("GET /a"),
      flags: MORE,
      more: (id) => [head(id, EVIL, LAST)],
      gets: 400,
    },
    {
      name: "both framings",
      head: request("POST /a", ["Content-Length: 3", "Transfer-Encoding: chunked"]),
      gets: 400,
    },
    { name: "two lengths", head: request("POST /a", ["Content-Length: 3", "Content-Length: 4"]), gets: 400 },
    { name: "a signed length", head: request("POST /a", ["Content-Length: +3"]), gets: 400 },
    { name: "chunked twice", head: request("POST /a", ["Transfer-Encoding: chunked, chunked"]), gets: 400 },
    {
      name: "chunked that is hidden",
      head: request("POST /a", ["Transfer-Encoding:\x0bchunked"]),
      gets: 400,
    },
    {
      name: "a framing that some servers see",
      head: request("POST /a", ["Transfer_Encoding: chunked"]),
      gets: 200,
      seen: "POST /a",
      without: /transfer.encoding/i,
    },
    {
      name: "an early upgrade with a request",
      head: request("GET /a", ["Connection: Upgrade", "Upgrade: h2c"]),
      flags: 0,
      more: data(EVIL),
      gets: 400,
    },
  ];
}

export function asks(ground: Ground): Ask[] {
  return [...ids(ground), ...targets(ground), ...addresses(), ...policies(), ...smuggled()];
}

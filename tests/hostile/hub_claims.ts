/** What a hostile daemon declares and says to its hub, in messages that are well formed or are not. */
import { hello, link, POLICY } from "./hub_world.ts";
import {
  CONTROL,
  control,
  CREDIT,
  DATA,
  END,
  frame,
  head,
  MORE,
  type Octets,
  octets,
  OPEN,
  open,
  PING,
  RESET,
  u32,
} from "./tunnel.ts";

/** A link that is declared, and the code by which it is refused; null: it is granted an id of its own. */
export interface Claim {
  readonly name: string;
  readonly link: object;
  readonly code: string | null;
}

export const CLAIMS: readonly Claim[] = [
  { name: "another workspace's subdomain", link: { subdomain: "honest" }, code: "name_taken" },
  { name: "another workspace's name as an id", link: { id: "honest" }, code: null },
  { name: "the name of another's link", link: { name: "echo" }, code: null },
  ...["www", "api", "admin"].map((subdomain): Claim => ({
    name: `the reserved name ${subdomain}`,
    link: { subdomain },
    code: "bad_name",
  })),
  { name: "a name in Punycode", link: { subdomain: "xn--hnest-fsa" }, code: "bad_name" },
  { name: "an id of its own making", link: { id: "aaaaaaaaaaaaa" }, code: null },
  { name: "a link that expired in 1970", link: { expiresAt: 1 }, code: null },
  { name: "a link that expires in 9999", link: { expiresAt: Date.UTC(9999, 11, 31) }, code: null },
];

/** Octets of a message that ends the session. */
export interface Offence {
  readonly name: string;
  readonly frames: readonly Uint8Array[];
  readonly says: RegExp;
  /** It comes in the hello's place. */
  readonly first?: true;
}

const text = (field: Octets) => octets([field.length], field);
const full = new Uint8Array(65_536);

function declares(name: string, change: object, says: RegExp): Offence {
  return { name: `a link with ${name}`, frames: [control(hello([link("a", change)]))], says, first: true };
}

function greets(name: string, change: object, says: RegExp): Offence {
  return { name: `a hello with ${name}`, frames: [control(hello([], change))], says, first: true };
}

function sends(name: string, says: RegExp, ...frames: Uint8Array[]): Offence {
  return { name, says, frames };
}

const policy = (change: object) => ({ policy: { ...POLICY, ...change } });

export const OFFENCES: readonly Offence[] = [
  ...([
    ["markup for a name", { name: "<script>" }],
    ["line ends in its name", { name: "a\r\nb" }],
    ["an escape in its name", { name: "\x1b[2J" }],
    ["a name of 1 MiB", { name: "a".repeat(1_000_000) }],
    ["__proto__ for a name", { name: "__proto__" }],
    ["a name that is an object", { name: { toString: 1 } }],
  ] as const).map(([name, change]) => declares(name, change, /name is missing/)),
  ...["a.b", "..", "", "A", "a_b", "-a", "a".repeat(64), "a\0", "é"].map((subdomain) =>
    declares(`the subdomain ${JSON.stringify(subdomain.slice(0, 9))}`, { subdomain }, /subdomain is missing/)
  ),
  declares("an id that is a path", { id: "../../x" }, /id is missing/),
  declares("a state that there is not", { state: "toString" }, /state is missing/),
  ...[-1, 1.5, "1", 8.64e15, 1e300, true].map((expiresAt) =>
    declares(`the expiry ${JSON.stringify(expiresAt)}`, { expiresAt }, /expiresAt is missing/)
  ),
  declares("no policy", { policy: null }, /policy/),
  declares("a path that is no path", policy({ paths: ["a\0b"] }), /paths/),
  declares("paths of nothing", policy({ paths: [] }), /paths/),
  declares("ten thousand paths", policy({ paths: Array(10_000).fill("/a") }), /paths/),
  declares("a path of 1 MiB", policy({ paths: ["/" + "a".repeat(900_000)] }), /paths/),
  declares("a method with line ends", policy({ methods: ["GET\r\nX: y"] }), /methods/),
  declares("an address that is none", policy({ allowIps: ["999.1.1.1/99"] }), /allowIps/),
  declares("a rate of nothing", policy({ rate: [{ count: 0, perMs: 0, burst: 0, perIp: true }] }), /rate/),
  declares("an upgrade to HTTP/2", policy({ upgrade: ["h2c"] }), /upgrade/),
  declares("a size below nothing", policy({ maxBody: -1 }), /maxBody/),
  greets("a daemon that is a path", { daemon: "../x" }, /daemon is missing/),
  greets("an instance that is markup", { instance: "<b>" }, /instance is missing/),
  greets("software that moves a terminal", { software: "\x1b[2J" }, /software is missing/),
  greets("services of nothing", { services: [{}] }, /name is missing/),
  greets("a connection below nothing", { connection: -1 }, /connection is missing/),
  greets("a version to come", { version: 2 }, /version 1, the daemon 2/),
  greets("links that are no list", { links: "all" }, /links is missing/),
  {
    ...sends(
      "links before a hello",
      /before hello/,
      control({ type: "links", revision: 1, set: [], remove: [], more: false }),
    ),
    first: true,
  },
  { ...sends("half of JSON", /no JSON/, control('{"type":"hello"')), first: true },
  {
    ...sends(
      "a hello of more than 1 MiB",
      /more than 1048576/,
      control(hello([], { x: "x".repeat(1_100_000) })),
    ),
    first: true,
  },
  sends("a second hello", /second hello/, control(hello([]))),
  sends("a hub's parity", /OPEN of stream 1/, open(1)),
  sends("an id again", /OPEN of stream 2/, open(2), open(2)),
  sends("a type that there is not", /type 11/, frame(11, 2, "x")),
  sends("a frame of 16 MiB", /octets/, frame(DATA, 2, "", 0xffffff)),
  sends("a head for nobody", /nobody opened/, head(1, "HTTP/1.1 200 OK\r\n\r\n")),
  sends("DATA for nobody", /nobody opened/, frame(DATA, 1, "x")),
  sends("an END for nobody", /nobody opened/, frame(END, 7)),
  sends("a RESET for nobody", /nobody opened/, frame(RESET, 1, "bye")),
  sends("CREDIT for nobody", /nobody opened/, frame(CREDIT, 1, u32(1))),
  sends("windows that begin with nothing", /streams begin/, frame(CREDIT, 0, u32(0))),
  sends("windows that begin with 2^32 - 1", /streams begin/, frame(CREDIT, 0, u32(0xffffffff))),
  sends("a CONTROL on a stream", /on stream 1/, frame(CONTROL, 1, "\0{}")),
  sends(
    "a message of more than 1 MiB",
    /more than 1048576/,
    ...Array(17).fill(frame(CONTROL, 0, full.with(0, MORE))),
  ),
  sends(
    "an OPEN with line ends",
    /visible ASCII/,
    frame(OPEN, 2, octets("\x01\0", text("a\r\nb"), "\0\0\0")),
  ),
  sends("a PING of nine octets", /octets/, frame(PING, 0, "123456789")),
];

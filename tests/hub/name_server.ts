/** A name server on UDP (RFC 1035 §4), a real one on this machine, that knows what a test tells it. */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { parseAddress } from "../../src/core/address.ts";

const TYPES: Readonly<Record<number, keyof Records>> = { 1: "a", 5: "cname", 16: "txt", 28: "aaaa" };

const NO_SUCH_NAME = 3;

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** What it says of one name. */
export interface Records {
  a?: readonly string[];
  aaaa?: readonly string[];
  cname?: readonly string[];
  /** The pieces of each record. */
  txt?: readonly (readonly string[])[];
}

export class NameServer implements AsyncDisposable {
  /** By name in lower case. A number: how it refuses. */
  readonly zone = new Map<string, Records | number>();
  /** Called before a question is answered. */
  asked: (name: string, type: keyof Records | undefined) => void = () => {};
  readonly #socket = createSocket("udp4");

  static async start(zone: Readonly<Record<string, Records | number>>): Promise<NameServer> {
    const server = new NameServer(), socket = server.#socket;
    for (const [name, records] of Object.entries(zone)) server.zone.set(name, records);
    socket.on("message", (query, from) => socket.send(server.#answer(query), from.port, from.address));
    await new Promise<void>((bound) => socket.bind(0, "127.0.0.1", bound));
    return server;
  }

  get address(): { ipAddr: string; port: number } {
    return { ipAddr: "127.0.0.1", port: this.#socket.address().port };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((closed) => void this.#socket.close(() => closed()));
  }

  #answer(query: Buffer): Buffer {
    let at = 12, name = "";
    while (query[at] > 0) {
      name += `${query.subarray(at + 1, at + 1 + query[at]).toString("latin1")}.`;
      at += query[at] + 1;
    }
    const question = query.subarray(12, at + 5), number = query.readUInt16BE(at + 1);
    name = name.toLowerCase().slice(0, -1);
    this.asked(name, TYPES[number]);
    const found = this.zone.get(name) ?? NO_SUCH_NAME;
    const records = typeof found === "number" ? [] : answers(found, number);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8580 | (typeof found === "number" ? found : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    return Buffer.concat([head, question, ...records]);
  }
}

/** Records of that type, or of an alias. */
function answers(records: Records, number: number): Buffer[] {
  const type = TYPES[number];
  if (records.cname !== undefined) return records.cname.map((name) => record(5, labels(name)));
  const values = type === undefined ? [] : records[type] ?? [];
  return values.map((value) => record(number, typeof value === "string" ? address(value) : pieces(value)));
}

/** The name is that of the question; class IN, a TTL of 0. */
function record(type: number, data: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, data.length >> 8, data.length & 255]),
    data,
  ]);
}

function pieces(texts: readonly string[]): Buffer {
  return Buffer.concat(texts.map((text) => Buffer.from([text.length, ...Buffer.from(text, "latin1")])));
}

function labels(name: string): Buffer {
  return Buffer.concat([pieces(name.split(".")), Buffer.from([0])]);
}

function address(text: string): Buffer {
  const { groups } = parseAddress(text)!, octets = groups.flatMap((group) => [group >> 8, group & 255]);
  // An IPv4 address in the dress of an IPv6 one.
  return Buffer.from(octets.length === 4 && text.includes(":") ? [...MAPPED, ...octets] : octets);
}

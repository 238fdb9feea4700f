/** Links to one server, as their users make them, with a tap between: and whether anybody can tell that they are there. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { toBytes } from "../../src/core/latin1.ts";
import { type Pair, startPair } from "../e2e/pair.ts";
import { eventually, type Rig } from "../e2e/rig.ts";
import { type Asked, expected, expectedAnswer, expectedInterim, type Via } from "./expected.ts";
import { endsConnection, valueOf } from "./messages.ts";
import { Tap } from "./tap.ts";
import { type Door, type Exchange, type Seen, visit } from "./visit.ts";

/** What Host the target gets: its own, or the one that the visitor asked. */
export type Host = "target" | "public";

/** Short enough for an address of this machine to be as long as an authority with one of them. */
const SUBDOMAIN: Readonly<Record<Host, string>> = { target: "its", public: "our" };

/** A difference that is none of the link's doing. */
export interface Tolerated {
  readonly what: string;
  readonly pattern: RegExp;
}

/** Each answer has the time that it was made. */
const DATE: Tolerated = {
  what: "Date",
  pattern: /(?<=\r\nDate: )\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT(?=\r\n)/g,
};

export interface How {
  readonly host: Host;
  readonly tolerated?: readonly Tolerated[];
  /** Makes the server's world what it was. */
  readonly reset?: () => void;
}

export class Links {
  private constructor(
    readonly tap: Tap,
    readonly pair: Pair,
    /** What the links know of themselves and of a visitor of this machine. */
    readonly via: Readonly<Record<Host, Via>>,
  ) {}

  /** Links to the server at 127.0.0.1:`port`. */
  static async to(rig: Rig, port: number): Promise<Links> {
    const tap = new Tap(port);
    rig.atEnd(() => tap[Symbol.asyncDispose]());
    const link = (host: Host) =>
      `  ${host}:\n    target: ${tap.authority}\n    subdomain: ${SUBDOMAIN[host]}\n    host: ${host}\n`;
    const pair = await startPair(rig, link("target") + link("public"));
    const via = async (host: Host): Promise<Via> => ({
      host: host === "target" ? tap.authority : null,
      address: "127.0.0.1",
      proto: "http",
      loop: await digest(linked(pair, host), tap),
    });
    return new Links(tap, pair, { target: await via("target"), public: await via("public") });
  }

  /** How a visitor comes through the link. */
  door(host: Host): Door {
    return linked(this.pair, host);
  }

  /** How one comes to the server without it, as whom the link asks. */
  straight(host: Host): Door {
    const { tap, pair } = this;
    return {
      hostname: "127.0.0.2",
      port: tap.port,
      authority: host === "target" ? tap.authority : linked(pair, host).authority,
    };
  }

  /** Goes through all of it straight and through the link, and compares what each side saw. */
  async same(t: Deno.TestContext, exchanges: readonly Exchange[], how: How): Promise<void> {
    how.reset?.();
    const straight = await visit(this.straight(how.host), this.tap, exchanges.map(inHttp11), ONE_EACH);
    how.reset?.();
    const through = await visit(this.door(how.host), this.tap, exchanges, Infinity);
    for (const [i, exchange] of exchanges.entries()) {
      await t.step(exchange.name, () => this.#compare(exchange, how, straight.seen[i], through.seen[i]));
    }
    await t.step("a visitor's connection lasts until it says otherwise", () => {
      const ends = exchanges.filter(({ requests, early }) =>
        early || endsConnection(requests.at(-1)!)
      ).length;
      assert.ok(through.dials <= 1 + ends, `${through.dials} connections for ${ends} that end`);
    });
  }

  #compare(exchange: Exchange, how: How, straight: Seen, through: Seen): void {
    const via = this.via[how.host], plain = (text: string) => brief(tolerate(text, how.tolerated ?? []));
    assert.deepEqual([straight.trouble, through.trouble], [null, null]);
    assert.deepEqual(straight.told.map(brief), straight.sent.map(brief), "the tap");
    assert.equal(
      through.connections,
      exchange.requests.length > 1 ? through.connections : 1,
      "a request is sent once",
    );
    assert.deepEqual(
      through.told.map(brief),
      through.sent.map((sent) => brief(expected(sent, via))),
      "the target's side",
    );
    for (const [i, answer] of through.answers.entries()) {
      const sent = through.sent[i], minor = /HTTP\/1\.0\r\n/.test(sent) ? 0 : 1;
      const asked: Asked = {
        method: sent.slice(0, sent.indexOf(" ")),
        minor,
        // Of a request whose rest nobody reads the connection may be of use or not.
        closes: endsConnection(exchange.early ? answer.message : sent),
        mapFrom: via.host,
        publicOrigin: `http://${this.door(how.host).authority}`,
      };
      const { interim, message } = straight.answers[i];
      const heads = minor === 0 ? [] : interim.map((head) => plain(expectedInterim(head, asked)));
      assert.deepEqual(answer.interim.map(plain), heads, "interim answers");
      assert.equal(plain(answer.message), plain(expectedAnswer(message, asked)), "the visitor's side");
    }
  }
}

/** Exchanges of a connection: servers end one when they like, and a link keeps its visitor's nevertheless. */
const ONE_EACH = 1;

/** A link asks in HTTP/1.1 whoever its visitor is, and the target answers to that. */
function inHttp11(exchange: Exchange): Exchange {
  return {
    ...exchange,
    requests: exchange.requests.map((request) => request.replace(" HTTP/1.0\r\n", " HTTP/1.1\r\n")),
  };
}

function linked(pair: Pair, host: Host): Door {
  return { hostname: "127.0.0.1", port: pair.port, authority: `${SUBDOMAIN[host]}.localhost:${pair.port}` };
}

/** The digest of the link behind `door`, from the first request that it lets through. */
async function digest(door: Door, tap: Tap): Promise<string> {
  const ask = [{ name: "", requests: ["GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"] }];
  const { seen } = await eventually(
    () => visit(door, tap, ask, ONE_EACH),
    ({ seen }) => seen[0].told.length > 0,
  );
  return /^connectd;l=([0-9a-f]+)$/.exec(valueOf(seen[0].told[0], "cdn-loop") ?? "")![1];
}

/** Puts a name in the place of what may differ. */
export function tolerate(text: string, more: readonly Tolerated[]): string {
  for (const { what, pattern } of [DATE, ...more]) text = text.replace(pattern, `(${what})`);
  return text;
}

/** Fit to be printed where it differs. */
export function brief(text: string): string {
  if (text.length < 4096) return text;
  const hash = createHash("sha256").update(toBytes(text)).digest("hex");
  return `${text.slice(0, 1024)}… ${text.length} octets of SHA-256 ${hash}`;
}

/** A request as a curl command. */
import { Buffer } from "node:buffer";
import { fieldOf, headLines } from "./http1/lines.ts";
import { quoteOctets, quoteShell } from "./shell.ts";

export interface Sent {
  readonly method: string;
  /** With its query. */
  readonly target: string;
  /** One character for each octet. */
  readonly head: string;
  /** Octets of its body that went by. */
  readonly bytesIn: number;
  /** Null: it was not kept. */
  readonly body: {
    /** Octets that `text` holds. */
    readonly kept: number;
    readonly encoding: "utf8" | "base64";
    readonly text: string;
  } | null;
}

/** What curl adds by itself, and when. */
const OWN: readonly [name: string, when: "always" | "with a body"][] = [
  ["User-Agent", "always"],
  ["Accept", "always"],
  ["Content-Type", "with a body"],
];

/**
 * The line for bash, zsh or ksh that sends `sent` to `origin`, `http://id.hub.example.com`: the same method, target, fields
 * and body. What is hidden in the head is hidden here. Null: not the whole body is there.
 */
export function curlLine(sent: Sent, origin: string): string | null {
  const [first, ...lines] = headLines(sent.head);
  const fields = lines.map(fieldOf);
  const has = (wanted: string) => fields.some(([name]) => name.toLowerCase() === wanted.toLowerCase());
  const framed = has("Content-Length") || has("Transfer-Encoding");
  // Else curl would walk `..` itself, and take `[1-3]` for three URLs.
  const words = ["--path-as-is", "--globoff", first.endsWith("1.0") ? "--http1.0" : "--http1.1"];
  if (sent.method === "HEAD" && !framed) words.push("--head");
  else if (sent.method !== "GET" || framed) words.push("-X", sent.method);
  for (const [name, value] of fields) {
    // It measures the body itself, and knows whom it calls.
    if (/^content-length$/i.test(name)) continue;
    if (/^host$/i.test(name) && value.toLowerCase() === new URL(origin).host) continue;
    // `Name:` would leave the field out.
    words.push("-H", quoteOctets(value === "" ? `${name};` : `${name}: ${value}`));
  }
  for (const [name, when] of OWN) {
    if (!has(name) && (when === "always" || framed)) words.push("-H", `${name}:`);
  }
  const url = quoteOctets(origin + sent.target);
  if (!framed) return ["curl", ...words, url].join(" ");
  const length = fields.find(([name]) => /^content-length$/i.test(name))?.[1];
  // A request that was refused has a body that nobody has seen.
  if (length === undefined ? sent.bytesIn === 0 : sent.bytesIn !== Number(length)) return null;
  const body = sent.bytesIn === 0 ? NONE : sent.body;
  if (body === null || body.kept < sent.bytesIn) return null;
  if (body.encoding === "utf8" && !body.text.includes("\0")) {
    return ["curl", ...words, "--data-raw", quoteShell(body.text), url].join(" ");
  }
  // No word of a shell holds it.
  const base64 = body.encoding === "base64" ? body.text : Buffer.from(body.text).toString("base64");
  return `printf %s ${base64} | base64 -d | ${["curl", ...words, "--data-binary", "@-", url].join(" ")}`;
}

const NONE = { kept: 0, encoding: "utf8", text: "" } as const;

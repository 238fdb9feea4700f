/** A request as a command for a shell. */
import { Buffer } from "node:buffer";

export interface Sent {
  readonly method: string;
  readonly url: string;
  /** Head, as it was sent: request line, fields, empty line. */
  readonly head: string;
  readonly body: { readonly encoding: "utf8" | "base64"; readonly text: string } | null;
}

/** What curl makes itself of the URL and the body. */
const ITS_OWN = ["host", "content-length", "connection", "transfer-encoding", "expect", "keep-alive"];

/** A POSIX shell command that sends it again. What is hidden in the head is hidden here. */
export function curlCommand({ method, url, head, body }: Sent): string {
  const fields = head.split("\r\n").slice(1).filter((line) => line !== "")
    .filter((line) => !ITS_OWN.includes(line.slice(0, line.indexOf(":")).trim().toLowerCase()));
  const words = [
    "curl",
    // Else curl would take `[1-3]` for three URLs, and walk `..` itself.
    ...(/[[\]{}]/.test(url) ? ["-g"] : []),
    ...(/\/\.{1,2}(\/|\?|$)/.test(url) ? ["--path-as-is"] : []),
    ...(method === "GET" ? [] : method === "HEAD" ? ["-I"] : ["-X", quote(method)]),
    quote(url),
  ];
  // curl takes `Name;` for a field without a value, and `Name:` for one to leave out.
  for (const field of fields) words.push("-H", quote(field.replace(/^([^:]+):\s*$/, "$1;")));
  if (body === null || body.text === "") return words.join(" ");
  // A text that begins with @ names a file to curl, and no shell word holds a NUL: those go by a pipe.
  if (body.encoding === "utf8" && !/^@|\0/.test(body.text)) {
    return [...words, "--data-binary", quote(body.text)].join(" ");
  }
  const base64 = body.encoding === "base64" ? body.text : Buffer.from(body.text).toString("base64");
  return `printf %s ${quote(base64)} | base64 -d | ${[...words, "--data-binary", "@-"].join(" ")}`;
}

/** One word for a shell, whatever is in it. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command that somebody pastes into a shell: it has to say what was sent, and nothing else. */
import assert from "node:assert/strict";
import { curlCommand, type Sent } from "../../src/pages/curl.ts";

const SENT: Sent = { method: "GET", url: "http://a.test/x", head: "GET /x HTTP/1.1\r\n\r\n", body: null };

/** What curl is called with, and what it reads, when a shell runs `command`. */
async function run(command: string): Promise<{ words: string[]; piped: string }> {
  const script = `curl() { case "$*" in *@-*) cat >&2;; esac; printf '%s\\0' "$@"; }\n${command}\n`;
  const { stdout, stderr } = await new Deno.Command("sh", { args: ["-c", script], stdin: "null" }).output();
  const words = new TextDecoder().decode(stdout).split("\0").slice(0, -1);
  return { words, piped: new TextDecoder("latin1").decode(stderr) };
}

const ROWS: [what: string, sent: Partial<Sent>, words: string[], piped?: string][] = [
  ["a plain one", {}, ["http://a.test/x"]],
  ["a method", { method: "PUT" }, ["-X", "PUT", "http://a.test/x"]],
  ["what a shell would run", { url: "http://a.test/$(id)'`id`'\\" }, ["http://a.test/$(id)'`id`'\\"]],
  ["what curl would take for many", { url: "http://a.test/[1-9]{a,b}" }, ["-g", "http://a.test/[1-9]{a,b}"]],
  ["what curl would walk", { url: "http://a.test/../x" }, ["--path-as-is", "http://a.test/../x"]],
  [
    "fields, but for those that are curl's",
    { head: "GET / HTTP/1.1\r\nHost: a\r\nX-A: it's\r\nContent-Length: 3\r\nX-Empty:\r\n\r\n" },
    ["http://a.test/x", "-H", "X-A: it's", "-H", "X-Empty;"],
  ],
  [
    "a body",
    { method: "POST", body: { encoding: "utf8", text: "a'b\n$c" } },
    ["-X", "POST", "http://a.test/x", "--data-binary", "a'b\n$c"],
  ],
  [
    "a body that would name a file",
    { method: "POST", body: { encoding: "utf8", text: "@/etc/passwd" } },
    ["-X", "POST", "http://a.test/x", "--data-binary", "@-"],
    "@/etc/passwd",
  ],
  [
    "octets",
    { method: "POST", body: { encoding: "base64", text: "AP8=" } },
    ["-X", "POST", "http://a.test/x", "--data-binary", "@-"],
    "\0ÿ",
  ],
];

Deno.test("a command for curl says just what was sent, whatever that is", async (t) => {
  for (const [what, sent, words, piped = ""] of ROWS) {
    await t.step(what, async () => {
      assert.deepEqual(await run(curlCommand({ ...SENT, ...sent })), { words, piped });
    });
  }
});

import assert from "node:assert/strict";
import { Failure } from "../../src/core/errors.ts";
import { loadConfig, loadHubConfig } from "../../src/config/load.ts";
import { Folder, NOW, short } from "./read.ts";

const GOOD = "version: 1\nlinks: { a: { target: echo } }\n";

async function failure(path: string): Promise<Failure> {
  try {
    await loadConfig(path, NOW);
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: `${path} was loaded` });
}

Deno.test("a file is loaded by its absolute path, with a byte order mark or without", async () => {
  using folder = new Folder();
  for (const text of [GOOD, "\ufeff" + GOOD]) {
    const path = folder.file("links.yaml", text);
    const { config, problems } = await loadConfig(path, NOW);
    assert.deepEqual(problems, []);
    assert.equal(config?.file, path);
    assert.equal(config?.text, GOOD);
    assert.match(config?.hash ?? "", /^[0-9a-f]{64}$/);
  }
});

Deno.test("relative paths start at the file's folder, and ~ is the home directory", async () => {
  using folder = new Folder();
  const home = Deno.env.get("HOME");
  Deno.env.set("HOME", "/home/somebody");
  try {
    const text = "version: 1\ntoken_file: ~/token\nhub_ca_file: ./ca.pem\n";
    const { config } = await loadConfig(folder.file("links.yaml", text), NOW);
    assert.equal(config?.tokenFile, "/home/somebody/token");
    assert.equal(config?.hubCaFile, `${folder.path}/ca.pem`);
  } finally {
    if (home === undefined) Deno.env.delete("HOME");
    else Deno.env.set("HOME", home);
  }
});

Deno.test("a file of 1 MiB is read, one byte more is too big", async () => {
  using folder = new Folder();
  const fill = (bytes: number) => GOOD + "#".repeat(bytes - GOOD.length - 1) + "\n";
  const fits = await loadConfig(folder.file("fits.yaml", fill(1024 * 1024)), NOW);
  assert.deepEqual(fits.problems, []);
  for (const bytes of [1024 * 1024 + 1, 3 * 1024 * 1024]) {
    const { config, problems } = await loadConfig(folder.file("links.yaml", fill(bytes)), NOW);
    assert.equal(config, null);
    assert.deepEqual(problems.map(short), ["1:1 error too_big"]);
    const hub = await loadHubConfig(folder.file("hub.yaml", fill(bytes)));
    assert.deepEqual(hub.problems.map(short), ["1:1 error too_big"]);
  }
});

Deno.test("the limit counts bytes, not letters", async () => {
  using folder = new Folder();
  const text = GOOD + "#" + "é".repeat(600 * 1024) + "\n";
  assert.ok(text.length < 1024 * 1024);
  assert.deepEqual((await loadConfig(folder.file("a.yaml", text), NOW)).problems.map(short), [
    "1:1 error too_big",
  ]);
});

Deno.test("a byte that is not UTF-8 is told where it stands", async () => {
  using folder = new Folder();
  const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  for (
    const [text, place, source] of [
      ["version: 1\n# caf\xe9 au lait\nlinks:\n", "2:6", "# caf\ufffd au lait"],
      ["# \xc3\xa9\xff\n", "1:4", "# é\ufffd"],
      ["# x\xe2\x82", "1:4", "# x\ufffd"],
      ["\xef\xbb\xbf# x\xff", "1:4", "# x\ufffd"],
      ["# \xf0\x9f\x98\x80\xc0\x80\n", "1:5", "# 😀\ufffd\ufffd"],
    ]
  ) {
    const { config, problems } = await loadConfig(folder.file("links.yaml", latin1(text)), NOW);
    assert.equal(config, null);
    assert.deepEqual(problems.map(short), [`${place} error syntax`], JSON.stringify(text));
    assert.equal(problems[0].source, source);
    assert.match(problems[0].message, /not UTF-8/);
  }
});

Deno.test("a file that an editor saved as UTF-16 is called that", async () => {
  using folder = new Folder();
  for (const order of ["le", "be"]) {
    const bytes = new Uint8Array(2 + 2 * GOOD.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0xfeff, order === "le");
    [...GOOD].forEach((letter, i) => view.setUint16(2 + 2 * i, letter.charCodeAt(0), order === "le"));
    const { problems } = await loadConfig(folder.file("links.yaml", bytes), NOW);
    assert.deepEqual(problems.map(short), ["1:1 error syntax"]);
    assert.match(problems[0].message, /UTF-16/);
  }
});

Deno.test("a missing file, a directory and a pipe are told apart, and none is waited for", async () => {
  using folder = new Folder();
  const missing = await failure(folder.file("links.yaml"));
  assert.match(missing.message, /there is no file .*\/links\.yaml$/);
  assert.ok(missing.cause instanceof Deno.errors.NotFound);
  assert.match((await failure(folder.path)).message, /is a directory$/);
  const pipe = folder.file("pipe.yaml");
  const { success } = await new Deno.Command("mkfifo", { args: [pipe] }).output();
  assert.ok(success);
  assert.match((await failure(pipe)).message, /is no regular file$/);
  assert.match((await failure("/dev/zero")).message, /is no regular file$/);
  const below = await failure(folder.file("file", "") + "/links.yaml");
  assert.match(below.message, /can not be read|there is no file/);
});

Deno.test({
  name: "a file that may not be read is told apart from one that is not there",
  permissions: { read: ["/proc/self/cwd"], env: true },
  async fn() {
    const { message, hint } = await failure("/etc/hostname");
    assert.match(
      message,
      /hostname can not be read: this process was started without --allow-read=\/etc\/hostname$/,
    );
    assert.match(hint ?? "", /connectd permissions/);
  },
});

import assert from "node:assert/strict";
import { readConfig } from "../../src/config/links.ts";
import { checkTrustFiles } from "../../src/config/trust_files.ts";
import { Folder } from "./read.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

Deno.test("certificates that are missing or are none are said at the key that names them", async () => {
  using folder = new Folder();
  folder.file("good.pem", PEM);
  folder.file("key.pem", "-----BEGIN PRIVATE KEY-----\n");
  const text = `version: 1
hub: https://hub.example.com
hub_ca_file: ./nothub.pem
links:
  a: { target: "https://a.test", tls: { ca_file: ./good.pem } }
  b:
    target: https://b.test
    tls: { ca_file: ./nothere.pem }
  c:
    target: https://c.test
    tls: { ca_file: ./key.pem }
`;
  const { config } = readConfig(text, { file: folder.file("links.yaml", text), now: 0 });
  const problems = await checkTrustFiles(config!);
  assert.deepEqual(problems.map(({ line, code }) => [line, code]), [[8, "bad_file"], [11, "bad_file"], [
    2,
    "bad_file",
  ]]);
  assert.match(problems[0].message, /nothere\.pem/);
  assert.match(problems[1].message, /key\.pem holds no certificate/);
});

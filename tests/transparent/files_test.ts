/** Files and WebDAV of packaged servers: ranges, conditions, codings, redirects, collections and locks. */
import { nginx, packaged, Rig } from "../e2e/rig.ts";
import { apache } from "./apache.ts";
import { type How, Links, type Tolerated } from "./link.ts";
import type { Exchange } from "./visit.ts";

const TEXT = "All work and no play makes a dull boy.\n".repeat(100);

/** A folder as it is before a test. */
function fill(folder: string): void {
  for (const { name } of Deno.readDirSync(folder)) Deno.removeSync(`${folder}/${name}`, { recursive: true });
  Deno.mkdirSync(`${folder}/sub`);
  Deno.chmodSync(`${folder}/sub`, 0o777);
  for (
    const [name, text] of [["a.txt", TEXT], ["empty.txt", ""], ["sub/index.html", "<p>sub"], [
      "big.bin",
      TEXT.repeat(500),
    ]]
  ) {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
    Deno.utimeSync(`${folder}/${name}`, 1_600_000_000, 1_600_000_000);
  }
}

function ask(method: string, target: string, fields: readonly string[] = [], body = ""): Exchange {
  const length = body === "" ? [] : [`Content-Length: ${body.length}`];
  const head = [`${method} ${target} HTTP/1.1`, "Host: {host}", ...fields, ...length].join("\r\n");
  return { name: [method, target, ...fields].join(" "), requests: [`${head}\r\n\r\n${body}`] };
}

const SINCE = "Sun, 13 Sep 2020 12:26:40 GMT", BEFORE = "Sat, 12 Sep 2020 12:26:40 GMT";

const FILES: readonly Exchange[] = [
  ...["GET", "HEAD", "OPTIONS", "POST"].flatMap((method) =>
    [
      "/a.txt",
      "/empty.txt",
      "/big.bin",
      "/none",
      "/sub/",
      "/sub",
      "/sub?x=1",
      "/%61.txt",
      "/sub/../a.txt",
      "//a.txt",
    ].map((target) => ask(method, target))
  ),
  ...["0-0", "0-9", "5-", "-5", "3900-", "0-99999", "9999-", "0-0,-1", "0-9,20-29,40-49", "9-0", "x"].flatMap(
    (range) => [
      ask("GET", "/a.txt", [`Range: bytes=${range}`]),
      ask("HEAD", "/a.txt", [`Range: bytes=${range}`]),
    ],
  ),
  ask("GET", "/a.txt", ["Range: lines=0-1"]),
  ask("GET", "/a.txt", ["Range: bytes=0-1", `If-Range: ${SINCE}`]),
  ask("GET", "/a.txt", ["Range: bytes=0-1", `If-Range: ${BEFORE}`]),
  ask("GET", "/a.txt", ["Range: bytes=0-1", 'If-Range: "other"']),
  ask("GET", "/a.txt", [`If-Modified-Since: ${SINCE}`]),
  ask("HEAD", "/a.txt", [`If-Modified-Since: ${SINCE}`]),
  ask("GET", "/a.txt", [`If-Modified-Since: ${BEFORE}`]),
  ask("GET", "/a.txt", [`If-Unmodified-Since: ${BEFORE}`]),
  ask("GET", "/a.txt", ["If-None-Match: *"]),
  ask("GET", "/a.txt", ['If-None-Match: "other", W/"another"']),
  ask("GET", "/a.txt", ['If-Match: "other"']),
  ask("GET", "/a.txt", ["If-Match: *"]),
  ask("GET", "/a.txt", ["Accept-Encoding: gzip"]),
  ask("HEAD", "/a.txt", ["Accept-Encoding: gzip"]),
  ask("GET", "/a.txt", ["Accept-Encoding: gzip", "Range: bytes=0-9"]),
  ask("GET", "/a.txt", ["Accept-Encoding: gzip, br, zstd, deflate;q=0.1, *;q=0"]),
  ask("GET", "/old/place?x=1"),
  ask("BREW", "/a.txt"),
  ask("GET", "/a.txt", [], "a body of a GET"),
  { name: "HTTP/1.0", requests: ["GET /a.txt HTTP/1.0\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n"] },
  {
    name: "requests that come at once",
    requests: Array.from(
      { length: 20 },
      (_, i) => ask(i % 3 ? "GET" : "HEAD", i % 2 ? "/a.txt" : "/none").requests[0],
    ),
  },
];

const PROPFIND = '<?xml version="1.0"?><propfind xmlns="DAV:"><allprop/></propfind>';
const PATCH =
  '<?xml version="1.0"?><propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">caf\xc3\xa9</x></prop></set></propertyupdate>';
const LOCK =
  '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>';

const to = (path: string) => `Destination: http://{host}${path}`;
const CHUNKED_PUT = "Transfer-Encoding: chunked\r\n\r\n6\r\nchunks\r\n0\r\n\r\n";

/** What both of them know of WebDAV. */
const WRITES: readonly Exchange[] = [
  ask("PUT", "/new.txt", [], "new"),
  ask("PUT", "/new.txt", [], "newer"),
  ask("PUT", "/new.txt", ['If-Match: "other"'], "not"),
  ask("PUT", "/new.txt", ["If-None-Match: *"], "not"),
  ask("PUT", "/none/new.txt", [], "not"),
  { name: "PUT in chunks", requests: [`PUT /chunks.txt HTTP/1.1\r\nHost: {host}\r\n${CHUNKED_PUT}`] },
  {
    name: "PUT that expects a 100",
    requests: [
      "PUT /expect.txt HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    ],
    then: [{ after: "HTTP/1.1 100 Continue\r\n\r\n", send: "body" }],
  },
  ask("GET", "/new.txt"),
  ask("GET", "/chunks.txt"),
  ask("MKCOL", "/col/"),
  ask("MKCOL", "/col/"),
  ask("MKCOL", "/none/col/"),
  ask("MKCOL", "/body/", [], "a body"),
  ask("COPY", "/new.txt", [to("/col/copy.txt")]),
  ask("COPY", "/new.txt", [to("/col/copy.txt"), "Overwrite: F"]),
  ask("COPY", "/new.txt", [to("/col/copy.txt"), "Overwrite: T"]),
  ask("COPY", "/new.txt", ["Destination: /col/path.txt"]),
  ask("COPY", "/new.txt", ["Destination: http://elsewhere.example/x"]),
  ask("COPY", "/new.txt"),
  ask("MOVE", "/new.txt", [to("/col/m%6fved.txt")]),
  ask("GET", "/col/moved.txt"),
  ask("DELETE", "/col/copy.txt"),
  ask("DELETE", "/col/copy.txt"),
];

/** What mod_dav knows besides. */
const CLASS_2: readonly Exchange[] = [
  ask("OPTIONS", "/col/"),
  ...["0", "1", "infinity"].map((depth) => ask("PROPFIND", "/", [`Depth: ${depth}`], PROPFIND)),
  ask("PROPFIND", "/a.txt", ["Depth: 0"]),
  ask("PROPFIND", "/a.txt", ["Depth: 0"], "no XML"),
  ask("PROPPATCH", "/a.txt", [], PATCH),
  ask("PROPFIND", "/a.txt", ["Depth: 0"], PROPFIND),
  ask("COPY", "/col/", [to("/col2/"), "Depth: infinity"]),
  ask("MOVE", "/col2/", [to("/col3/")]),
  ask("LOCK", "/a.txt", ["Timeout: Second-3600"], LOCK),
  ask("PUT", "/a.txt", [], "not"),
  ask("PUT", "/a.txt", ["If: ({lock})"], "locked"),
  ask("PUT", "/a.txt", ["If: <http://{host}/a.txt> ({lock})"], "locked again"),
  ask("PUT", "/a.txt", ["If: (<opaquelocktoken:other>) (Not <DAV:no-lock>)"], "not"),
  ask("LOCK", "/a.txt", ["If: ({lock})"]),
  ask("UNLOCK", "/a.txt", ["Lock-Token: <opaquelocktoken:other>"]),
  ask("UNLOCK", "/a.txt", ["Lock-Token: {lock}"]),
  ask("PUT", "/a.txt", [], "unlocked"),
  ask("REPORT", "/", [], "<x/>"),
  ask("SEARCH", "/", [], "<x/>"),
  ask("DELETE", "/col3/"),
];

const BOUNDARY: Tolerated = { what: "boundary", pattern: /(?<=boundary=|\r\n--)[0-9a-f]{13,20}/g };
/** Of what was written in each run for itself. */
const WRITTEN: readonly Tolerated[] = [
  {
    what: "time of a file",
    pattern: /(?<=Last-Modified: |getlastmodified>)\w{3}, \d{2} \w{3} \d{4} [\d:]{8} GMT/g,
  },
  { what: "time of a file", pattern: /(?<=creationdate>)[\d-]{10}T[\d:]{8}Z/g },
  { what: "time in an entity tag", pattern: /(?<=ETag: ")[0-9a-f]{8}(?=-)/g },
  // They stand in a table whose order is another each time.
  { what: "namespaces", pattern: /(?: xmlns:\w+="[^"]*")+(?=>)/g },
  { what: "lock token", pattern: /(?<=opaquelocktoken:)[0-9a-f-]{36}/g },
];

async function same(
  t: Deno.TestContext,
  links: Links,
  folder: string,
  writes: readonly Exchange[],
): Promise<void> {
  const reset = () => fill(folder);
  const how = (host: How["host"], tolerated: readonly Tolerated[]): How => ({ host, tolerated, reset });
  await t.step("files, host: target", (t) => links.same(t, FILES, how("target", [BOUNDARY])));
  await t.step("files, host: public", (t) => links.same(t, FILES, how("public", [BOUNDARY])));
  // Destination and If are URLs of the visitor's: a server can only find itself in them where it knows its public name.
  await t.step("WebDAV, host: public", (t) => links.same(t, writes, how("public", WRITTEN)));
}

Deno.test("nginx serves the same through a link", async (t) => {
  const program = packaged("nginx", "nginx-light");
  if (program === null) return;
  await using rig = new Rig();
  const port = await nginx(
    rig,
    program,
    `gzip on; gzip_min_length 10; gzip_types *; default_type text/plain; location /old { return 301 /new; }
location / { root ${rig.folder}/files; index index.html; dav_methods PUT DELETE MKCOL COPY MOVE; }`,
  );
  Deno.mkdirSync(`${rig.folder}/files`);
  Deno.chmodSync(`${rig.folder}/files`, 0o777);
  await same(t, await Links.to(rig, port), `${rig.folder}/files`, WRITES);
});

Deno.test("apache and its mod_dav serve the same through a link", async (t) => {
  const program = packaged("apache2", "apache2");
  if (program === null) return;
  await using rig = new Rig();
  const port = await apache(rig, program);
  await same(t, await Links.to(rig, port), `${rig.folder}/apache/files`, [...WRITES, ...CLASS_2]);
});

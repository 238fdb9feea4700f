/** Exchanges whose two messages run into each other, with a server of node:http: expectations, hints, early answers, trailers. */
import { packaged, Rig } from "../e2e/rig.ts";
import { Links } from "./link.ts";
import type { Exchange } from "./visit.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const LARGE = "0123456789abcdef".repeat(128 * 1024);

function ask(method: string, target: string, rest = "\r\n"): string {
  return `${method} ${target} HTTP/1.1\r\nHost: {host}\r\n${rest}`;
}

const EXCHANGES: readonly Exchange[] = [
  {
    name: "a 100 that was granted lets the body go",
    requests: [ask("PUT", "/told", "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")],
    then: [{ after: CONTINUE, send: "hello" }],
  },
  {
    name: "a 100 lets chunks go",
    requests: [ask("POST", "/told", "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n")],
    then: [{ after: CONTINUE, send: "5\r\nhello\r\n" }, { after: CONTINUE, send: "0\r\nX-T: 1\r\n\r\n" }],
  },
  {
    name: "2 MiB go after a 100",
    requests: [ask("PUT", "/told", `Expect: 100-continue\r\nContent-Length: ${LARGE.length}\r\n\r\n`)],
    then: [{ after: CONTINUE, send: LARGE }],
  },
  {
    name: "a final answer in place of a 100 is one",
    requests: [ask("PUT", "/refused", "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")],
    then: [{ after: CONTINUE, send: "hello" }],
    early: true,
  },
  {
    name: "a visitor that expects a 100 and does not wait for it",
    requests: [ask("PUT", "/told", "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")],
  },
  {
    name: "an expectation without a body",
    requests: [ask("GET", "/told", "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n")],
  },
  { name: "102 and 103 come before the answer", requests: [ask("GET", "/hints")] },
  { name: "HTTP/1.0 has no 103", requests: ["GET /hints HTTP/1.0\r\nHost: {host}\r\n\r\n"] },
  {
    name: "trailers of an answer",
    requests: [ask("GET", "/trailers", "TE: trailers\r\nConnection: TE\r\n\r\n")],
  },
  { name: "trailers to HTTP/1.0", requests: ["GET /trailers HTTP/1.0\r\nHost: {host}\r\n\r\n"] },
  {
    name: "trailers of a request",
    requests: [
      ask("POST", "/told", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n"),
    ],
  },
  {
    name: "an answer goes on while its request does",
    requests: [ask("POST", "/echo", "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n")],
    then: [
      { after: "[one]", send: "3\r\ntwo\r\n" },
      { after: "[two]", send: "5\r\nthree\r\n" },
      { after: "[three]", send: "0\r\n\r\n" },
    ],
  },
  {
    name: "a head goes out before its body is there, and is answered",
    requests: [ask("POST", "/echo", "Content-Length: 2\r\n\r\n")],
    then: [{ after: "\r\n\r\n", send: "a" }, { after: "[a]", send: "b" }],
  },
  { name: "2 MiB up", requests: [ask("PUT", "/told", `Content-Length: ${LARGE.length}\r\n\r\n${LARGE}`)] },
  {
    name: "an answer that comes before the body",
    requests: [ask("POST", "/early", `Content-Length: ${LARGE.length}\r\n\r\n${LARGE.slice(0, 1000)}`)],
    early: true,
  },
  { name: "a Location of the server's own, which leads back to the link", requests: [ask("GET", "/moved")] },
  { name: "a Location of somebody else's", requests: [ask("GET", "/elsewhere")] },
  { name: "204", requests: [ask("DELETE", "/nothing")] },
  { name: "304", requests: [ask("GET", "/same", 'If-None-Match: "1"\r\n\r\n')] },
  { name: "HEAD", requests: [ask("HEAD", "/told")] },
  ..."ACL COPY GET LOCK MKCALENDAR MOVE OPTIONS PATCH PROPFIND QUERY REPORT UNLOCK".split(" ").map((
    method,
  ) => ({
    name: method,
    requests: [ask(method, "/told?of=method", "Content-Length: 5\r\n\r\n12345")],
  })),
  {
    name: "answers in the order of the requests",
    requests: ["/told?1", "/hints", "/trailers", "/nothing", "/same", "/moved", "/none", "/told?2"].map((
      target,
    ) => ask("GET", target)),
  },
];

Deno.test("messages that run into each other do so through a link", async (t) => {
  const node = packaged("node", "nodejs");
  if (node === null) return;
  await using rig = new Rig();
  const server = rig.spawn(node, [new URL("node_server.mjs", import.meta.url).pathname]);
  const port = await server.until(() => /^port (\d+)\n/.exec(server.stdout)?.[1]);
  const links = await Links.to(rig, Number(port));
  for (const host of ["target", "public"] as const) {
    await t.step(`host: ${host}`, (t) => links.same(t, EXCHANGES, { host }));
  }
});

/** A server of node:http that does what applications do. Prints its port. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";

/** By the path that is asked. */
const pages = {
  /** Says what it was told, fields of the way apart. */
  "/told": async (request, response) => {
    const hash = createHash("sha256");
    for await (const part of request) hash.update(part);
    const { method, url, trailers } = request;
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ method, url, sha256: hash.digest("hex"), trailers }));
  },
  "/hints": (_request, response) => {
    response.writeProcessing();
    response.writeEarlyHints({
      link: ["</a.css>; rel=preload; as=style", "</b.js>; rel=preload"],
      "x-mine": "1",
    }, () => {
      response.setHeader("Set-Cookie", ["a=1", "b=2; Secure"]);
      response.end("hinted");
    });
  },
  "/trailers": (request, response) => {
    // It refuses to name trailers where there can be none.
    if (request.httpVersion === "1.1") response.writeHead(200, { Trailer: "Content-MD5, X-Done" });
    response.write("first ");
    response.write("second");
    response.addTrailers([["Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="], ["X-Done", "yes"]]);
    response.end();
  },
  /** Says each part as it comes, so that the answer begins and goes on while the request does. */
  "/echo": (request, response) => {
    response.flushHeaders();
    request.on("data", (part) => response.write(`[${part}]`)).on("end", () => response.end("."));
  },
  /** Answers at once, and then reads on. */
  "/early": (request, response) => {
    response.end("early");
    request.resume();
  },
  "/moved": (request, response) => {
    const { host } = request.headers;
    response.writeHead(307, { Location: `http://${host}/told?x=%7e#y`, "Content-Location": `HTTP://${host}` })
      .end();
  },
  "/elsewhere": (request, response) => {
    response.writeHead(302, {
      Location: `http://${request.headers.host}.example/`,
      Link: `<http://${request.headers.host}/>`,
    }).end();
  },
  "/nothing": (_request, response) => void response.writeHead(204).end(),
  "/same": (_request, response) =>
    void response.writeHead(304, { ETag: '"1"', "Cache-Control": "max-age=1" }).end(),
};

function answer(request, response) {
  const page = pages[request.url.split("?")[0]];
  if (page === undefined) response.writeHead(404).end("no page");
  else page(request, response);
}

const server = createServer({ joinDuplicateHeaders: true }, answer);
/** RFC 9110 §10.1.1: granted, or answered without a look at the body. */
server.on("checkContinue", (request, response) => {
  if (request.url.startsWith("/refused")) return response.writeHead(417, { "X-Why": "no" }).end("refused");
  response.writeContinue();
  answer(request, response);
});
server.listen(0, "127.0.0.1", () => console.log(`port ${server.address().port}`));

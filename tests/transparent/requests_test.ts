/** Requests of every shape: a target sees through a link what it sees without, but for what is written down in expected.ts. */
import { Rig } from "../e2e/rig.ts";
import { Random } from "../pure/random.ts";
import { Links } from "./link.ts";
import { scripted } from "./scripted.ts";
import { BODIES, FIELDS, METHODS, TARGETS } from "./shapes.ts";
import type { Exchange } from "./visit.ts";

function exchanges(): Exchange[] {
  const request = (method: string, target: string, fields: string) =>
    `${method} ${target} HTTP/1.1\r\nHost: {host}\r\n${fields}`;
  return [
    ...METHODS.flatMap((method) => [
      { name: `${method} without a body`, requests: [request(method, "/", "\r\n")] },
      { name: `${method} with a body`, requests: [request(method, "/", "Content-Length: 3\r\n\r\nabc")] },
    ]),
    ...TARGETS.map((target) => ({
      name: `the target ${target.slice(0, 40)}`,
      requests: [request("GET", target, "\r\n")],
    })),
    ...FIELDS.map(([name, fields]) => ({
      name,
      requests: [request("GET", "/", fields.join("\r\n") + "\r\n\r\n")],
    })),
    ...BODIES.flatMap(([name, rest]) =>
      ["GET", "POST"].map((method) => ({
        name: `${method} with a body: ${name}`,
        requests: [request(method, "/", rest)],
      }))
    ),
    {
      name: "Host stands where it stood",
      requests: ["GET / HTTP/1.1\r\nA: 1\r\nhOsT:   {host}  \r\nB: 2\r\n\r\n"],
    },
    {
      name: "requests that come at once are answered in order",
      requests: METHODS.map((method) => request(method, `/${method}`, "\r\n")),
    },
    {
      name: "requests with bodies that come at once",
      requests: BODIES.filter(([, rest]) => rest.length < 4096).map(([, rest]) => request("PUT", "/", rest)),
    },
    { name: "HTTP/1.0", requests: ["GET /?old HTTP/1.0\r\nHost: {host}\r\nConnection: keep-alive\r\n\r\n"] },
    {
      name: "HTTP/1.0 with a body",
      requests: ["POST / HTTP/1.0\r\nHost: {host}\r\nContent-Length: 3\r\n\r\nabc"],
    },
    { name: "the last of a connection", requests: [request("GET", "/", "Connection: close\r\n\r\n")] },
  ];
}

const SHORT = 2048;

/** One of everything, fields of several kinds among each other and Host anywhere. */
function mixed(random: Random): string {
  // Of those that leave room for others.
  const kinds = FIELDS.filter(([, fields]) => fields.length < 20 && fields.join().length < SHORT);
  const fields = Array.from({ length: random.below(4) }, () => random.of(kinds)[1]).flat();
  // What may be upgraded may not have a body as well.
  const bodies = BODIES.filter(([, rest]) => rest.length < SHORT);
  const rest = fields.some((field) => field.startsWith("Upgrade:")) ? "\r\n" : random.of(bodies)[1];
  for (let at = fields.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [fields[at], fields[other]] = [fields[other], fields[at]];
  }
  fields.splice(random.below(fields.length + 1), 0, "Host: {host}");
  const target = random.of(TARGETS.filter(({ length }) => length < SHORT));
  return `${random.of(METHODS)} ${target} HTTP/1.1\r\n${
    fields.map((field) => field + "\r\n").join("")
  }${rest}`;
}

function mixtures(seed: number): Exchange[] {
  const random = new Random(seed);
  return Array.from({ length: 60 }, (_, i) => ({
    name: `mixture ${i} of seed ${seed}`,
    requests: Array.from({ length: 1 + random.below(6) }, () => mixed(random)),
  }));
}

Deno.test("a target sees every request as its visitor sent it", async (t) => {
  await using rig = new Rig();
  const links = await Links.to(rig, scripted(rig, new Map()));
  for (const host of ["target", "public"] as const) {
    await t.step(`host: ${host}`, (t) => links.same(t, [...exchanges(), ...mixtures(1)], { host }));
  }
});

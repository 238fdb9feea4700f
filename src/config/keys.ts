/**
 * The keys of a link: what links.yaml, a one-off's JSON and the schema agree on. `doc` is the description in
 * config/links.schema.json, word for word; with `example`, a line of a file, it is what `connectd help links.yaml` says.
 */
import { checkDomain, checkSubdomain } from "../core/names.ts";
import { POLICY_LIMITS } from "../core/policy_spec.ts";
import { headers } from "./headers.ts";
import { boolean, either, integer, list, map, mapping, text, word } from "./schema.ts";
import { warnShadowed } from "./shadow.ts";
import { parseTime } from "./time.ts";
import {
  cidr,
  duration,
  fieldName,
  hold,
  host,
  lifetime,
  method,
  path,
  patience,
  pattern,
  protocol,
  rate,
  serverName,
  size,
  values,
} from "./values.ts";

/** Keys that a link and `defaults` share: the policy, and how requests are forwarded. */
export const SHARED_KEYS = {
  ttl: {
    reader: lifetime,
    doc:
      "How long the link lives, counted from its first activation: `90s`, `1h30m`, `24h`, `7d`, `2w`, or `never`. " +
      "Absent: `defaults.ttl`, else `never` (24h for a one-off link). Not together with `until`.",
    example: "ttl: 24h",
  },
  methods: {
    reader: values(list(method, "a list of methods such as [GET, POST]", POLICY_LIMITS.methods)),
    doc:
      "The methods that are let through, in capitals. Absent: all. GET implies HEAD; OPTIONS is never implied.",
    example: "methods: [GET, POST]",
  },
  paths: {
    reader: values(list(pattern, "a list of paths such as [/api]", POLICY_LIMITS.paths, warnShadowed)),
    doc:
      "The paths that are let through. Absent: all. A pattern is a prefix by whole segments: `/api` admits /api " +
      "and /api/x, never /apix. `*` stands for one segment (`/a/*/b`), `= /exact` is that path alone.",
    example: `paths: [/api, "= /health"]`,
  },
  rate: {
    reader: either(
      "a rate such as 100/m, or a list of them",
      map(rate, (one) => [one]),
      values(list(rate, "a list of rates such as [10/s, 500/h per ip]", POLICY_LIMITS.rate)),
    ),
    doc:
      "How many requests are let through: `100/m`, `10/s burst 20`, `1000/d per ip`; per /s, /m, /h or /d, and a " +
      "bare number is per minute. The burst is the number itself unless said. Of a list, all apply. Absent: no limit.",
    example: "rate: [10/s burst 20, 5000/d per ip]",
  },
  max_uses: {
    reader: integer(1, 1_000_000_000),
    doc:
      "After so many requests that were let through the link ends, as by its time: counted from its last activation, " +
      "each on disk before it goes on. Absent: no limit.",
    example: "max_uses: 1",
  },
  auth: {
    reader: mapping("a mapping with basic or bearer", {
      basic: {
        reader: mapping("a mapping with file", {
          file: {
            reader: path,
            doc: "An htpasswd file with bcrypt lines (`htpasswd -B`), relative to this file. It is watched.",
            required: true,
          },
        }),
        doc: "User names and passwords (HTTP Basic).",
      },
      bearer: {
        reader: mapping("a mapping with token_file", {
          token_file: {
            reader: path,
            doc:
              "A file with one token a line, each of at least 16 bytes, relative to this file. It is watched.",
            required: true,
          },
        }),
        doc: "Bearer tokens: any line of the file is valid.",
      },
    }, { some: true }),
    doc: "The credential a visitor needs. With both kinds, either one admits.",
    example: "auth: { basic: { file: ./demo.htpasswd } }",
  },
  allow_ips: {
    reader: values(list(cidr, "a list of addresses such as [198.51.100.0/24]", POLICY_LIMITS.allowIps)),
    doc:
      "Addresses and blocks that may call the link, as in `[198.51.100.0/24, 2001:db8::/32]`. Absent: all.",
    example: `allow_ips: [198.51.100.0/24, "2001:db8::/32"]`,
  },
  host: {
    reader: host,
    doc:
      "The Host header that the target sees: `target` (its own name, with Location headers mapped back; the " +
      "default), `public` (the name the visitor called) or a name of your choice.",
    example: "host: public",
  },
  headers: {
    reader: headers,
    doc:
      "Fields that are set or removed in what the target gets (`request`) and in its answers (`response`), as in " +
      "`{response: {remove: [Server]}}`. `_` counts as `-`. The policy judges what the visitor sent.",
    example: "headers: { request: { set: { X-Tenant: acme } }, response: { remove: [Server] } }",
  },
  max_body: {
    reader: size,
    doc: "The largest request body, as in `10MiB` or `500KB`; a bare number is bytes. Absent: no limit.",
    example: "max_body: 10MiB",
  },
  max_streams: {
    reader: integer(1, 1_000_000),
    doc: "How many requests may be in flight at once. Absent: no limit of its own.",
    example: "max_streams: 100",
  },
  upgrade: {
    reader: either(
      "true, false or a list such as [websocket]",
      map(boolean, (on) => on ? ["websocket"] : []),
      values(list(protocol, "a list of protocols such as [websocket]", POLICY_LIMITS.upgrade)),
    ),
    doc:
      "The protocols that a request may upgrade to: `[websocket]` (the default, also `true`), or `false` for none.",
    example: "upgrade: false",
  },
  timeout: {
    reader: patience,
    doc:
      "How long the target may take until its response begins; a body that moves is never cut. The default is 60s.",
    example: "timeout: 10s",
  },
  hold: {
    reader: hold,
    doc:
      "How long a request waits while no connection to the target can be made, as when it restarts: up to `60s`. " +
      "Absent: not at all.",
    example: "hold: 5s",
  },
  shadow: {
    reader: boolean,
    doc:
      "`true`: the policy is evaluated and reported, but only an ended link or a malformed request is refused.",
    example: "shadow: true",
  },
  drain: {
    reader: duration,
    doc: "How long requests in flight may finish when the link ends. The default is 5s.",
    example: "drain: 30s",
  },
  inspect: {
    reader: word(["off", "heads", "bodies"]),
    doc:
      "What is kept of requests, in memory, for looking at them later and sending them again: `off`, `heads` (the " +
      "default) or `bodies` (up to 64 KiB of each).",
    example: "inspect: bodies",
  },
  inspect_last: {
    reader: integer(1, 1_000),
    doc: "How many requests of the link are kept, of all links 64 MiB. The default is 100.",
    example: "inspect_last: 20",
  },
  inspect_redact: {
    reader: values(list(fieldName, "a list of fields such as [X-Api-Key]", 100)),
    doc: "Fields, and parameters of a query, whose values are shown as `***`, besides Authorization, " +
      "Proxy-Authorization, Cookie and Set-Cookie. `_` counts as `-`.",
    example: "inspect_redact: [X-Api-Key, code]",
  },
  tls: {
    reader: mapping("a mapping such as {ca_file: ./ca.pem}", {
      ca_file: {
        reader: path,
        doc: "Certificates (PEM) to trust instead of the system's, relative to this file.",
      },
      server_name: {
        reader: serverName,
        doc: "The name to ask for and to verify, where it is not the target's own.",
      },
      insecure: {
        reader: boolean,
        doc: "`true`: the target's certificate is not verified.",
      },
    }),
    doc: "TLS towards an `https://` target.",
    example: "tls: { ca_file: ./ca.pem }",
  },
} as const;

/** Keys of `defaults`: what every link has unless it says otherwise itself. */
export const DEFAULT_KEYS = SHARED_KEYS;

/** Keys of a link. */
export const LINK_KEYS = {
  target: {
    // What it names depends on the services of the file, so it is resolved when those are known.
    reader: text(
      { wants: "a service's name or a target such as localhost:3000", code: "bad_target" },
      (t) => t,
    ),
    doc:
      "Where requests go: the name of a service, or `localhost:3000`, `http://10.0.0.5:8080`, `https://…`, " +
      "`unix:/run/app.sock`, or `echo`, which answers by itself.",
    required: true,
    example: "target: localhost:3000",
  },
  until: {
    reader: text(
      {
        wants: "a time such as 2026-12-01T00:00:00Z",
        code: "bad_time",
        pattern: "^[0-9]{4}(?:-[0-9]{2}){2}[Tt][0-9]{2}(?::[0-9]{2}){2}(?:\\.[0-9]+)?" +
          "(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$",
        dates: true,
      },
      parseTime,
    ),
    doc: "When the link ends, as a full RFC 3339 time: `2026-12-01T00:00:00Z`. Not together with `ttl`.",
    example: "until: 2030-12-24T18:00:00Z",
  },
  subdomain: {
    reader: text(
      {
        wants: "a name such as demo",
        code: "bad_name",
        pattern: "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$",
      },
      (written) => {
        checkSubdomain(written);
        return written;
      },
    ),
    doc: "The name to ask the hub for, a lower-case DNS label, instead of a random one.",
    example: "subdomain: demo",
  },
  domain: {
    reader: text(
      {
        wants: "a domain such as api.example.com",
        code: "bad_name",
        pattern: "^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$",
      },
      (written) => {
        checkDomain(written);
        return written;
      },
    ),
    doc:
      "A domain of your own under which the hub serves the link besides, once you have shown that it is yours: " +
      "`connectd list` says how.",
    example: "domain: api.example.com",
  },
  ...SHARED_KEYS,
} as const;

/** Keys of a service that is written as a mapping. */
export const SERVICE_KEYS = {
  target: {
    reader: text({ wants: "a target such as localhost:3000", code: "bad_target" }, (t) => t),
    doc: "Where requests or connections go: a target as in a link, or `tcp://localhost:5432`.",
    required: true,
    example: "target: tcp://localhost:5432",
  },
  access: {
    reader: word(["public", "private"]),
    doc: "`public` (the default): links may lead to it. `private`: it is reached only with a token.",
    example: "access: private",
  },
  allow: {
    reader: values(list(
      text({ wants: "the name of a token", code: "bad_value" }, (name) => {
        if (name === "") throw new SyntaxError("the name of a token is empty");
        return name;
      }),
      "a list of names of tokens",
    )),
    doc: "The names of the tokens that may reach it. Absent: every token of the workspace.",
    example: "allow: [laptop]",
  },
  remote: {
    reader: boolean,
    doc: "`true`: with `remote: manage`, the hub may make links to it.",
    example: "remote: true",
  },
} as const;

/** Control messages from a peer who is not trusted: nothing goes further inside that is not what its type says. */
import { checkPolicySpec } from "../core/policy_spec.ts";
import { Fields } from "./fields.ts";
import {
  type Ask,
  type AskProblem,
  type Bye,
  type Control,
  type DomainGrant,
  type Grant,
  type GrantedLinks,
  type Hello,
  type LinkDecl,
  type Links,
  type Refused,
  type Removal,
  type Reply,
  type Revocation,
  type ServiceDecl,
  type Services,
  VERSION,
  type Welcome,
} from "./hello.ts";

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** A public id or a subdomain: a DNS label. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** What a daemon, a process or a hub goes by. */
const ID = /^[A-Za-z0-9_-]{1,64}$/;
/** A domain, in lower case. */
const DOMAIN = /^[a-z0-9.-]{1,253}$/;
const CODE = /^[a-z0-9_]{1,64}$/;
const FEATURE = /^[a-z0-9._-]{1,64}$/;
/** For people; whoever prints it escapes what a terminal would obey. */
const SENTENCE = /^[^]{0,1024}$/;
const SOFTWARE = /^[\x20-\x7e]{0,128}$/;
/** Who asks: `token:ci`. */
const ACTOR = /^[\x21-\x7e]{1,128}$/;
const POINTER = /^[^]{0,256}$/;
/** So many mistakes of one body are told. */
const ERRORS = 100;
const URL_TEXT = /^https?:\/\/[\x21-\x7e]{1,2040}$/;

/**
 * Reads a message: a JSON value. Null for a type that is not known: a newer version may say more. Throws Failure for a
 * message that is malformed.
 */
export function parseControl(value: unknown): Control | null {
  const message = new Fields(value, "a control message");
  const type = message.text("type", /^[^]{1,64}$/);
  return Object.hasOwn(READERS, type) ? READERS[type as Control["type"]](message) : null;
}

const READERS: { readonly [T in Control["type"]]: (message: Fields) => Control } = {
  hello(message): Hello {
    const version = message.count("version");
    // What else another version's hello holds is not known; that it is another one is all there is to answer.
    if (version !== VERSION) return { ...STRANGER, version };
    return {
      type: "hello",
      version,
      software: message.text("software", SOFTWARE),
      features: message.texts("features", FEATURE),
      daemon: message.text("daemon", ID),
      instance: message.text("instance", ID),
      connection: message.count("connection"),
      services: message.objects("services", readService),
      links: message.objects("links", readLink),
      revision: message.count("revision"),
      more: message.flag("more"),
    };
  },
  welcome: (message): Welcome => ({
    type: "welcome",
    version: message.count("version"),
    hub: message.text("hub", ID),
    limits: { streams: new Fields(message.get("limits"), "a welcome's limits").count("streams") },
    links: message.objects("links", readGrant),
    revoked: message.objects("revoked", readRevocation),
    hubs: message.texts("hubs", URL_TEXT),
    revision: message.count("revision"),
  }),
  links: (message): Links => ({
    type: "links",
    revision: message.count("revision"),
    set: message.objects("set", readLink),
    remove: message.objects("remove", readRemoval),
    more: message.flag("more"),
  }),
  services: (message): Services => ({
    type: "services",
    revision: message.count("revision"),
    services: message.objects("services", readService),
  }),
  granted: (message): GrantedLinks => ({
    type: "granted",
    revision: message.count("revision"),
    links: message.objects("links", readGrant),
  }),
  revoke: (message) => ({ type: "revoke", ...readRevocation(message) }),
  refused: (message): Refused => ({
    type: "refused",
    counts: message.objects("counts", (count) => ({
      id: count.text("id", LABEL),
      code: count.text("code", CODE),
      n: count.count("n"),
    })),
  }),
  ask: (message): Ask => ({
    type: "ask",
    id: message.text("id", ID),
    op: message.oneOf("op", ["create", "edit", "renew"]),
    name: message.text("name", NAME),
    by: message.text("by", ACTOR),
    // Hubs of an earlier version do not say it.
    at: message.has("at") ? message.timeOrNull("at") : null,
    body: message.object("body"),
  }),
  reply: (message): Reply => ({
    type: "reply",
    id: message.text("id", ID),
    problem: message.get("problem") === null
      ? null
      : readProblem(new Fields(message.get("problem"), "a problem")),
  }),
  bye: (message): Bye => ({
    type: "bye",
    reason: message.oneOf("reason", ["replaced", "draining", "revoked_token"]),
    message: message.text("message", SENTENCE),
  }),
};

/** Whoever speaks another version. */
const STRANGER: Hello = {
  type: "hello",
  version: 0,
  software: "",
  features: [],
  daemon: "",
  instance: "",
  connection: 0,
  services: [],
  links: [],
  revision: 0,
  more: false,
};

function readService(service: Fields): ServiceDecl {
  return {
    name: service.text("name", NAME),
    kind: service.oneOf("kind", ["http", "tcp"]),
    access: service.oneOf("access", ["public", "private"]),
    // Daemons of before hubs could ask say nothing of it.
    remote: service.has("remote") && service.flag("remote"),
    port: service.has("port") ? service.portOrNull("port") : null,
  };
}

function readLink(link: Fields): LinkDecl {
  return {
    name: link.text("name", NAME),
    id: link.textOrNull("id", LABEL),
    subdomain: link.textOrNull("subdomain", LABEL),
    // Daemons of before links had one say nothing of it.
    domain: link.has("domain") ? link.textOrNull("domain", DOMAIN) : null,
    newId: link.flag("newId"),
    policy: checkPolicySpec(link.get("policy")),
    state: link.oneOf("state", ["active", "expired", "revoked", "error"]),
    expiresAt: link.timeOrNull("expiresAt"),
    // What daemons of an earlier version do not say.
    activatedAt: link.has("activatedAt") ? link.timeOrNull("activatedAt") : null,
    service: link.has("service") ? link.textOrNull("service", NAME) : null,
    source: link.has("source") && link.get("source") !== null
      ? link.oneOf("source", ["file", "oneoff", "hub"])
      : null,
  };
}

function readProblem(problem: Fields): AskProblem {
  const errors = problem.objects("errors", (error) => ({
    pointer: error.text("pointer", POINTER),
    detail: error.text("detail", SENTENCE),
  }));
  return {
    status: problem.oneOf("status", [403, 404, 409, 422, 503]),
    code: problem.text("code", CODE),
    detail: problem.text("detail", SENTENCE),
    errors: errors.slice(0, ERRORS),
  };
}

function readRemoval(removal: Fields): Removal {
  return {
    name: removal.text("name", NAME),
    id: removal.textOrNull("id", LABEL),
    reason: removal.oneOf("reason", ["removed", "revoked", "expired"]),
  };
}

function readGrant(grant: Fields): Grant {
  const name = grant.text("name", NAME);
  if (!grant.has("refused")) {
    const granted = { name, id: grant.text("id", LABEL), url: grant.text("url", URL_TEXT) };
    return grant.has("domain") ? { ...granted, domain: readDomain(grant.get("domain")) } : granted;
  }
  const refused = new Fields(grant.get("refused"), "a refused link");
  return { name, refused: { code: refused.text("code", CODE), message: refused.text("message", SENTENCE) } };
}

function readDomain(value: unknown): DomainGrant {
  const domain = new Fields(value, "a link's domain");
  return {
    name: domain.text("name", DOMAIN),
    url: domain.textOrNull("url", URL_TEXT),
    message: domain.textOrNull("message", SENTENCE),
  };
}

function readRevocation(revocation: Fields): Revocation {
  return {
    name: revocation.text("name", NAME),
    id: revocation.text("id", LABEL),
    at: revocation.time("at"),
    // Hubs of an earlier version do not say it.
    activatedAt: revocation.has("activatedAt") ? revocation.timeOrNull("activatedAt") : null,
  };
}

/** A hub inside the process that does as a test tells it, and remembers everything that it was told. */
import { systemClock } from "../../src/clock.ts";
import type { Family } from "../../src/core/metrics.ts";
import type { EmbeddedHub } from "../../src/daemon/options.ts";
import type { Control, Grant, Hello, LinkDecl, Removal, Revocation } from "../../src/wire/hello.ts";
import { memoryPair } from "../../src/wire/memory.ts";
import { Session, type SessionHandler } from "../../src/wire/session.ts";
import type { Stream, StreamSink } from "../../src/wire/stream.ts";
import type { Wire } from "../../src/wire/wire.ts";
import { Asked, requestText } from "./serve_rig.ts";

export class FakeHub implements EmbeddedHub {
  url = "http://localhost:8080";
  /** Everything that daemons said, in order. */
  readonly said: Control[] = [];
  /** Where it was told to listen. */
  readonly listens: (string | null)[] = [];
  /** Name of a link → why it gets no id. */
  readonly refusing = new Map<string, { code: string; message: string }>();
  /** Revocations for the next welcome. */
  readonly pending: Revocation[] = [];
  /** Thrown by `rebind`. */
  unbindable: Error | null = null;
  closed = false;
  readonly #ids = new Map<string, string>();
  readonly #ends = new Set<HubEnd>();
  #given: number;
  /** Answers that wait; null: they go out at once. */
  #held: (() => void)[] | null = null;
  #wake: (() => void)[] = [];

  /** One that follows `before` gives nothing that that one gave. */
  constructor(before: FakeHub | null = null) {
    this.#given = before === null ? 0 : before.#given;
  }

  attach(): Wire {
    const [ours, its] = memoryPair();
    this.#ends.add(new HubEnd(its, this));
    return ours;
  }

  rebind(listen: string | null): Promise<void> {
    if (this.unbindable !== null) return Promise.reject(this.unbindable);
    this.listens.push(listen);
    return Promise.resolve();
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    this.drop();
    return Promise.resolve();
  }

  metrics(): Family[] {
    return [];
  }

  /** Loses every session. */
  drop(): void {
    for (const end of this.#ends) end.session.close("closed", "the hub went away");
  }

  /** Says nothing from now on, until `release`. */
  hold(): void {
    this.#held = [];
  }

  /** Says what it held back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const say of held) say();
  }

  /** Says `message` to the daemon. */
  tell(message: Control): void {
    for (const { session } of this.#ends) session.control(message);
  }

  revoke(name: string, at: number): void {
    this.tell({ type: "revoke", name, id: this.id(name), at });
  }

  /** The id that link `name` has here. */
  id(name: string): string {
    return this.#ids.get(name)!;
  }

  /** What was declared last of link `name`; undefined: nothing. */
  declared(name: string): LinkDecl | undefined {
    return this.declarations(name).at(-1);
  }

  declarations(name: string): LinkDecl[] {
    return this.said.flatMap((message) =>
      message.type === "hello" ? message.links : message.type === "links" ? message.set : []
    ).filter((link) => link.name === name);
  }

  removals(): Removal[] {
    return this.said.flatMap((message) => message.type === "links" ? message.remove : []);
  }

  /** Settles when what the daemon said is so that `is` holds; throws what it said last after 10 s. */
  async until(is: () => boolean): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`waited in vain: ${JSON.stringify(this.said.slice(-3))}`)),
      10_000,
    );
    try {
      while (!is()) await Promise.race([new Promise<void>((said) => this.#wake.push(said)), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A visitor's request for public id `id`; `body` false: what follows is up to the test. */
  ask(
    id: string,
    line = "GET /",
    o: { fields?: readonly string[]; last?: boolean; requestId?: string } = {},
  ): Asked {
    const [{ session }] = this.#ends;
    const asked = new Asked();
    asked.stream = session.open({
      kind: "http",
      https: false,
      link: id,
      address: "192.0.2.7",
      requestId: o.requestId ?? "req-1",
      host: "demo.hub.test",
    }, asked);
    asked.stream.sendHead(requestText(line, o.fields), o.last ?? true);
    return asked;
  }

  /** The status that a visitor of `id` gets, or the code where connectd itself answers. */
  async visit(id: string, line?: string): Promise<string> {
    const asked = this.ask(id, line);
    await asked.over;
    return asked.refused ?? String(asked.status);
  }

  // For its ends.

  heard(end: HubEnd, message: Control): void {
    this.said.push(message);
    const say = (text: Control) => {
      if (this.#held === null) end.session.control(text);
      else this.#held.push(() => end.session.control(text));
    };
    if (message.type === "hello") say(this.#welcome(message));
    if (message.type === "links") {
      say({ type: "granted", revision: message.revision, links: this.#grants(message.set) });
    }
    for (const wake of this.#wake.splice(0)) wake();
  }

  left(end: HubEnd): void {
    this.#ends.delete(end);
  }

  #welcome({ links, revision }: Hello): Control {
    return {
      type: "welcome",
      version: 1,
      hub: "fake",
      limits: { streams: 1000 },
      links: this.#grants(links),
      revoked: this.pending.splice(0),
      hubs: [],
      revision,
    };
  }

  #grants(links: readonly LinkDecl[]): Grant[] {
    return links.map(({ name, id, subdomain, newId }) => {
      const refused = this.refusing.get(name);
      if (refused !== undefined) return { name, refused };
      const known = newId ? null : id ?? this.#ids.get(name);
      const given = subdomain ?? known ?? `id${++this.#given}`;
      this.#ids.set(name, given);
      return { name, id: given, url: `http://${given}.localhost:8080` };
    });
  }
}

/** The hub's end of one session. */
class HubEnd implements SessionHandler {
  readonly session: Session;

  constructor(wire: Wire, private readonly hub: FakeHub) {
    // Of its own clock: a test that moves the daemon's does not make this end take it for dead.
    this.session = new Session(wire, "acceptor", this, systemClock, { streams: 1000 });
  }

  open(stream: Stream): StreamSink {
    stream.reset("not_allowed");
    return { head() {}, data() {}, end() {}, reset() {}, writable() {} };
  }
  control(message: Control): void {
    this.hub.heard(this, message);
  }
  draining(): void {}
  closed(): void {
    this.hub.left(this);
  }
}

/** Services that no file names: exposed while the daemon runs, kept over a restart, until they are closed. */
import { ApiProblem, type BodyError } from "../api/problem.ts";
import type { AuditEntry } from "../core/audit.ts";
import type { Service } from "../core/entry.ts";
import { isName, NAME_RULE } from "../core/names.ts";
import { parseTarget, printTarget } from "../core/target.ts";
import type { Bucket, Store } from "../store/store.ts";

/** A service as the control API prints it. */
export interface ServiceJson {
  readonly name: string;
  readonly target: string;
  readonly access: "public" | "private";
  /** Names of tokens; null: any of the workspace. */
  readonly allow: readonly string[] | null;
  readonly remote: boolean;
  readonly source: "file" | "exposed";
  /** Connections of members. */
  readonly open: number;
}

export interface ExposedOptions {
  readonly store: Store;
  /** What goes into the trail with a change that `by` asked for. */
  audit(type: "service.exposed" | "service.closed", service: Service, by: string): AuditEntry;
  /** The file's services. */
  file(): ReadonlyMap<string, Service>;
  /** There are others now. */
  changed(): void;
  /** Connections of members to one. */
  open(service: string): number;
}

/** So many stand beside the file's. */
const MOST = 1000;

const ALLOW_MAX = 100;

/** How it is stored. */
type Stored = Pick<Service, "name" | "target" | "allow">;

export class Exposed {
  readonly #o: ExposedOptions;
  readonly #bucket: Bucket;
  readonly #own = new Map<string, Service>();
  /** Both together, and the file's map that it was made of. */
  #all: ReadonlyMap<string, Service> | null = null;
  #of: ReadonlyMap<string, Service> | null = null;
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: ExposedOptions) {
    this.#o = options;
    this.#bucket = options.store.bucket("services");
  }

  /** Reads what the store holds. Throws Failure. */
  static async open(options: ExposedOptions): Promise<Exposed> {
    const exposed = new Exposed(options);
    for (const { value } of await exposed.#bucket.list()) exposed.#keep(JSON.parse(value) as Stored);
    return exposed;
  }

  /** All services; where the file has one of the same name, it is the file's. */
  all(): ReadonlyMap<string, Service> {
    const file = this.#o.file();
    if (this.#all === null || this.#of !== file) {
      this.#of = file;
      this.#all = this.#own.size === 0 ? file : new Map([...this.#own, ...file]);
    }
    return this.#all;
  }

  /** By name. */
  list(): ServiceJson[] {
    return [...this.all().values()].sort((a, b) => a.name < b.name ? -1 : 1).map((one) => this.#json(one));
  }

  /** Undefined: there is none of this name. */
  find(name: string): ServiceJson | undefined {
    const service = this.all().get(name);
    return service && this.#json(service);
  }

  /** Makes a private service of a JSON body `{name, target, allow?}`; again changes nothing. Throws ApiProblem, Failure. */
  expose(body: Readonly<Record<string, unknown>>, by: string): Promise<ServiceJson> {
    return this.#inTurn(async () => {
      const wish = readWish(body), service = privately(wish);
      const before = this.all().get(wish.name);
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(service)) {
        const end = this.#o.file().has(wish.name)
          ? "choose another name"
          : "close it first, or choose another name";
        throw new ApiProblem(409, "name_taken", `There is another service ${wish.name}: ${end}.`);
      }
      if (before !== undefined) return this.#json(before);
      if (this.#own.size >= MOST) {
        throw new ApiProblem(
          409,
          "limit",
          `At most ${MOST} services are exposed at a time: close one first.`,
        );
      }
      const audit = this.#o.audit("service.exposed", service, by);
      await this.#bucket.put(wish.name, JSON.stringify(wish), { audit });
      this.#keep(wish);
      this.#o.changed();
      return this.#json(service);
    });
  }

  /** Closes one, and cuts its connections. Throws ApiProblem, Failure. */
  closeService(name: string, by: string): Promise<ServiceJson> {
    return this.#inTurn(async () => {
      const service = this.#own.get(name);
      if (service === undefined) {
        if (!this.#o.file().has(name)) throw new ApiProblem(404, "not_found", `There is no service ${name}.`);
        throw new ApiProblem(409, "in_file", `The service ${name} stands in the file: take it out there.`);
      }
      // A put carries its record of the trail, and a delete does not: empty first, which is all that has to be stored.
      const audit = this.#o.audit("service.closed", service, by);
      await this.#bucket.put(name, JSON.stringify(null), { audit });
      this.#bucket.delete(name).catch(() => {});
      this.#own.delete(name);
      this.#all = null;
      this.#o.changed();
      return { ...this.#json(service), open: 0 };
    });
  }

  #keep(stored: Stored | null): void {
    if (stored === null) return;
    this.#own.set(stored.name, privately(stored));
    this.#all = null;
  }

  #json({ name, target, access, allow, remote }: Service): ServiceJson {
    const source = this.#o.file().has(name) ? "file" : "exposed";
    return { name, target: printTarget(target), access, allow, remote, source, open: this.#o.open(name) };
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function privately({ name, target, allow }: Stored): Service {
  return { name, target, access: "private", allow, remote: false };
}

function readWish({ name, target, allow = null, ...others }: Readonly<Record<string, unknown>>): Stored {
  const errors: BodyError[] = Object.keys(others)
    .map((member) => member.replaceAll("~", "~0").replaceAll("/", "~1"))
    .map((member) => ({ pointer: `/${member}`, detail: "is not known" }));
  const wrong = (pointer: string, detail: string) => errors.push({ pointer, detail });
  if (typeof name !== "string" || !isName(name)) {
    wrong("/name", `is needed: ${NAME_RULE}`);
  }
  let parsed: Service["target"] | null = null;
  try {
    parsed = parseTarget(typeof target === "string" ? target : "");
    if (parsed.kind === "echo") wrong("/target", "is no place to connect to");
    if (parsed.kind === "unix" && !parsed.path.startsWith("/")) wrong("/target", "is no absolute path");
  } catch (error) {
    wrong("/target", (error as Error).message);
  }
  if (allow !== null && !areNames(allow)) {
    wrong("/allow", `is no list of 1 to ${ALLOW_MAX} names of tokens`);
  }
  if (errors.length > 0) throw new ApiProblem(422, "invalid", "The service can not be exposed.", [], errors);
  return { name: name as string, target: parsed!, allow: allow as string[] | null };
}

function areNames(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= ALLOW_MAX &&
    value.every((name) => typeof name === "string" && isName(name));
}

/** What a page of the dashboard is made from: the hub, who looks, and the API, by which everything is done. */
import { ApiProblem, type BodyError, type ProblemStatus } from "../../api/problem.ts";
import { Secrets } from "../../api/secrets.ts";
import type { ApiContext, Operation } from "../api_operation.ts";
import type { HubState } from "../state.ts";
import type { Identity } from "../tokens.ts";
import { Signed } from "./gate.ts";

/** A page that somebody asks for, who is signed in. */
export interface Visit {
  readonly context: ApiContext;
  readonly board: Board;
  readonly caller: Identity;
  /** Of the dashboard, as the browser asked it. */
  readonly port: number;
}

/** What an operation answered. */
export interface Done {
  // deno-lint-ignore no-explicit-any
  readonly json: any;
  readonly etag: string | null;
}

/** Answers a call of the API as whoever is signed in. */
export type Fetch = (request: Request, env: ApiContext["env"]) => Response | Promise<Response>;

/** Secrets that were made and not yet shown: as many as a person may leave unread. */
const UNSHOWN = 16;
const UNSHOWN_MS = 10 * 60_000;

/** Pages that are kept up to date for one token: each may take a hundredth of the hub's time. */
const LIVE = 16;

export class Board {
  readonly signed: Signed;
  /** What is shown once, on the page that follows the form that made it. */
  readonly #once: Secrets<Made>;
  /** By the id of a token. */
  readonly #live = new Map<string | null, number>();
  readonly #scopes: ReadonlyMap<string, Operation["scopes"]>;

  constructor(readonly state: HubState, operations: readonly Operation[], private readonly api: Fetch) {
    this.signed = new Signed(state.browsers);
    this.#once = new Secrets(state.clock, UNSHOWN_MS, UNSHOWN, (made) => made.for);
    this.#scopes = new Map(operations.map(({ method, path, scopes }) => [`${method} ${path}`, scopes]));
  }

  /** Whether `caller` may call the operation, as in `POST /v1/links`; false also where this hub has none such. */
  may({ scope }: Identity, operation: string): boolean {
    return this.#scopes.get(operation)?.includes(scope) ?? false;
  }

  /** Calls the API in the name of who looks: what the dashboard does is what the API does. Throws ApiProblem as it answers. */
  async call(
    { context, caller }: Visit,
    method: "GET" | "POST" | "PATCH" | "DELETE",
    path: string,
    body?: Readonly<Record<string, unknown>>,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Done> {
    const { requestId, address } = context.env;
    const answer = await this.api(
      new Request(`http://${new URL(this.state.url).host}${path}`, {
        method,
        headers: body === undefined ? { ...fields } : { ...fields, "Content-Type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
      { local: false, requestId, address, caller },
    );
    const json = await answer.json();
    if (!answer.ok) throw problemOf(json);
    return { json, etag: answer.headers.get("ETag") };
  }

  /** Somebody looks at a page that is kept up to date, until what this returns is called. Throws ApiProblem. */
  look({ token }: Identity): () => void {
    const live = this.#live.get(token) ?? 0;
    if (live >= LIVE) {
      throw new ApiProblem(
        429,
        "too_many_pages",
        `With one token at most ${LIVE} pages are kept up to date.`,
      );
    }
    this.#live.set(token, live + 1);
    return () => {
      const left = this.#live.get(token)! - 1;
      if (left > 0) this.#live.set(token, left);
      else this.#live.delete(token);
    };
  }

  /** Keeps a secret until it is shown; the key that this returns stands for it in a URL, and is no secret afterwards. */
  keepOnce(made: Made): string {
    return this.#once.make(made);
  }

  /** The secret, for the one who made it, once. */
  takeOnce(key: string, { token }: Identity): Made | null {
    const made = this.#once.find(key);
    if (made === undefined || made.for !== token) return null;
    this.#once.take(key);
    return made;
  }
}

/** A secret that was just made. */
export interface Made {
  /** The id of the token that made it. */
  readonly for: string | null;
  readonly name: string;
  readonly secret: string;
}

function problemOf(json: {
  status: ProblemStatus;
  code: string;
  detail: string;
  errors?: BodyError[];
}): ApiProblem {
  return new ApiProblem(json.status, json.code, json.detail, [], json.errors ?? []);
}

/** Talks to a running daemon or hub: over its unix socket, or over TCP with a token. */
import { Failure } from "../core/errors.ts";

/** An answer of an API that is not 2xx, as one sentence. */
export class Refused extends Failure {
  constructor(readonly status: number, readonly problem: Problem) {
    super(sentence(status, problem), { permanent: true });
  }
}

/** A problem document (RFC 9457), as far as it is read here. */
export interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { pointer: string; detail: string }[];
  /** Of a reload that was refused. */
  readonly problems?: readonly unknown[];
}

function sentence(status: number, problem: Problem): string {
  const pointed = problem.errors?.map(({ pointer, detail }) => `${pointer.replace(/^\//, "")}: ${detail}`);
  return pointed?.join("; ") || problem.detail || problem.title || `the answer was ${status}`;
}

/** Where a role is reached: `origin` in the URL, the socket where there is one. */
export interface Address {
  readonly origin: string;
  readonly socket?: string;
  readonly token?: string;
}

/** A connection to one API. */
export class ApiClient {
  readonly #client: Deno.HttpClient | undefined;

  constructor(readonly address: Address) {
    if (address.socket !== undefined) {
      this.#client = Deno.createHttpClient({ proxy: { transport: "unix", path: address.socket } });
    }
  }

  /** Sends one request. Throws Refused on an answer that is not 2xx, a Failure where nobody answers. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    let response: Response;
    try {
      response = await fetch(this.address.origin + path, {
        method,
        headers: {
          ...(this.address.token === undefined ? {} : { Authorization: `Bearer ${this.address.token}` }),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(this.#client === undefined ? {} : { client: this.#client }),
      });
    } catch (cause) {
      throw new Failure(`nobody answers at ${this.address.socket ?? this.address.origin}`, { cause });
    }
    const text = await response.text();
    const value = parse(text);
    if (response.ok) return value as T;
    throw new Refused(response.status, value !== null && typeof value === "object" ? value : {});
  }

  /** Every item of a list, page after page. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: T[]; nextCursor: string | null } = await this.call(
        "GET",
        `${path}?limit=1000${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return items;
  }

  close(): void {
    this.#client?.close();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** V8's sampling profiler in another Deno process, by its inspector (Chrome DevTools Protocol, domain Profiler). */
import type { CpuProfile } from "./cpu_profile.ts";

/** µs between samples: 4,000 a second tell a function of 0.1 % in five seconds, and cost some per cent. */
const INTERVAL_US = 250;

/** The inspector of a process that was started with `--inspect=127.0.0.1:<port>`. */
export class Inspector implements Disposable {
  readonly #waiting = new Map<number, (answer: { result?: unknown; error?: { message: string } }) => void>();
  #calls = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.onmessage = ({ data }) => {
      const answer = JSON.parse(data);
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    };
  }

  static async at(port: number): Promise<Inspector> {
    const [{ webSocketDebuggerUrl }] = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
    const socket = new WebSocket(webSocketDebuggerUrl);
    await new Promise((open, fail) => {
      socket.onopen = open;
      socket.onerror = () => fail(new Error(`no inspector at ${webSocketDebuggerUrl}`));
    });
    return new Inspector(socket);
  }

  /** What its main thread does for so many ms from now on. */
  async profile(ms: number): Promise<CpuProfile> {
    await this.#call("Profiler.enable");
    await this.#call("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await this.#call("Profiler.start");
    await new Promise((done) => setTimeout(done, ms));
    const { profile } = await this.#call("Profiler.stop") as { profile: CpuProfile };
    return profile;
  }

  #call(method: string, params: Record<string, unknown> = {}): Promise<unknown> {
    const id = ++this.#calls, { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, ({ result, error }) => {
      if (error === undefined) resolve(result);
      else reject(new Error(`${method}: ${error.message}`));
    });
    this.socket.send(JSON.stringify({ id, method, params }));
    return promise;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

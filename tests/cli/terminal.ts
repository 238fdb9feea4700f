/** A program on a terminal of its own, as `script` of util-linux makes one. */
const root = new URL("../../", import.meta.url).pathname;

export interface TerminalOptions {
  readonly env?: Record<string, string>;
  readonly cwd: string;
  readonly columns?: number;
  readonly rows?: number;
}

/** What moves the cursor, clears, colours. */
// deno-lint-ignore no-control-regex -- they are what it is about
const SEQUENCES = /\x1b\[[0-9;?]*[A-Za-z]/g;

/** It ends with the test: the terminal hangs up. */
export class Terminal implements AsyncDisposable {
  /** All that was written to it, control sequences too. */
  seen = "";
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: Promise<void>;
  #wake = () => {};

  constructor(command: readonly string[], { env = {}, cwd, columns = 160, rows = 40 }: TerminalOptions) {
    const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    this.#child = new Deno.Command("script", {
      args: ["-qefc", `stty cols ${columns} rows ${rows}; exec ${line}`, "/dev/null"],
      env: { TERM: "xterm-256color", SHELL: "/bin/sh", NO_COLOR: "", ...env },
      cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#keys = this.#child.stdin.getWriter();
    this.#output = this.#keep();
  }

  /** `connectd …` on a terminal. */
  static connectd(args: readonly string[], options: TerminalOptions): Terminal {
    const grants = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-env"];
    return new Terminal([Deno.execPath(), "run", ...grants, `${root}mod.ts`, ...args], options);
  }

  async #keep(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      this.seen += decoder.decode(chunk, { stream: true });
      this.#wake();
    }
    this.#wake();
  }

  /** Presses keys. */
  async type(text: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(text));
  }

  /** What was written to it without control sequences. */
  get text(): string {
    return this.seen.replaceAll(SEQUENCES, "");
  }

  /** Resolves when the text from letter `from` on matches. Throws with the end of it after 30 s. */
  async until(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const found = pattern.exec(this.text.slice(from));
      if (found !== null) return found;
      if (Date.now() > deadline) throw new Error(`30 s without ${pattern}: …${this.text.slice(-4_000)}`);
      await new Promise<void>((again) => {
        const timer = setTimeout(again, 1_000);
        this.#wake = () => {
          clearTimeout(timer);
          again();
        };
      });
    }
  }

  /** The exit code, once it has ended by itself. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#output;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#keys.close().catch(() => {});
    await this.ended();
  }
}

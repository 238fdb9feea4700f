/** What a target in another process wrote down, read into the ledger of what was sent. */
import type { Report } from "../campaign.ts";
import { Ledger } from "../traffic/ledger.ts";

export class Notes extends Ledger {
  readonly #file: Deno.FsFile;
  readonly #bytes = new Uint8Array(64 * 1024);
  #line = "";

  constructor(report: Report, readonly path: string) {
    super(report);
    this.#file = Deno.openSync(path, { read: true, write: true, create: true });
  }

  override answered(number: number): void {
    this.read();
    super.answered(number);
  }

  /** Takes in what was written since. */
  read(): void {
    for (let n; (n = this.#file.readSync(this.#bytes)) !== null && n > 0;) {
      const lines = (this.#line + new TextDecoder("latin1").decode(this.#bytes.subarray(0, n))).split("\n");
      this.#line = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith("! ")) this.breaks(line.slice(2));
        else this.see(line);
      }
    }
  }

  close(): void {
    this.#file.close();
  }
}

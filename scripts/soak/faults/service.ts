/**
 * The target as a process of its own, which can be killed: `service.ts PORT NOTES`. What it reads it writes down before it
 * acts on it, a head a line, so that nothing which reached it is forgotten with it.
 */
import { Report } from "../campaign.ts";
import { Ledger } from "../traffic/ledger.ts";
import { Target } from "../traffic/target.ts";

const [port, path] = Deno.args;
const notes = Deno.openSync(path, { append: true, create: true });

class Scribe extends Ledger {
  override see(first: string): void {
    notes.writeSync(new TextEncoder().encode(`${first}\n`));
  }

  override breaks(what: string): void {
    this.see(`! ${what}`);
  }
}

const target = new Target(new Scribe(new Report()), null, Number(port));
console.log(JSON.stringify({ ready: true, port: target.port }));

/** Name servers and web servers as a test has them. */
import type { Prover } from "../../src/hub/prover.ts";
import { ask } from "./rig.ts";

export class TestNet implements Prover {
  /** Of `_connectd.<domain>`; null: nobody answers. */
  readonly records = new Map<string, string[] | null>();
  /** Where `http://<domain>` leads: a port of this machine. */
  readonly leads = new Map<string, number>();
  /** Questions to name servers. */
  asked = 0;

  txt(name: string): Promise<readonly string[] | null> {
    this.asked++;
    const found = this.records.get(name.replace(/^_connectd\./, ""));
    return Promise.resolve(found === undefined ? [] : found);
  }

  async http(domain: string, path: string): Promise<string | null> {
    const port = this.leads.get(domain);
    if (port === undefined) return null;
    const { status, body } = await ask(port, domain, `GET ${path} HTTP/1.1`);
    return status === 200 ? body : null;
  }
}

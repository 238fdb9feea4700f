/** Whose a domain is: what its name servers and its web server say. */

/** Asks about domains; it never rejects. */
export interface Prover {
  /** The TXT records of `name`: empty where there are none, null where nobody could be asked. */
  txt(name: string): Promise<readonly string[] | null>;
  /** The beginning of what stands at `http://<domain><path>`; null: nothing does. */
  http(domain: string, path: string): Promise<string | null>;
}

/** Name servers and web servers have so long. */
const PATIENCE_MS = 5_000;

/** A token is far shorter. */
const MOST_OCTETS = 1024;

/** Asks `nameServer`, or the name servers of this machine, and the web server that a domain leads to. */
export const proverBy = (
  nameServer?: { ipAddr: string; port: number },
  patienceMs = PATIENCE_MS,
): Prover => ({
  async txt(name) {
    try {
      const signal = AbortSignal.timeout(patienceMs);
      const records = await Deno.resolveDns(name, "TXT", { signal, ...(nameServer && { nameServer }) });
      // A long value comes in pieces (RFC 7208 §3.3).
      return records.map((pieces) => pieces.join(""));
    } catch (error) {
      // So does the runtime call it where a name server says that it failed.
      return error instanceof Deno.errors.NotFound ? [] : null;
    }
  },
  async http(domain, path) {
    try {
      const answer = await fetch(`http://${domain}${path}`, {
        // Whoever redirects leads elsewhere: what stands there is not the domain's word.
        redirect: "manual",
        signal: AbortSignal.timeout(patienceMs),
      });
      const text = await beginning(answer);
      return answer.status === 200 ? text : null;
    } catch {
      return null;
    }
  },
});

export const systemProver: Prover = proverBy();

async function beginning({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MOST_OCTETS) break;
  }
  return text;
}

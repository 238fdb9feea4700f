/** The signals by which a person or a supervisor ends a process: the first one asks, the second one insists. */
import { complain } from "./print.ts";

/** 128 and the signal's number, as shells print it. */
const CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export type EndSignal = keyof typeof CODES;

/** `first` settles at the first of `names`; a second one ends the process at once. */
export function endSignals(names: readonly EndSignal[]): { readonly first: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  for (const name of names) {
    Deno.addSignalListener(name, () => {
      if (asked) Deno.exit(CODES[name]);
      asked = true;
      if (Deno.stderr.isTerminal()) complain("finishing what is in flight; once more ends it at once");
      resolve();
    });
  }
  return { first: promise };
}

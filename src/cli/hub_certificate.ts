/** The certificate that hub.yaml names: tried before the hub listens. */
import { systemClock } from "../clock.ts";
import type { HubConfig } from "../config/hub.ts";
import { type Problem, problemAt } from "../config/problem.ts";
import { Failure } from "../core/errors.ts";
import { BadFile } from "../daemon/reload.ts";
import { Certificate } from "../hub/certificate.ts";
import type { Log } from "../log.ts";

/** Reads and follows it; null: the file names none. Throws BadFile where it can't be served with. */
export async function certificateOf(config: HubConfig, log: Log): Promise<Certificate | null> {
  if (config.tls === null) return null;
  try {
    return await Certificate.open(config.tls, systemClock, log);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new BadFile(`${config.file} can not be taken as it is`, [problemOf(config, error)], error);
  }
}

/** What is wrong with it, for a look at the file. */
export async function certificateProblems(config: HubConfig): Promise<Problem[]> {
  if (config.tls === null) return [];
  try {
    await Certificate.check(config.tls);
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [problemOf(config, error)];
  }
}

function problemOf({ file, text, places }: HubConfig, { message }: Failure): Problem {
  const place = places.get("tls") ?? { line: 1, column: 1 };
  const hint = "cert: the chain (PEM), the hub's own certificate first; key: the key of that one";
  return problemAt(file, place, text.split(/\r?\n/)[place.line - 1] ?? "", {
    code: "bad_file",
    message,
    hint,
  });
}

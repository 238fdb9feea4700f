/** The certificates that a configuration names: for targets (`tls.ca_file`) and for hubs. */
import { Failure } from "../core/errors.ts";
import { MAX_BYTES } from "./file.ts";
import type { Config } from "./links.ts";
import { type Problem, problemAt } from "./problem.ts";
import { readStill } from "./still.ts";

/**
 * What is wrong with those files, each at the key that names it. It does not refuse the configuration: they are read
 * when they are needed, and what leans on one fails until it is there.
 */
export async function checkTrustFiles(config: Config): Promise<Problem[]> {
  const lines = config.text.split(/\r?\n/);
  const problems: Problem[] = [];
  const check = async (path: string | null, line: number) => {
    const message = path === null ? null : await wrongWith(path);
    if (message === null) return;
    problems.push(problemAt(config.file, { line, column: 1 }, lines[line - 1] ?? "", {
      code: "bad_file",
      message,
    }));
  };
  for (const { tls, lines } of config.links.values()) await check(tls?.caFile ?? null, lines.get("tls") ?? 1);
  const atTop = lines.findIndex((line) => /^(?:hub_ca_file|hub):/.test(line)) + 1;
  for (const path of new Set(config.hubs.map(({ caFile }) => caFile))) await check(path, Math.max(1, atTop));
  return problems;
}

async function wrongWith(path: string): Promise<string | null> {
  try {
    const text = new TextDecoder().decode(await readStill(path, 0, MAX_BYTES));
    return text.includes("-----BEGIN CERTIFICATE-----") ? null : `${path} holds no certificate (PEM)`;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.message;
  }
}

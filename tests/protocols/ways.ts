/** The two ways of a visitor to a server: straight, and through a link of a hub and a daemon of their own. */
import { startPair } from "../e2e/pair.ts";
import type { Rig } from "../e2e/rig.ts";

/** Where a visitor dials on 127.0.0.1, and the authority that it asks for. */
export interface Way {
  readonly name: "straight" | "through";
  readonly port: number;
  readonly host: string;
}

/** Both ways to the server of that name. */
export type Ways = (name: string) => { readonly straight: Way; readonly through: Way };

/** Makes a link to each server, by the port it listens on; `more` are further lines of each link. */
export async function openWays(
  rig: Rig,
  servers: Readonly<Record<string, number>>,
  more: readonly string[] = [],
): Promise<Ways> {
  const lines = Object.entries(servers).flatMap(([name, port]) => [
    ...[`  ${name}:`, `    target: 127.0.0.1:${port}`, `    subdomain: ${name}`],
    ...more.map((line) => `    ${line}`),
  ]);
  const { port } = await startPair(rig, lines.join("\n") + "\n");
  return (name) => ({
    straight: { name: "straight", port: servers[name], host: `127.0.0.1:${servers[name]}` },
    through: { name: "through", port, host: `${name}.localhost:${port}` },
  });
}

/** So long a visit may take, in ms: whoever waits for an end that never comes shall be told where. */
const VISIT_MS = 20_000;

/** What `visit` comes to on each way. */
export async function onBoth<T>(
  { straight, through }: { straight: Way; through: Way },
  visit: (way: Way) => Promise<T>,
): Promise<{ straight: T; through: T }> {
  return { straight: await timely(straight, visit), through: await timely(through, visit) };
}

async function timely<T>(way: Way, visit: (way: Way) => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = setTimeout(() => reject(new Error(`${way.name}: no end after ${VISIT_MS} ms`)), VISIT_MS);
  try {
    return await Promise.race([visit(way), promise]);
  } finally {
    clearTimeout(late);
  }
}

/** How much later an event is with a visitor through connectd than with one that dials the target. */
import { CONTENDERS } from "./contenders.ts";
import type { Tunnel } from "./tunnel.ts";
import { load, median } from "./measure.ts";
import { start } from "./process.ts";

/** Latencies of one stream's events in ms, by the time they were sent. */
type Stream = readonly { readonly sent: number; readonly late: number }[];

/**
 * Follows `count` events each way at the same time, with nothing else and beside 64 visitors, and says the differences.
 * A bare relay of two processes tells how much of it is the machine's.
 */
export async function eventLatency(count: number, folder: string): Promise<string> {
  const program = new URL("./target.ts", import.meta.url).pathname;
  const { line } = await start("target", [Deno.execPath(), "run", "--allow-net", program], /^target/);
  const port = Number(line.split(" ")[1]);
  const ways: Record<string, Tunnel> = { "straight": { port, host: "localhost", processes: [] } };
  for (const name of ["bare relay", "connectd"]) ways[name] = await CONTENDERS[name].begin(port, folder);
  const { connectd } = ways;
  await load(connectd, 64, 1); // Compilers warm up, pools fill.
  const all = async () => {
    const streams = Object.entries(ways).map(async ([name, way]) =>
      [name, await follow(way, count)] as const
    );
    return Object.fromEntries(await Promise.all(streams));
  };
  const quiet = await all();
  let over = false;
  const visitors = async () => {
    while (!over) await load(connectd, 64, 1);
  };
  const [beside] = await Promise.all([all().finally(() => over = true), visitors()]);
  return [
    `${count} events each way; ms later than straight: median / p99 / max`,
    ...[...figures("nothing else", quiet), ...figures("beside 64 visitors", beside)],
  ].join("\n");
}

/** Reads events until there are enough. The target stamps them by the same clock. */
async function follow({ port, host }: Tunnel, count: number): Promise<Stream> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(`GET /events HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
  const buffer = new Uint8Array(64 * 1024), decoder = new TextDecoder();
  const events: { sent: number; late: number }[] = [];
  let rest = "";
  while (events.length < count) {
    const n = await connection.read(buffer);
    const now = performance.timeOrigin + performance.now();
    if (n === null) throw new Error("the stream ended");
    rest += decoder.decode(buffer.subarray(0, n), { stream: true });
    // Sizes of chunks stand between events, not in them.
    for (let event; (event = /data: ([\d.]+)\n\n/.exec(rest)) !== null;) {
      rest = rest.slice(event.index + event[0].length);
      const sent = Number(event[1]);
      events.push({ sent, late: now - sent });
    }
  }
  return events;
}

/** Lines: of each way but straight, its events against those straight that were sent nearest to them. */
function figures(beside: string, { straight, ...ways }: Record<string, Stream>): string[] {
  return Object.entries(ways).map(([name, stream]) => {
    let at = 0;
    const differences = stream.map(({ sent, late }) => {
      const off = (i: number) => Math.abs(straight[i].sent - sent);
      while (at + 1 < straight.length && off(at + 1) <= off(at)) at++;
      return late - straight[at].late;
    }).sort((a, b) => a - b);
    const p99 = differences[Math.floor(differences.length * 0.99)];
    const said = [median(differences), p99, differences.at(-1)!].map((ms) => ms.toFixed(2)).join(" / ");
    return `${name}, ${beside}: ${said}`;
  });
}

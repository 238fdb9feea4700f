/**
 * Visitors of ill will, as a process of their own, with as little work for themselves as can be: the machine is for those
 * they attack. A line a second says how many connections are open and what came of all that were made.
 *
 *     attacker.ts KIND COUNT PORT HOST…
 */
import { Buffer } from "node:buffer";

const [kind, ...rest] = Deno.args, [count, port] = rest.slice(0, 2).map(Number), hosts = rest.slice(2);
const encoder = new TextEncoder();

/** So many are made at a time, so often, until all have been; and then anew where one ended. */
const GROUP = 20, GROUP_ANEW = 2, GROUP_MS = 10;
/** Those who do not read have 300 KiB each moved before they stall: more of them at a time would be a flood of bulk. */
const GROUP_DEAF = 4;

/** Slow ones send an octet so often, in ms. */
const OCTET_MS = 3_000;

/** Who asks again does so after so many ms. */
const AGAIN_MS = 20;

const HEAD = "HTTP/1.1\r\nHost: demo.localhost\r\n";

/** How they attack: what is sent first, what one octet at a time, and whether more than the first answer is read. */
interface Manner {
  readonly first: string;
  readonly slow?: string;
  readonly deaf?: true;
  /** Leaves as soon as it has come. */
  readonly leaves?: true;
  /** Asks again when it has an answer. */
  readonly again?: true;
}

const MANNERS: Readonly<Record<string, Manner>> = {
  heads: { first: `GET / ${HEAD}X: `, slow: "x" },
  bodies: { first: `POST / ${HEAD}Content-Length: 100000\r\n\r\n`, slow: "x" },
  readers: { first: `GET /large ${HEAD}\r\n`, deaf: true },
  idle: { first: "" },
  keepers: { first: `GET / ${HEAD}\r\n` },
  comers: { first: "", leaves: true },
  floods: { first: `GET / ${HEAD.replace("demo", "metered")}\r\n`, again: true },
};
const manner = MANNERS[kind];
const first = encoder.encode(manner.first), slow = encoder.encode(manner.slow ?? "");

const open = new Set<Deno.TcpConn>();
const answers: Record<string, number> = {};
/** Being made or open. */
let there = 0, made = 0;

async function attack(hostname: string): Promise<void> {
  there++;
  let conn: Deno.TcpConn | null = null;
  try {
    conn = await Deno.connect({ hostname, port });
    made++;
    open.add(conn);
    if (first.length > 0) await conn.write(first);
    if (!manner.leaves) await listen(conn);
  } catch (error) {
    tell(error instanceof Deno.errors.ConnectionReset ? "reset" : (error as Error).message);
  }
  if (conn !== null) {
    open.delete(conn);
    conn.close();
  }
  there--;
}

async function listen(conn: Deno.TcpConn): Promise<void> {
  // An answer of connectd's own comes whole; of others the beginning will do.
  const buffer = new Uint8Array(2048);
  for (;;) {
    const n = await conn.read(buffer);
    if (n === null) return tell("closed");
    const text = Buffer.from(buffer.buffer, 0, n).toString("latin1");
    const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
    const code = /"code":"([a-z_]+)"/.exec(text)?.[1];
    if (status !== undefined) tell(code === undefined ? status : `${status} ${code}`);
    if (status !== undefined && /\r\nconnection: close/i.test(text)) return;
    if (manner.deaf) await new Promise(() => {});
    if (!manner.again) continue;
    await new Promise((over) => setTimeout(over, AGAIN_MS));
    await conn.write(first);
  }
}

function tell(what: string): void {
  answers[what] = (answers[what] ?? 0) + 1;
}

let next = 0;
setInterval(() => {
  const most = manner.deaf ? GROUP_DEAF : made < count || manner.leaves ? GROUP : GROUP_ANEW;
  for (let i = 0; i < most && there < count; i++) void attack(hosts[next++ % hosts.length]);
}, GROUP_MS);

if (slow.length > 0) {
  const turns = OCTET_MS / 100;
  let turn = 0;
  setInterval(() => {
    let i = 0;
    for (const conn of open) if (i++ % turns === turn % turns) conn.write(slow).catch(() => {});
    turn++;
  }, 100);
}

setInterval(() => console.log(JSON.stringify({ open: open.size, made, answers })), 1_000);

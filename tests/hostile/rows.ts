/** Tables of attacks: each row is tried, whatever became of the others. */
import assert from "node:assert/strict";

/** Tries all rows, one after the other; throws at the end what went wrong with which. */
export async function each<T extends { readonly name: string }>(
  rows: readonly T[],
  attempt: (row: T, index: number) => Promise<void>,
): Promise<void> {
  assert.ok(rows.length > 0);
  assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length, "two rows of one name");
  const failures: string[] = [];
  for (const [i, row] of rows.entries()) {
    try {
      await attempt(row, i);
    } catch (error) {
      failures.push(`${row.name}: ${(error as Error).message}`);
    }
  }
  assert.deepEqual(failures, []);
}

/** Reads until the other side has ended the connection; throws where that takes longer than `ms`. */
export async function gone(conn: Deno.Conn, ms: number): Promise<number> {
  const buffer = new Uint8Array(65_536);
  let octets = 0;
  const late = setTimeout(() => conn.close(), ms);
  const deadline = Date.now() + ms;
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) octets += n;
  } catch (error) {
    if (Date.now() >= deadline) {
      throw new Error(`the connection is still there after ${ms} ms`, { cause: error });
    }
  } finally {
    clearTimeout(late);
  }
  return octets;
}

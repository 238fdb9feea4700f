/**
 * The least that two Deno processes can be: this one copies octets between a listener and the port it is given, one
 * connection there for each here. It reads no HTTP and judges nothing: what is missing to a native tunnel beyond
 * this, the runtime's sockets cost.
 */
const [port] = Deno.args.map(Number);

async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
      for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
    }
    await to.closeWrite();
  } catch {
    // One of them left; the other direction finds out by itself.
  }
}

async function serve(visitor: Deno.TcpConn): Promise<void> {
  using here = visitor;
  using there = await Deno.connect({ hostname: "127.0.0.1", port });
  for (const end of [here, there]) end.setNoDelay(true);
  await Promise.all([copy(here, there), copy(there, here)]);
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(`relay ${listener.addr.port}`);
for await (const visitor of listener) serve(visitor).catch(() => {});

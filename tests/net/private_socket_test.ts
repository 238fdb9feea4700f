/** The sockets by which a machine's owner commands hub and daemon. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { Listener } from "../../src/net/listener.ts";
import { asidePath } from "../../src/net/private_socket.ts";
import { renderRefusal } from "../../src/pages/visitor.ts";

Deno.test("a socket is nobody else's at any moment, in a folder that is everybody's, and whatever stood there", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "connectd-socket-" });
  Deno.chmodSync(folder, 0o777);
  const path = `${folder}/control.sock`;
  const victim = `${folder}/victim`;
  Deno.writeTextFileSync(victim, "precious", { mode: 0o644 });
  Deno.symlinkSync(victim, path);
  // A process was killed as it made one.
  Deno.mkdirSync(asidePath(path));
  Deno.writeTextFileSync(`${asidePath(path)}/s`, "");
  // While it is being made its mode is whatever the umask says: nobody may get as far as that.
  const reachable: boolean[] = [];
  const listen = Deno.listen;
  Deno.listen = ((options: Deno.UnixListenOptions & { transport: "unix" }) => {
    const socket = listen(options);
    reachable.push((Deno.statSync(dirname(options.path)).mode! & 0o077) !== 0);
    assert.ok(options.path.length <= path.length);
    return socket;
  }) as typeof Deno.listen;
  const listener = new Listener({
    limits: DEFAULT_LIMITS,
    clock: systemClock,
    trusted: () => false,
    urgent: () => false,
    handler: (exchange) =>
      exchange.answer({ head: "HTTP/1.1 204 No Content\r\n\r\n", body: new Uint8Array(0) }),
    refuse: renderRefusal,
    secure: false,
  });
  try {
    await listener.listen({ path });
  } finally {
    Deno.listen = listen;
  }
  assert.deepEqual(reachable, [false]);
  const { isSymlink, isSocket, mode } = Deno.lstatSync(path);
  assert.deepEqual([isSymlink, isSocket, mode! & 0o777], [false, true, 0o600]);
  assert.deepEqual([Deno.readTextFileSync(victim), Deno.statSync(victim).mode! & 0o777], ["precious", 0o644]);
  const socket = await Deno.connect({ transport: "unix", path });
  await socket.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  const bytes = new Uint8Array(100);
  assert.match(new TextDecoder().decode(bytes.subarray(0, (await socket.read(bytes))!)), /^HTTP\/1\.1 204 /);
  socket.close();
  listener.close();
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["control.sock", "victim"]);
  Deno.removeSync(folder, { recursive: true });
});

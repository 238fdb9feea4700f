/** Real clients and servers through `reach`: PostgreSQL, Redis, SSH, iperf3. */
import assert from "node:assert/strict";
import { accepting, eventually, freePort, packaged, type Process, type Run } from "../e2e/rig.ts";
import { World } from "./world.ts";

/** A program of PostgreSQL's server, which Debian keeps off PATH. */
function postgres(program: string): string | null {
  try {
    for (const version of Deno.readDirSync("/usr/lib/postgresql")) {
      const path = `/usr/lib/postgresql/${version.name}/bin/${program}`;
      if (Deno.statSync(path).isFile) return path;
    }
  } catch {
    // Not of Debian's.
  }
  return packaged(program, "postgresql");
}

async function done(process: Process): Promise<Run> {
  const run = await process.ended();
  assert.equal(run.code, 0, run.stderr);
  return run;
}

/** Servers that refuse to run as root are run as somebody else. */
const AS: readonly string[] = Deno.uid() === 0
  ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
  : [];

Deno.test("psql asks, copies some MiB in and out, and cancels", async () => {
  const [initdb, server, psql] = [
    postgres("initdb"),
    postgres("postgres"),
    packaged("psql", "postgresql-client"),
  ];
  if (initdb === null || server === null || psql === null) return;
  const port = freePort();
  await using world = await World.start(`  db: { target: "tcp://127.0.0.1:${port}", access: private }\n`);
  const { rig } = world, data = Deno.makeTempDirSync({ prefix: "connectd-pg-" });
  Deno.chmodSync(data, 0o700);
  if (AS.length > 0) Deno.chownSync(data, 65534, 65534);
  rig.atEnd(() => Deno.remove(data, { recursive: true }));
  const spawn = (...args: string[]) => {
    const [program, ...rest] = [...AS, ...args];
    return rig.spawn(program, rest, { LC_ALL: "C" });
  };
  await done(spawn(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-N", "--no-instructions"));
  spawn(
    server,
    "-D",
    data,
    "-p",
    String(port),
    "-k",
    data,
    "-c",
    "fsync=off",
    "-c",
    "listen_addresses=127.0.0.1",
  );
  await accepting(port);
  const reached = await world.reach("db");
  const ask = (...args: string[]) =>
    rig.spawn(psql, ["-h", "127.0.0.1", "-p", String(reached.port), "-U", "postgres", "-qtAX", ...args]);
  await eventually(() => ask("-c", "select 1").ended(), ({ code }) => code === 0);
  const file = rig.file(
    "rows",
    Array.from({ length: 60_000 }, (_, i) => `${i}\t${"x".repeat(60)}\n`).join(""),
  );
  await done(ask("-c", "create table t (n int, text text)", "-c", `\\copy t from '${file}'`));
  assert.equal((await done(ask("-c", "select count(*), sum(n) from t"))).stdout, "60000|1799970000\n");
  const back = `${rig.folder}/back`;
  await done(ask("-c", `\\copy t to '${back}'`));
  assert.equal(Deno.readTextFileSync(back) === Deno.readTextFileSync(file), true);
  // A cancel comes by a connection of its own.
  const slow = ask("-c", "select pg_sleep(600)");
  const running =
    "select count(*) from pg_stat_activity where query like '%sleep(600)%' and pid <> pg_backend_pid()";
  await eventually(async () => (await done(ask("-c", running))).stdout, (text) => text === "1\n");
  assert.match((await slow.kill("SIGINT")).stderr, /canceling statement due to user request/);
});

Deno.test("redis-cli sends a pipeline of 20,000 commands and reads a value of some MiB", async () => {
  const [server, cli] = [packaged("redis-server", "redis-server"), packaged("redis-cli", "redis-tools")];
  if (server === null || cli === null) return;
  // A socket of its own: no port has to be guessed.
  const folder = Deno.makeTempDirSync({ prefix: "connectd-redis-" }), socket = `${folder}/s`;
  await using world = await World.start(`  cache: { target: "unix:${socket}", access: private }\n`);
  const { rig } = world;
  rig.atEnd(() => Deno.remove(folder, { recursive: true }));
  rig.spawn(server, [
    "--port",
    "0",
    "--unixsocket",
    socket,
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    folder,
  ]);
  const { port } = await world.reach("cache");
  const ask = (...args: string[]) => rig.spawn(cli, ["-p", String(port), ...args]);
  await eventually(() => ask("ping").ended(), ({ stdout }) => stdout === "PONG\n");
  const commands = rig.file(
    "commands",
    Array.from({ length: 20_000 }, () => "INCR n\r\n").join("") + `SET big ${"y".repeat(100)}\r\n`,
  );
  const piped = await done(
    rig.spawn("sh", ["-c", `exec "$1" -p "$2" --pipe < "$3"`, "sh", cli, String(port), commands]),
  );
  assert.match(piped.stdout, /errors: 0, replies: 20001/);
  assert.equal((await done(ask("get", "n"))).stdout, "20000\n");
  await done(ask("eval", "redis.call('set', 'big', string.rep('z', 4194304)) return 1", "0"));
  assert.equal((await done(ask("get", "big"))).stdout, "z".repeat(4 * 1024 * 1024) + "\n");
});

Deno.test("ssh runs a command by key, and scp copies a file there and back", async () => {
  const [server, ssh, scp, keygen] = [
    packaged("sshd", "openssh-server"),
    ...["ssh", "scp", "ssh-keygen"].map((program) => packaged(program, "openssh-client")),
  ];
  if (server === null || ssh === null || scp === null || keygen === null) return;
  const port = freePort();
  await using world = await World.start(`  shell: { target: "tcp://127.0.0.1:${port}", access: private }\n`);
  const { rig } = world, { folder } = rig;
  for (const name of ["host", "mine"]) {
    await done(rig.spawn(keygen, ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${name}`]));
  }
  const config = rig.file(
    "sshd_config",
    [
      ...[
        `ListenAddress 127.0.0.1:${port}`,
        `HostKey ${folder}/host`,
        `AuthorizedKeysFile ${folder}/mine.pub`,
      ],
      ...["StrictModes no", "UsePAM no", "PidFile none", "PasswordAuthentication no", "PermitRootLogin yes"],
      "Subsystem sftp internal-sftp",
    ].join("\n") + "\n",
  );
  if (Deno.uid() === 0) Deno.mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  rig.spawn(server, ["-D", "-e", "-f", config]);
  await accepting(port);
  const reached = await world.reach("shell");
  const options = [
    "UserKnownHostsFile=/dev/null",
    "StrictHostKeyChecking=no",
    "BatchMode=yes",
    "LogLevel=ERROR",
  ];
  const common = [...options.flatMap((option) => ["-o", option]), "-i", `${folder}/mine`];
  const user = (await done(rig.spawn("id", ["-un"]))).stdout.trim();
  const said = await done(
    rig.spawn(ssh, [...common, "-p", String(reached.port), `${user}@127.0.0.1`, "echo out; echo err >&2"]),
  );
  assert.deepEqual([said.stdout, said.stderr], ["out\n", "err\n"]);
  const body = crypto.getRandomValues(new Uint8Array(64 * 1024)).toHex().repeat(16);
  const file = rig.file("body", body), there = `${folder}/there`, back = `${folder}/back`;
  const copy = (...args: string[]) => done(rig.spawn(scp, [...common, "-P", String(reached.port), ...args]));
  await copy(file, `${user}@127.0.0.1:${there}`);
  await copy(`${user}@127.0.0.1:${there}`, back);
  assert.equal(Deno.readTextFileSync(back) === body, true);
});

Deno.test("iperf3 moves 64 MiB each way and both ways at once, on four connections at a time", async () => {
  const program = packaged("iperf3", "iperf3");
  if (program === null) return;
  const port = freePort();
  await using world = await World.start(`  bulk: { target: "tcp://127.0.0.1:${port}", access: private }\n`);
  const { rig } = world;
  rig.spawn(program, ["-s", "-B", "127.0.0.1", "-p", String(port)]);
  await accepting(port);
  const reached = await world.reach("bulk");
  const octets = 64 * 1024 * 1024;
  for (const way of [[], ["--reverse"], ["--bidir"]]) {
    const args = ["-c", "127.0.0.1", "-p", String(reached.port), "-n", String(octets), "-P", "4", "--json"];
    const ask = () => rig.spawn(program, [...args, ...way]).ended();
    // It takes one test at a time, and is a moment late to know that the one before is over.
    const { stdout } = await eventually(ask, ({ code }) => code === 0);
    const { end } = JSON.parse(stdout);
    // Both ways at once: it ends as soon as one of them is through.
    const sent = [end.sum_sent, end.sum_sent_bidir_reverse].map((sum) => sum?.bytes ?? 0);
    assert.ok(Math.max(...sent) >= octets && end.sum_received.bytes > 0, `${way}: ${JSON.stringify(sent)}`);
  }
});

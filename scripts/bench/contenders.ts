/** The tunnels that are compared: each started as its manual says, on loopback, with its defaults. */
import { embedded, twoProcesses } from "./connectd.ts";
import { accepts, freePort, output, type Running, start, which } from "./process.ts";
import type { Tunnel } from "./tunnel.ts";

/** A program that is compared. */
export interface Contender {
  /** What has to be on PATH. */
  readonly needs: readonly string[];
  /** Starts it towards the target on `port`; `folder` is its own. */
  begin(port: number, folder: string): Promise<Tunnel>;
}

export const CONTENDERS: Readonly<Record<string, Contender>> = {
  "connectd": { needs: [], begin: twoProcesses },
  "connectd run": { needs: [], begin: embedded },
  "bare relay": { needs: [], begin: relay },
  "rathole": { needs: ["rathole"], begin: rathole },
  "bore": { needs: ["bore"], begin: bore },
  "chisel": { needs: ["chisel"], begin: chisel },
  "frp tcp": { needs: ["frps", "frpc"], begin: (port, folder) => frp(port, folder, "tcp") },
  "frp http": { needs: ["frps", "frpc"], begin: (port, folder) => frp(port, folder, "http") },
  "ssh -R": { needs: ["sshd", "ssh", "ssh-keygen"], begin: ssh },
};

/** Two of `relay.ts`: the runtime's own share. */
async function relay(port: number): Promise<Tunnel> {
  const program = new URL("./relay.ts", import.meta.url).pathname;
  const begin = (name: string, to: number) =>
    start(name, [Deno.execPath(), "run", "--no-prompt", "--allow-net", program, String(to)], /^relay/);
  const portOf = ({ line }: Running) => Number(line.split(" ")[1]);
  const there = await begin("relay there", port), here = await begin("relay here", portOf(there));
  return { port: portOf(here), host: "localhost", processes: [here, there] };
}

/** One connection of the tunnel a visitor's connection. */
async function rathole(port: number, folder: string): Promise<Tunnel> {
  const [control, visitors] = [freePort(), freePort()];
  const [server, client] = [`${folder}/server.toml`, `${folder}/client.toml`];
  write(server, [
    ...["[server]", `bind_addr = "127.0.0.1:${control}"`, `default_token = "bench"`],
    ...["[server.services.web]", `bind_addr = "127.0.0.1:${visitors}"`],
  ]);
  write(client, [
    ...["[client]", `remote_addr = "127.0.0.1:${control}"`, `default_token = "bench"`],
    ...["[client.services.web]", `local_addr = "127.0.0.1:${port}"`],
  ]);
  const processes = [
    await start("rathole server", ["rathole", "--server", server], /[Ll]istening/),
    await start("rathole client", ["rathole", "--client", client], /Control channel established/),
  ];
  await accepts(visitors);
  return { port: visitors, host: "localhost", processes };
}

/** The same way. Its control port is 7835 and can't be another. */
async function bore(port: number): Promise<Tunnel> {
  const visitors = freePort();
  const client = `bore local ${port} --to 127.0.0.1 --port ${visitors}`;
  const processes = [
    await start("bore server", "bore server --bind-addr 127.0.0.1".split(" "), /listening/),
    await start("bore client", client.split(" "), /listening at/),
  ];
  return { port: visitors, host: "localhost", processes };
}

/** SSH in a WebSocket: encrypted. */
async function chisel(port: number): Promise<Tunnel> {
  const [control, visitors] = [freePort(), freePort()];
  const server = `chisel server --host 127.0.0.1 --port ${control} --reverse`;
  const client = `chisel client 127.0.0.1:${control} R:127.0.0.1:${visitors}:127.0.0.1:${port}`;
  const processes = [
    await start("chisel server", server.split(" "), /Listening/),
    await start("chisel client", client.split(" "), /Connected/),
  ];
  await accepts(visitors);
  return { port: visitors, host: "localhost", processes };
}

/** Streams in one TLS connection; `http` reads the requests as connectd does, `tcp` does not. */
async function frp(port: number, folder: string, type: "http" | "tcp"): Promise<Tunnel> {
  const [control, visitors] = [freePort(), freePort()];
  const [server, client] = [`${folder}/frps.toml`, `${folder}/frpc.toml`];
  write(server, [
    ...[`bindAddr = "127.0.0.1"`, `proxyBindAddr = "127.0.0.1"`, `bindPort = ${control}`],
    ...(type === "http" ? [`vhostHTTPPort = ${visitors}`] : []),
  ]);
  write(client, [
    ...[`serverAddr = "127.0.0.1"`, `serverPort = ${control}`, "[[proxies]]", `name = "web"`],
    ...[`type = "${type}"`, `localIP = "127.0.0.1"`, `localPort = ${port}`],
    type === "http" ? `customDomains = ["bench.localhost"]` : `remotePort = ${visitors}`,
  ]);
  const processes = [
    await start("frps", ["frps", "-c", server], /started successfully/),
    await start("frpc", ["frpc", "-c", client], /start proxy success/),
  ];
  return { port: visitors, host: "bench.localhost", processes };
}

/** Encrypted. sshd wants its full path, since it starts itself anew for each connection. */
async function ssh(port: number, folder: string): Promise<Tunnel> {
  const [control, visitors] = [freePort(), freePort()];
  const key = `${folder}/key`, config = `${folder}/sshd.conf`;
  await output(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
  write(config, [
    ...[`Port ${control}`, "ListenAddress 127.0.0.1", `HostKey ${key}`, `AuthorizedKeysFile ${key}.pub`],
    ...["StrictModes no", "PasswordAuthentication no", "UsePAM no", "PermitRootLogin yes", "PidFile none"],
  ]);
  // Where sshd locks unknown clients in; Debian makes it only with the service.
  if (Deno.uid() === 0) Deno.mkdirSync("/run/sshd", { recursive: true });
  const trust = `-o StrictHostKeyChecking=no -o UserKnownHostsFile=${folder}/known`;
  const way = `-R 127.0.0.1:${visitors}:127.0.0.1:${port} 127.0.0.1`;
  const processes = [
    await start("sshd", [which("sshd")!, "-D", "-e", "-f", config], /listening on/),
    await start("ssh", `ssh -v -N -p ${control} -i ${key} ${trust} ${way}`.split(" "), /forward success/),
  ];
  return { port: visitors, host: "localhost", processes };
}

function write(path: string, lines: readonly string[]): void {
  Deno.writeTextFileSync(path, lines.join("\n") + "\n");
}

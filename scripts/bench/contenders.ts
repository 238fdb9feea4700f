/** The tunnels that are compared: each started as its manual says, on loopback, with its defaults. */
import { accepts, freePort, output, type Running, start, which } from "./process.ts";

/** A tunnel that runs. Requests go to `port` with `host` in the Host field. */
export interface Tunnel {
  readonly name: string;
  readonly port: number;
  readonly host: string;
  /** The public side first. Empty for the target itself. */
  readonly processes: readonly Running[];
}

const root = new URL("../../", import.meta.url).pathname;
const GRANTS = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-env"];

/** How each is started towards the target on `port`; null where its program is not on PATH. */
export const CONTENDERS: Record<string, (port: number, folder: string) => Promise<Tunnel | null>> = {
  connectd: async (port, folder) => {
    const state = `${folder}/hub`;
    const deno = ["deno", "run", ...GRANTS, `${root}mod.ts`];
    const hub = await start(
      "hub",
      [...deno, "hub", "--listen", "127.0.0.1:0", "--state", state, "--json"],
      /"ready":true/,
    );
    const url = (JSON.parse(hub.line) as { hub: string }).hub;
    const token = JSON.parse(
      await output([...deno, "token", "create", "--scope", "daemon", "--state", state, "--json"]),
    ) as { token: string };
    Deno.writeTextFileSync(`${folder}/token`, token.token, { mode: 0o600 });
    Deno.writeTextFileSync(
      `${folder}/links.yaml`,
      `version: 1\nhub: ${url}\ntoken_file: ./token\ncontrol: 127.0.0.1:0\nlinks:\n  bench:\n    target: localhost:${port}\n` +
        `    subdomain: bench\n    methods: [GET, POST, PUT]\n    paths: [/]\n    rate: 100000000/m\n`,
    );
    const daemon = await start("daemon", [
      ...deno,
      "run",
      "--config",
      `${folder}/links.yaml`,
      "--state",
      `${folder}/daemon`,
      "--json",
    ], /"ready":true/);
    const at = Number(new URL(url).port);
    return { name: "connectd", port: at, host: "bench.localhost", processes: [hub, daemon] };
  },
  rathole: async (port, folder) => {
    if (which("rathole") === null) return null;
    const [control, visitors] = [freePort(), freePort()];
    Deno.writeTextFileSync(
      `${folder}/rathole-server.toml`,
      `[server]\nbind_addr = "127.0.0.1:${control}"\ndefault_token = "bench"\n[server.services.web]\nbind_addr = "127.0.0.1:${visitors}"\n`,
    );
    Deno.writeTextFileSync(
      `${folder}/rathole-client.toml`,
      `[client]\nremote_addr = "127.0.0.1:${control}"\ndefault_token = "bench"\n[client.services.web]\nlocal_addr = "127.0.0.1:${port}"\n`,
    );
    const server = await start(
      "server",
      ["rathole", "--server", `${folder}/rathole-server.toml`],
      /[Ll]istening/,
    );
    const client = await start(
      "client",
      ["rathole", "--client", `${folder}/rathole-client.toml`],
      /Control channel established/,
    );
    await accepts(visitors);
    return { name: "rathole", port: visitors, host: "localhost", processes: [server, client] };
  },
  bore: async (port) => {
    if (which("bore") === null) return null;
    const visitors = freePort();
    const server = await start("server", ["bore", "server", "--bind-addr", "127.0.0.1"], /listening/);
    const client = await start("client", [
      "bore",
      "local",
      String(port),
      "--to",
      "127.0.0.1",
      "--port",
      String(visitors),
    ], /listening at/);
    return { name: "bore", port: visitors, host: "localhost", processes: [server, client] };
  },
  chisel: async (port) => {
    if (which("chisel") === null) return null;
    const [control, visitors] = [freePort(), freePort()];
    const server = await start("server", [
      "chisel",
      "server",
      "--host",
      "127.0.0.1",
      "--port",
      String(control),
      "--reverse",
    ], /Listening/);
    const client = await start("client", [
      "chisel",
      "client",
      `127.0.0.1:${control}`,
      `R:127.0.0.1:${visitors}:127.0.0.1:${port}`,
    ], /Connected/);
    await accepts(visitors);
    return { name: "chisel", port: visitors, host: "localhost", processes: [server, client] };
  },
  "frp http": (port, folder) => frp(port, folder, "http"),
  "frp tcp": (port, folder) => frp(port, folder, "tcp"),
  "ssh -R": async (port, folder) => {
    const sshd = which("sshd");
    if (sshd === null || which("ssh") === null) return null;
    const [control, visitors] = [freePort(), freePort()];
    await output(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${folder}/ssh-key`]);
    Deno.copyFileSync(`${folder}/ssh-key.pub`, `${folder}/ssh-authorized`);
    Deno.chmodSync(folder, 0o700);
    Deno.writeTextFileSync(
      `${folder}/sshd.conf`,
      `Port ${control}\nListenAddress 127.0.0.1\nHostKey ${folder}/ssh-key\nAuthorizedKeysFile ${folder}/ssh-authorized\n` +
        `StrictModes no\nPasswordAuthentication no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n`,
    );
    Deno.mkdirSync("/run/sshd", { recursive: true });
    const server = await start("server", [sshd, "-D", "-e", "-f", `${folder}/sshd.conf`], /listening on/);
    const client = await start("client", [
      ...[
        "ssh",
        "-v",
        "-N",
        "-p",
        String(control),
        "-i",
        `${folder}/ssh-key`,
        "-o",
        "StrictHostKeyChecking=no",
      ],
      ...[
        "-o",
        `UserKnownHostsFile=${folder}/ssh-known`,
        "-R",
        `127.0.0.1:${visitors}:127.0.0.1:${port}`,
        "127.0.0.1",
      ],
    ], /remote forward success/);
    return { name: "ssh -R", port: visitors, host: "localhost", processes: [server, client] };
  },
};

async function frp(port: number, folder: string, type: "http" | "tcp"): Promise<Tunnel | null> {
  if (which("frps") === null || which("frpc") === null) return null;
  const [control, visitors] = [freePort(), freePort()];
  const way = type === "http" ? `customDomains = ["bench.localhost"]` : `remotePort = ${visitors}`;
  Deno.writeTextFileSync(
    `${folder}/frps-${type}.toml`,
    `bindAddr = "127.0.0.1"\nproxyBindAddr = "127.0.0.1"\nbindPort = ${control}\n${
      type === "http" ? `vhostHTTPPort = ${visitors}\n` : ""
    }`,
  );
  Deno.writeTextFileSync(
    `${folder}/frpc-${type}.toml`,
    `serverAddr = "127.0.0.1"\nserverPort = ${control}\n[[proxies]]\nname = "web"\ntype = "${type}"\nlocalIP = "127.0.0.1"\nlocalPort = ${port}\n${way}\n`,
  );
  const server = await start("server", ["frps", "-c", `${folder}/frps-${type}.toml`], /started successfully/);
  const client = await start("client", ["frpc", "-c", `${folder}/frpc-${type}.toml`], /start proxy success/);
  return { name: `frp ${type}`, port: visitors, host: "bench.localhost", processes: [server, client] };
}

/**
 * The units as `connectd install` writes them, under a real systemd: with its sandbox, its notifications, its watchdog.
 * Needs root and a machine that lets it make containers.
 */
import { eventually, packaged } from "../../tests/e2e/rig.ts";
import type { Campaign, Report } from "./campaign.ts";
import { Machine } from "./systemd/machine.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DENO = "/usr/local/bin/deno";
const CONNECTD =
  `${DENO} run --no-prompt --allow-net --allow-read --allow-write --allow-env /opt/connectd/mod.ts`;
const FILE = "/etc/connectd/links.yaml";
const LINKS = `version: 1
links:
  echo: { target: echo }
  web: { target: "localhost:3000" }
  basic: { target: echo, auth: { basic: { file: ./users } } }
`;
/** alice: wonderland */
const USERS = "alice:$2y$05$WMWW1G0O1/5f5Vh8Z1ZJ7.7S7tDPgSKDUWQwRkgkiBBpzNRwlNpmy";

export const systemd: Campaign = {
  about: "the units under a systemd of their own: ready, reload, watchdog, sandbox",
  usual: { rounds: 3 },
  limitMs: ({ rounds }) => 180_000 + rounds * 60_000,
  async run({ rounds }, rig, report) {
    if (packaged("systemd-nspawn", "systemd-container") === null) return;
    if (Deno.uid() !== 0) return report.figure("left out: only root can make a machine");
    const machine = await Machine.boot(rig);
    const trial = new Trial(machine, report);
    await trial.install();
    await trial.sandbox();
    for (let n = 0; n < rounds; n++) await trial.round();
    await trial.narrow();
    await trial.hub();
    await trial.stop();
    await machine.off();
  },
};

class Trial {
  constructor(private readonly machine: Machine, private readonly report: Report) {}

  /** As an operator does: files in their places, `install`, then what it says. */
  async install(): Promise<void> {
    const { machine } = this;
    const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
    await machine.do(`
      mkdir -p /opt/connectd /etc/connectd /var/cache/connectd /srv/www
      cp ${Deno.execPath()} ${DENO}
      cp -r ${
      ["mod.ts", "deno.json", "deno.lock", "src", "config"].map((name) => ROOT + name).join(" ")
    } /opt/connectd/
      cp -r ${cache}/npm /var/cache/connectd/npm
      printf '%s' '${LINKS}' > ${FILE}
      printf '%s\\n' '${USERS}' > /etc/connectd/users
      echo from the target > /srv/www/index.html`);
    await machine.do(
      "systemd-run --unit=web python3 -m http.server 3000 --bind 127.0.0.1 --directory /srv/www",
    );
    await this.#follow(`${CONNECTD} install`);
    const { ActiveState, StatusText, Type } = await machine.show(
      "connectd",
      "ActiveState",
      "StatusText",
      "Type",
    );
    this.#is("installed and started", [Type, ActiveState, StatusText], [
      "notify",
      "active",
      "3 links: 3 active",
    ]);
    this.#is("the echo target", await this.#ask("echo"), "200");
    this.#is("a target by name", await this.#ask("web"), "200");
    this.#is("a wrong password", await this.#ask("basic", "-u alice:nope"), "401");
  }

  /** The kernel's word for it. */
  async sandbox(): Promise<void> {
    const { MainPID } = await this.machine.show("connectd", "MainPID");
    const status = await this.machine.do(`cat /proc/${MainPID}/status`);
    const value = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1];
    this.#is("capabilities", [value("CapEff"), value("CapBnd")], ["0".repeat(16), "0".repeat(16)]);
    this.#is("no new privileges, filtered calls", [value("NoNewPrivs"), value("Seccomp")], ["1", "2"]);
    this.#is("no root", value("Uid") === "0", false);
  }

  /** Reloads that are taken and refused, a kill, a loop that stands still, a file that is wrong at the start. */
  async round(): Promise<void> {
    const { machine } = this;
    await machine.do(`echo '  more: { target: echo }' >> ${FILE} && systemctl reload connectd`);
    await this.#settles("reloaded", "4 links: 4 active");
    await machine.do(`cp ${FILE} /tmp/good && echo 'links: [' >> ${FILE}`);
    this.#is("a reload of a bad file fails", (await machine.sh("systemctl reload connectd")).code, 1);
    await this.#settles("and changes nothing", "4 links: 4 active");
    this.#is("a start with a bad file fails", (await machine.sh("systemctl restart connectd")).code, 1);
    const failed = await machine.show("connectd", "ActiveState", "ExecMainStatus", "NRestarts");
    this.#is("and is not tried again", failed, {
      ActiveState: "failed",
      ExecMainStatus: "2",
      NRestarts: "0",
    });
    await machine.do(`printf '%s' '${LINKS}' > ${FILE} && systemctl start connectd`);
    await this.#settles("started", "3 links: 3 active");
    await this.#comesBack("killed", "systemctl kill -s KILL connectd");
    const drop = "/run/systemd/system/connectd.service.d";
    await machine.do(`mkdir -p ${drop} && printf '[Service]\\nWatchdogSec=2s\\n' > ${drop}/soon.conf`);
    await machine.do("systemctl daemon-reload && systemctl restart connectd");
    await this.#comesBack("stopped in its tracks", "systemctl kill -s STOP --kill-who=main connectd");
    await this.#comesBack("out of reach of its API", "rm /var/lib/connectd/control.sock");
    await machine.do(`rm -r ${drop} && systemctl daemon-reload && systemctl restart connectd`);
  }

  /** With the flags that `permissions` prints, and systemd's sandbox as before. */
  async narrow(): Promise<void> {
    const { machine } = this;
    const flags = await machine.do(`${CONNECTD} permissions --config ${FILE} --state /var/lib/connectd`);
    const start = `${DENO} run --cached-only ${
      flags.trim().replaceAll("\n", " ")
    } /opt/connectd/mod.ts run --config ${FILE}`;
    const drop = "/run/systemd/system/connectd.service.d";
    await machine.do(
      `mkdir -p ${drop} && printf '%s\\n' '[Service]' ExecStart= 'ExecStart=${start}' > ${drop}/narrow.conf`,
    );
    await machine.do("systemctl daemon-reload && systemctl restart connectd");
    this.#is("within narrow flags", await this.#ask("web"), "200");
  }

  async hub(): Promise<void> {
    const { machine } = this;
    await machine.do("printf '%s\\n' 'version: 1' 'listen: 127.0.0.1:8090' > /etc/connectd/hub.yaml");
    await this.#follow(`${CONNECTD} install --hub`);
    this.#is("a hub", await machine.do("curl -s http://127.0.0.1:8090/healthz"), '{"ok":true}');
  }

  async stop(): Promise<void> {
    await this.machine.do("systemctl stop connectd connectd-hub");
    for (const unit of ["connectd", "connectd-hub"]) {
      const ended = await this.machine.show(unit, "Result", "ExecMainStatus");
      this.#is(`${unit} ends`, ended, { Result: "success", ExecMainStatus: "0" });
    }
  }

  /** Does what `install` says is next, word for word. */
  async #follow(install: string): Promise<void> {
    const [, steps] = (await this.machine.do(install)).split("\nNext:\n");
    await this.machine.do(steps);
  }

  /** After `harm` systemd starts it once more, and it serves. */
  async #comesBack(what: string, harm: string): Promise<void> {
    const before = Number((await this.machine.show("connectd", "NRestarts")).NRestarts);
    await this.machine.do(harm);
    await eventually(
      () => this.machine.show("connectd", "NRestarts", "SubState"),
      ({ NRestarts, SubState }) => Number(NRestarts) > before && SubState === "running",
    );
    this.#is(`${what}, it comes back`, await this.#ask("echo"), "200");
  }

  async #settles(what: string, status: string): Promise<void> {
    const seen = await eventually(
      () => this.machine.show("connectd", "SubState", "StatusText"),
      ({ SubState, StatusText }) => SubState === "running" && StatusText === status,
    );
    this.#is(what, seen.StatusText, status);
  }

  /** The status that a visitor of the link `name` gets. */
  async #ask(name: string, flags = ""): Promise<string> {
    const list = JSON.parse(await this.machine.do(`${CONNECTD} list --json --state /var/lib/connectd`));
    const { host } = new URL(list.items.find((link: { name: string }) => link.name === name).url);
    return await this.machine.do(
      `curl -s -o /dev/null -w '%{http_code}' ${flags} -H 'Host: ${host}' http://127.0.0.1:${
        host.split(":")[1]
      }/`,
    );
  }

  #is(what: string, seen: unknown, expected: unknown): void {
    const [a, b] = [JSON.stringify(seen), JSON.stringify(expected)];
    if (a === b) this.report.figure(`${what}: ${a}`);
    else this.report.breaks(`${what}: ${a}, not ${b}`);
  }
}

/** A machine with a systemd of its own: this one's files under a layer that is thrown away, in a container without a network. */
import { eventually, type Rig, type Run } from "../../../tests/e2e/rig.ts";

/** Where the kernel keeps the groups of such a container; it leaves them behind. */
const GROUPS = ["systemd", "unified"].map((tree) => `/sys/fs/cgroup/${tree}/payload`);

/** By this variable its first process is known from here. */
const MARK = "CONNECTD_MACHINE";

export class Machine {
  private constructor(private readonly rig: Rig, private readonly pid: number) {}

  /** Boots it as far as basic.target. Root's to do. */
  static async boot(rig: Rig): Promise<Machine> {
    const root = `${rig.folder}/root`;
    Deno.mkdirSync(root);
    const script =
      `mount --make-rprivate / && mount --bind / "$1" && exec systemd-nspawn -D "$1" --machine="$2" \
      --setenv="${MARK}=$2" --volatile=overlay --register=no --keep-unit --private-network --link-journal=no \
      --console=pipe -b systemd.unit=basic.target`;
    const id = `connectd-${crypto.randomUUID()}`;
    rig.spawn("unshare", ["-m", "sh", "-c", script, "sh", root, id]);
    rig.atEnd(() => clearAway(id));
    const pid = (await eventually(() => Promise.resolve(firstProcess(id)), (pid) => pid !== null))!;
    const machine = new Machine(rig, pid);
    await eventually(
      () => machine.sh("systemctl is-active basic.target"),
      ({ stdout }) => stdout === "active\n",
    );
    return machine;
  }

  /** Runs a script in it to its end. */
  async sh(script: string): Promise<Run> {
    const args = ["--target", String(this.pid), "--all", "sh", "-c", `cd / && ${script}`];
    return await this.rig.spawn("nsenter", args, { HOME: "/root", DENO_DIR: "/var/cache/connectd" }).ended();
  }

  /** The same; throws where it fails. */
  async do(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.sh(script);
    if (code !== 0) throw new Error(`${script}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** What systemd knows of `unit`. */
  async show(unit: string, ...properties: string[]): Promise<Record<string, string>> {
    const text = await this.do(`systemctl show ${unit} -p ${properties.join(",")}`);
    // It has an order of its own.
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "";
    return Object.fromEntries(properties.map((name) => [name, value(name)]));
  }

  /** Powers it off. */
  async off(): Promise<void> {
    await this.sh("systemctl poweroff --force");
  }
}

/** The first process of the container `id`, as it is numbered here. */
function firstProcess(id: string): number | null {
  for (const { name } of Deno.readDirSync("/proc")) {
    try {
      if (!/^\d+$/.test(name) || !Deno.readTextFileSync(`/proc/${name}/environ`).includes(`${MARK}=${id}`)) {
        continue;
      }
      if (/^NSpid:.*\t1$/m.test(Deno.readTextFileSync(`/proc/${name}/status`))) return Number(name);
    } catch {
      // It has ended meanwhile, or was never ours to look at.
    }
  }
  return null;
}

/** The container outlives what holds it when that is killed: it is ended, then what was kept of it. */
async function clearAway(id: string): Promise<void> {
  const pid = firstProcess(id);
  if (pid !== null) Deno.kill(pid, "SIGKILL");
  await eventually(() => Promise.resolve(firstProcess(id)), (pid) => pid === null);
  const args = [...GROUPS, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"];
  const removed = new Deno.Command("find", { args, stdout: "null", stderr: "null" });
  await eventually(
    async () => (await removed.output(), GROUPS.filter(isThere)),
    ({ length }) => length === 0,
  );
  const mounts = `/run/systemd/nspawn/propagate/${id}`;
  if (isThere(mounts)) Deno.removeSync(mounts);
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

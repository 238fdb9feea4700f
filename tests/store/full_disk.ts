/** Run on a small disk of its own by access_log_test.ts: prints what became of an access log while the disk was full. */
import { systemClock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import { AccessLog } from "../../src/store/access_log.ts";

const [folder] = Deno.args;
const said: string[] = [];
const log = new AccessLog({
  folder,
  name: "access",
  clock: systemClock,
  log: createLog({ format: "json", write: (line) => said.push(line) }),
  keepMs: 86_400_000,
});

let id = 0;
async function add(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const rest = { status: 200, code: null, bytesIn: 0, bytesOut: 0, ms: 0 };
    log.add({
      ...{ id: String(++id), at: Date.now(), link: "web", address: "::1", method: "GET", target: "/" },
      ...rest,
    });
  }
  await log.flush();
}

const text = () => Deno.readTextFileSync(`${folder}/access.log`);
await Deno.writeFile(`${folder}/ballast`, new Uint8Array(200_000));
await add(100);
for (let i = 0; i < 10; i++) await add(150);
const full = text().lastIndexOf("\n") + 1;
Deno.removeSync(`${folder}/ballast`);
await add(1);
await log.close();
const ids = text().split("\n").slice(0, -1).map((line) => Number(JSON.parse(line).id));
console.log(JSON.stringify({ full, ids, said: said.map((line) => JSON.parse(line)) }));

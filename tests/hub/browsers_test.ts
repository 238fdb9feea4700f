/** Who is signed in at the dashboard stays so while the hub restarts, and nobody else is. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { TestClock } from "../../src/clock.ts";
import { latin1 } from "../../src/core/latin1.ts";
import { Browser } from "./browser.ts";
import { HubRig, pass } from "./rig.ts";

const HOUR = 3_600_000;

/** What the hub answers to each of them. */
async function statuses(...browsers: Browser[]): Promise<number[]> {
  return await Promise.all(browsers.map(async (browser) => (await browser.get("/")).status));
}

/** Ends the hub and starts another on what it left, at the same place. */
async function restart(rig: HubRig, options = {}): Promise<void> {
  const { port } = rig.hub.address;
  await rig.hub.close();
  await rig.begin({ listen: { hostname: "127.0.0.1", port }, ...options });
}

Deno.test("who is signed in stays so over a restart; who signed out, or whose token ended, is not", async () => {
  await using rig = await HubRig.start();
  const kept = await Browser.signedIn(rig), left = await Browser.signedIn(rig);
  const token = await rig.token("viewer");
  const ended = new Browser(rig);
  await ended.signIn(token);
  await left.post("/sign-out");
  assert.deepEqual(await statuses(kept, left, ended), [200, 401, 200]);
  await restart(rig);
  assert.deepEqual(await statuses(kept, left, ended), [200, 401, 200]);
  await rig.hub.tokens.revoke(rig.hub.tokens.identify(`Bearer ${token}`)!.token!, null);
  assert.deepEqual(await statuses(kept, left, ended), [200, 401, 401]);
  await restart(rig);
  assert.deepEqual(await statuses(kept, left, ended), [200, 401, 401]);
});

Deno.test("a session ends after 12 hours, counted over restarts, and no clock that is set back revives it", async () => {
  const clock = new TestClock(Date.now());
  await using rig = await HubRig.start({ clock });
  const browser = await Browser.signedIn(rig);
  clock.jump(11 * HOUR);
  await restart(rig, { clock });
  assert.deepEqual(await statuses(browser), [200]);
  clock.jump(2 * HOUR);
  // Nobody looks meanwhile: the hub notices by itself.
  await pass(clock, 1_000);
  clock.jump(-2 * HOUR);
  assert.deepEqual(await statuses(browser), [401]);
  await restart(rig, { clock });
  assert.deepEqual(await statuses(browser), [401]);
});

Deno.test("while the disk is full a token still opens the dashboard, until the hub ends", async () => {
  await using rig = await HubRig.start();
  const token = await rig.token("viewer"), before = await Browser.signedIn(rig);
  rig.diskFull = true;
  const browser = new Browser(rig);
  assert.equal((await browser.signIn(token)).status, 303);
  assert.deepEqual(await statuses(browser, before), [200, 200]);
  rig.diskFull = false;
  await restart(rig);
  assert.deepEqual(await statuses(browser, before), [401, 200]);
});

Deno.test("what a hub keeps of a browser signs nobody in", async () => {
  await using rig = await HubRig.start();
  const browser = await Browser.signedIn(rig);
  const secret = browser.cookie.split("=")[1];
  const kept = [...Deno.readDirSync(rig.folder)]
    .filter(({ isFile, name }) => isFile && name.startsWith("hub.db"))
    .map(({ name }) => latin1(Deno.readFileSync(`${rig.folder}/${name}`))).join();
  const digest = createHash("sha256").update(secret).digest("base64url");
  assert.deepEqual([kept.includes(digest), kept.includes(secret)], [true, false]);
  browser.cookie = browser.cookie.replace(secret, digest);
  assert.deepEqual(await statuses(browser), [401]);
});

/** A backup by the API: what fails fails in words, and leaves nothing. */
import assert from "node:assert/strict";
import { HubRig } from "./rig.ts";

Deno.test("one backup at a time; one that can not be made says why, and the next one can", async () => {
  await using rig = await HubRig.start();
  const backup = () => rig.api("POST", "/v1/backup", undefined, undefined, rig.hub.socket!);
  const answers = await Promise.all([backup(), backup(), backup()]);
  const statuses = answers.map(({ status }) => status);
  assert.ok(
    statuses.includes(200) && statuses.every((status) => status === 200 || status === 409),
    `${statuses}`,
  );
  for (const { status, json, head, body } of answers) {
    if (status === 409) assert.equal(json.code, "busy");
    else {
      assert.ok(body.startsWith("SQLite format 3\0"));
      assert.match(head, new RegExp(`^content-length: ${body.length}\r$`, "im"));
    }
  }
  // Something that can't be written to is in its way.
  Deno.mkdirSync(`${rig.folder}/snapshot.db/x`, { recursive: true });
  const failed = await backup();
  assert.ok(failed.status >= 500, failed.body);
  Deno.removeSync(`${rig.folder}/snapshot.db`, { recursive: true });
  assert.equal((await backup()).status, 200);
  assert.deepEqual([...Deno.readDirSync(rig.folder)].filter(({ name }) => name.startsWith("snapshot")), []);
});

Deno.test("what the store says of a full disk is told to whoever asked for the backup", async () => {
  await using rig = await HubRig.start();
  rig.diskFull = true;
  const { status, json } = await rig.api("POST", "/v1/backup", undefined, undefined, rig.hub.socket!);
  assert.deepEqual([status, json.code], [503, "store_unavailable"]);
  assert.match(json.detail, /No copy can be made: the disk is full/);
});

import assert from "node:assert/strict";

Deno.test("what nobody caught is logged with where it came from, and the process goes on", async () => {
  const defects = new URL("../../src/cli/defects.ts", import.meta.url),
    log = new URL("../../src/log.ts", import.meta.url);
  const program = `
    import { surviveDefects } from "${defects}";
    import { createLog } from "${log}";
    surviveDefects(createLog());
    setTimeout(() => { throw new Error("from a timer"); });
    setTimeout(() => void Promise.reject(new Error("from a promise")));
    setTimeout(() => console.log("still here"), 20);
  `;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "data:application/typescript," + encodeURIComponent(program)],
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stderr);
  assert.equal(code, 0, said);
  assert.equal(new TextDecoder().decode(stdout), "still here\n");
  for (const origin of ["timer", "promise"]) {
    assert.match(
      said,
      new RegExp(`error a defect, please report it error="Error: from a ${origin}\\\\n +at `),
    );
  }
});

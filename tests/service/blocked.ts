/** connectd, with a loop that can be blocked: SIGUSR2 blocks it for as long as the file of $BLOCKED is there. */
import { existsSync } from "node:fs";
import { main } from "../../src/cli/main.ts";

Deno.addSignalListener("SIGUSR2", () => {
  console.log("blocked");
  while (existsSync(Deno.env.get("BLOCKED")!));
});
Deno.exit(await main(Deno.args));

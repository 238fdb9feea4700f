/** `connectd version`. */
import { VERSION } from "../core/version.ts";
import { JSON_FLAG } from "./reach.ts";
import { out, outJson } from "./print.ts";
import { on, type Verb } from "./verb.ts";

export const version: Verb = {
  name: "version",
  count: [0, 0],
  summary: "Prints the version of connectd and of what it runs on.",
  flags: [JSON_FLAG],
  run(given) {
    const { deno, v8 } = Deno.version;
    if (on(given, "json")) outJson({ connectd: VERSION, deno, v8, os: Deno.build.os, arch: Deno.build.arch });
    else out(`connectd ${VERSION} (Deno ${deno}, ${Deno.build.os} ${Deno.build.arch})`);
    return Promise.resolve(0);
  },
};

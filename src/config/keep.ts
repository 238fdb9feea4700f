/** How long the access log is kept: `keep.access_log` of both files. */
import { KEEP_ACCESS_MS } from "../core/limits.ts";
import type { Read, Reader } from "./schema.ts";
import { duration } from "./values.ts";
import { wrongType } from "./wording.ts";

const DAY_MS = 86_400_000;

/** A duration in ms; null: `none`. Files begin by the day, and go by the day. */
const daysOrNone: Reader<number | null> = {
  shape: { ...duration.shape, pattern: `^none$|${duration.shape.pattern}` },
  wants: "a duration such as 30d, or none",
  read(node, context, owner) {
    if (node.kind === "text" && node.text === "none") return null;
    if (!duration.shape.kinds.includes(node.kind)) return wrongType(node, daysOrNone.wants, context);
    const ms = duration.read(node, context, owner);
    if (ms === undefined || ms >= DAY_MS) return ms;
    context.report(node.at, {
      code: "bad_value",
      message: "an access log is kept for 1d at least, or `none`",
    });
  },
};

/** The key of `keep` that both files have. */
export const ACCESS_LOG_KEY = {
  access_log: {
    reader: daysOrNone,
    doc:
      "How long lines of the access log are kept, from 1d on, of 256 MiB at most; `none`: none is written. " +
      "The default is 30d.",
  },
} as const;

/** How long it is kept, in ms; null: none is written. */
export function accessKept(keep: Read<typeof ACCESS_LOG_KEY> | undefined): number | null {
  return keep?.access_log === undefined ? KEEP_ACCESS_MS : keep.access_log.value;
}

/** What a workspace may have: `limits.workspace` and `workspaces` of hub.yaml. */
import { checkName } from "../core/names.ts";
import type { Rate } from "../core/units.ts";
import type { AllWorkspaceLimits, WorkspaceLimits } from "../core/workspace_limits.ts";
import { either, integer, map, mapping, named, type Read, type Reader, text } from "./schema.ts";
import { rate } from "./values.ts";

/** `none`: a workspace of its own has no such limit, though each other has. */
const none: Reader<null> = map(
  text({ wants: "none", code: "bad_value", pattern: "^none$" }, (written) => {
    if (written !== "none") throw new SyntaxError(`${JSON.stringify(written)} is neither a number nor none`);
    return written;
  }),
  () => null,
);

const count: Reader<number | null> = either<number | null>("a number, or none", integer(1, 1_000_000), none);

const requests: Reader<Rate | null> = {
  shape: { ...rate.shape, pattern: "^none$|^[0-9]+(?:/[smhd])?(?: burst [0-9]+)?$" },
  wants: "a rate such as 6000/m, or none",
  read(node, context, owner) {
    if (node.kind === "text" && node.text === "none") return null;
    const read = rate.read(node, context, owner);
    if (read === undefined || !read.perIp) return read;
    context.report(node.at, {
      code: "bad_rate",
      message: "this rate is of a whole workspace: leave `per ip` out",
    });
  },
};

/** Keys of `limits.workspace`, and of each workspace in `workspaces`. */
export const WORKSPACE_KEYS = {
  links: { reader: count, doc: "Links that have not ended. Absent: no limit of its own." },
  sessions: {
    reader: count,
    doc: "Connections of its daemons and members; a daemon has two, and twice as many while it moves over.",
  },
  streams: { reader: count, doc: "Requests in flight, and connections to its services." },
  requests: { reader: requests, doc: "Requests of visitors to all of its links together, as in `6000/m`." },
} as const;

/** The limits of one. */
export const workspace = mapping("a mapping such as { links: 100, requests: 6000/m }", WORKSPACE_KEYS);

/** Those of several, by name. */
export const workspaces = named(
  "a mapping of workspaces",
  { check: checkName, pattern: "^[a-z0-9][a-z0-9-]{0,62}$" },
  workspace,
);

type Keys = Read<typeof WORKSPACE_KEYS>;

/** What was read, with nothing for what was not. */
export function workspacesOf(
  each: Keys | undefined,
  named: ReadonlyMap<string, { readonly value: Keys | undefined }> | undefined,
): AllWorkspaceLimits {
  const all = limitsOf(each ?? {});
  return {
    each: { links: null, sessions: null, streams: null, requests: null, ...all },
    named: new Map([...named ?? []].map(([name, { value }]) => [name, limitsOf(value ?? {})])),
  };
}

function limitsOf(keys: Keys): Partial<WorkspaceLimits> {
  return Object.fromEntries(
    Object.entries(keys).map(([key, found]) => [key, found!.value]),
  ) as Partial<WorkspaceLimits>;
}

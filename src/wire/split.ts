/** Declarations of any number of links, in messages that are small enough. */
import { Failure } from "../core/errors.ts";
import { MAX_CONTROL } from "./control.ts";
import type { Hello, LinkDecl, Links } from "./hello.ts";

/** So many removals, of names and ids as long as they get, take a third of a message. */
const REMOVALS = 2000;

const encoder = new TextEncoder();

/** The messages that declare `hello.links`: the hello, and `links` messages for what does not fit. Throws Failure as `splitLinks`. */
export function splitHello(hello: Hello): [Hello, ...Links[]] {
  const [first, ...rest] = parts(hello.links, { ...hello, links: [] });
  const messages = rest.map((set): Omit<Links, "more"> => ({
    type: "links",
    revision: hello.revision,
    set,
    remove: [],
  }));
  return [
    { ...hello, links: first, more: rest.length > 0 },
    ...messages.map((message, i) => ({ ...message, more: i < messages.length - 1 })),
  ];
}

/** The messages that make up `change`. Throws Failure where one link alone is too large to be declared. */
export function splitLinks(change: Links): Links[] {
  const first: Links[] = [];
  let remove = change.remove;
  for (; remove.length > REMOVALS; remove = remove.slice(REMOVALS)) {
    first.push({ ...change, set: [], remove: remove.slice(0, REMOVALS), more: true });
  }
  // Each of them has room for what the first one removes; the others remove nothing.
  const sets = parts(change.set, { ...change, set: [], remove });
  const rest = sets.map((set, i) => ({
    ...change,
    set,
    remove: i === 0 ? remove : [],
    more: i < sets.length - 1,
  }));
  return [...first, ...rest];
}

/** `links` in runs that fit into a message beside `rest`; one run at least. */
function parts(links: readonly LinkDecl[], rest: object): [LinkDecl[], ...LinkDecl[][]] {
  const most = MAX_CONTROL - size(rest);
  const runs: [LinkDecl[], ...LinkDecl[][]] = [[]];
  let run = runs[0], left = most;
  for (const link of links) {
    // The comma after it.
    const octets = size(link) + 1;
    if (octets > most) {
      throw new Failure(`the policy of link ${link.name} is too large to be told to a hub`, {
        hint: "write fewer or shorter paths",
        permanent: true,
      });
    }
    if (octets > left) {
      runs.push(run = []);
      left = most;
    }
    run.push(link);
    left -= octets;
  }
  return runs;
}

function size(value: object): number {
  return encoder.encode(JSON.stringify(value)).length;
}

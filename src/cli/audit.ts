/** `connectd audit`: what happened, who did it, and whether anybody touched the trail since. */
import { type AuditJson, isHead } from "../api/audit.ts";
import type { SignedHead, Verdict } from "../core/audit.ts";
import { isFile } from "./find.ts";
import { complain, out, outJson, table } from "./print.ts";
import { ADDRESS_FLAGS, CA_FLAG, HUB_FLAG, JSON_FLAG } from "./reach.ts";
import { withTrail } from "./trail.ts";
import { type Given, on, parsed, text, UsageError, type Verb } from "./verb.ts";

/** A screen or two. */
const LIMIT = 50;

/** So many records are looked at for which types there are. */
const LOOKED_AT = 1000;
const ANY = { limit: LOOKED_AT, type: null, link: null };

export const audit: Verb = {
  name: "audit",
  words: "[HEAD]",
  count: [0, 1],
  summary: "Shows the audit trail of a daemon or a hub, the newest record first, or checks it.",
  more:
    "`--verify` exits 1 where a record was edited, dropped, inserted or moved, and says which is the first.\n" +
    "`--head` prints where the trail stands, signed: kept on another machine (connectd audit --head >> heads), it shows\n" +
    "later that nothing up to there was made anew or cut off: connectd audit --verify --head heads (a file, or the text).\n" +
    "Where neither daemon nor hub runs, the store in the state directory is read.",
  flags: [
    {
      name: "type",
      value: "TYPE",
      help: "only records of this type, as in link.revoked, or below it, as in link",
    },
    { name: "link", value: "LINK", help: "only records of this link: its name, at a hub its id" },
    { name: "limit", value: "N", help: `so many records at most (default ${LIMIT})` },
    { name: "verify", help: "check the chain" },
    { name: "head", help: "print a signed head; with --verify: check against HEAD, too" },
    { ...HUB_FLAG, help: "ask this hub, with an admin's token for --verify and --head" },
    CA_FLAG,
    ...ADDRESS_FLAGS,
    JSON_FLAG,
  ],
  async run(given) {
    const verify = on(given, "verify"), head = on(given, "head"), json = on(given, "json");
    const heads = readHeads(given);
    const limit = parsed(given, "limit", readLimit) ?? LIMIT;
    const search = { limit, type: text(given, "type"), link: text(given, "link") };
    if ((verify || head) && ["type", "link", "limit"].some((name) => given.flags[name] !== undefined)) {
      throw new UsageError(
        `--type, --link and --limit are for the list, not for --${verify ? "verify" : "head"}`,
      );
    }
    return await withTrail(given, async (desk) => {
      if (verify) return report(await desk.verify(heads), heads.length, json);
      if (head) {
        // One line: it is appended to a file.
        out(JSON.stringify(await desk.head()));
        return 0;
      }
      const items = await desk.list(search);
      if (json) outJson({ items, nextCursor: null });
      else out(table(["seq", "time", "type", "subject", "by", ""], items.map(row), "no such records"));
      if (items.length === 0 && search.type !== null) tellTypes(await desk.list(ANY));
      return 0;
    });
  },
};

/** Says which types there are, where none is what was asked for. */
function tellTypes(records: readonly AuditJson[]): void {
  const types = new Set(records.flatMap(({ type }) => type ?? []));
  if (types.size > 0) complain(`  there are ${[...types].sort().join(", ")} among the last ${LOOKED_AT}`);
}

function readLimit(written: string): number {
  if (/^\d{1,6}$/.test(written) && Number(written) > 0) return Number(written);
  throw new SyntaxError(`${JSON.stringify(written)} is no number from 1 to 999999`);
}

/** The heads of HEAD: a file with one a line, or one as text. Throws UsageError. */
function readHeads({ words: [word], flags }: Given): SignedHead[] {
  if (flags.verify !== true || flags.head !== true) {
    if (word === undefined) return [];
    throw new UsageError(`\`audit\` takes a word like ${JSON.stringify(word)} only with --verify --head`);
  }
  if (word === undefined) {
    throw new UsageError("`audit --verify --head` needs HEAD: a file, or the text of a head");
  }
  if (!word.startsWith("{") && !isFile(word)) throw new UsageError(`there is no file ${word}`);
  const written = word.startsWith("{") ? word : Deno.readTextFileSync(word);
  return written.split("\n").filter((line) => line.trim() !== "").map((line, i) => {
    try {
      const head: unknown = JSON.parse(line);
      if (isHead(head)) return head;
    } catch {
      // Said below.
    }
    throw new UsageError(`line ${i + 1} of the heads is none`, {
      hint: "a head is the one line that `connectd audit --head` prints",
    });
  });
}

function row({ seq, at, type, subject, actor, data }: AuditJson): string[] {
  const known = (value: string | null) => value ?? "?";
  return [String(seq), known(at), known(type), known(subject), known(actor), printData(data)];
}

/** `code=path_denied n=3`, without what is not there; what is long is for `--json`. */
function printData(data: unknown): string {
  if (typeof data !== "object" || data === null) return "?";
  return Object.entries(data).filter(([, value]) => value !== null && value !== "").map(([name, value]) =>
    `${name}=${typeof value === "string" ? value : JSON.stringify(value, (_key, part) => part ?? undefined)}`
  ).join(" ").slice(0, 100);
}

function report(verdict: Verdict, heads: number, json: boolean): number {
  const { ok, records, first, last, hash, unchecked, broken } = verdict;
  if (json) outJson(verdict);
  else if (broken === null) {
    const which = records === 0 ? "no record yet" : `${records} records, ${first} to ${last}`;
    out(`the trail is whole: ${which}\nhead ${last ?? 0} ${hash}`);
    if (heads > 0) out(`${heads - unchecked} of ${heads} heads checked`);
  } else {
    complain(`connectd: the trail is broken: ${broken.detail}`);
    complain(
      first === null
        ? "  nothing before that can be vouched for"
        : `  records ${first} to ${last} are as they were written; what comes after can not be vouched for`,
    );
  }
  return ok ? 0 : 1;
}

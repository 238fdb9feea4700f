/** Why a file can't be used, in words for people: sqlite's and the system's are for those who know them. */
const REASONS: readonly [pattern: RegExp, what: string, hint: string][] = [
  [/disk is full|No space left/i, "the disk is full", "free some space; what was stored before is safe"],
  [
    /readonly|read-only|Permission denied/i,
    "it can not be written",
    "check who owns it and its folder, and whether its file system is read-only",
  ],
  [/database is locked/, "another program holds it", "end that program, or give this one a store of its own"],
  [/not a database|malformed/, "it is damaged or no database", "restore it from a backup, or move it away"],
  [
    /newer connectd/,
    "it was made by a newer connectd",
    "run that version, or restore a backup that this one made",
  ],
  [/no table of values/, "it is no store of a hub", "name a file that `connectd hub backup` wrote"],
  [/No such file/, "its folder does not exist", "make the folder, or name another file"],
];

/** What `words` mean and what to do; `hint` absent: nothing that is known here. */
export function reasonOf(words: string): { readonly what: string; readonly hint?: string } {
  for (const [pattern, what, hint] of REASONS) {
    if (pattern.test(words)) return { what, hint };
  }
  return { what: words };
}

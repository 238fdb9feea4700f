/** What lies in an auth file, and with its line what is wrong there. */

/** One thing that is wrong in an auth file; `line` counts from 1. */
export interface AuthFileProblem {
  readonly line: number;
  readonly message: string;
}

/** A bearer token shorter than this many bytes could be guessed. */
const TOKEN_MIN = 16;

/** Above cost 17 (all that `htpasswd -C` can make) one attempt would hold up every other for half a minute. */
const BCRYPT = /^\$2[yb]\$(0[4-9]|1[0-7])\$[./A-Za-z0-9]{53}$/;

/** The users of an htpasswd file with bcrypt lines, by name. Empty lines and `#` comments are skipped. */
export function readHtpasswd(text: string): { users: Map<string, string>; problems: AuthFileProblem[] } {
  const users = new Map<string, string>();
  const problems: AuthFileProblem[] = [];
  for (const [line, content] of lines(text)) {
    const colon = content.indexOf(":");
    const user = content.slice(0, colon), hash = content.slice(colon + 1);
    if (colon < 1) problems.push({ line, message: "expected `user:hash`, as `htpasswd -B` writes it" });
    else if (!BCRYPT.test(hash)) problems.push({ line, message: describe(hash) });
    else if (users.has(user)) problems.push({ line, message: `the user \`${user}\` stands here twice` });
    else users.set(user, hash);
  }
  if (users.size === 0 && problems.length === 0) {
    problems.push({ line: 1, message: "the file names no user: add one with `htpasswd -B`" });
  }
  return { users, problems };
}

/** The tokens of a bearer file, one a line. Empty lines and `#` comments are skipped. */
export function readTokens(text: string): { tokens: string[]; problems: AuthFileProblem[] } {
  const tokens: string[] = [];
  const problems: AuthFileProblem[] = [];
  for (const [line, token] of lines(text)) {
    // RFC 6750 §2.1: what can stand after `Bearer `; anything else no visitor could ever send.
    if (!/^[\x21-\x7e]+$/.test(token)) {
      problems.push({ line, message: "a token is visible ASCII without spaces" });
    } else if (token.length < TOKEN_MIN) {
      problems.push({
        line,
        message: `a token has at least ${TOKEN_MIN} bytes: make one with \`openssl rand -hex 24\``,
      });
    } else tokens.push(token);
  }
  if (tokens.length === 0 && problems.length === 0) {
    problems.push({
      line: 1,
      message: "the file holds no token: write one a line, as `openssl rand -hex 24` makes it",
    });
  }
  return { tokens, problems };
}

/** The numbered lines that say something. */
function* lines(text: string): Generator<[number, string]> {
  let number = 0;
  for (const line of text.replace(/^\ufeff/, "").split(/\r?\n/)) {
    number++;
    const content = line.trim();
    if (content !== "" && !content.startsWith("#")) yield [number, content];
  }
}

/** Why `hash` is not taken. It is never printed: it may be a password in clear. */
function describe(hash: string): string {
  if (/^\$2[yb]\$(1[89]|2\d|3[01])\$/.test(hash)) {
    return "a bcrypt cost above 17 takes too long; make it anew with `htpasswd -B`";
  }
  if (/^\$2[abxy]\$/.test(hash)) return "not a whole bcrypt hash of the form `$2y$` or `$2b$`";
  return "only bcrypt is taken; make the line with `htpasswd -B`";
}

/** The way in, by a token that is pasted once, and the way out. */
import { readForm, seeOther } from "../../api/form.ts";
import { readCookie, writeCookie } from "../../api/secrets.ts";
import { Command, Notice } from "../../pages/parts.tsx";
import { type ApiContext, READERS } from "../api_operation.ts";
import type { Board } from "./board.ts";
import { showOutside } from "./frame.tsx";

export function signInPage(context: ApiContext, board: Board, port: number): Response {
  if (board.signed.find(context, port) !== null) return seeOther("/");
  return signInAnswer(context, board, "/", null, 200);
}

/** `POST /sign-in`: the token is looked at and forgotten; what the browser gets instead is good here alone, and for a day's work. */
export async function signIn(
  context: ApiContext,
  board: Board,
  port: number,
  origin: string,
): Promise<Response> {
  const { tokens, failures, audit } = board.state;
  const { address } = context.env;
  const form = await readForm(context);
  const next = pathIn(form.get("next") ?? "/", origin);
  const identity = tokens.identify(`Bearer ${(form.get("token") ?? "").trim()}`);
  if (identity === null) {
    audit.refusedCall("unauthorized", address);
    const problem = failures.wrongToken(address);
    if (problem !== null) throw problem;
    return signInAnswer(context, board, next, "This is no token that is valid here.", 401);
  }
  if (!READERS.includes(identity.scope)) {
    const told = `A token of scope ${identity.scope} opens no dashboard.`;
    return signInAnswer(context, board, next, told, 403);
  }
  audit.signedIn(identity, address);
  const answer = seeOther(next);
  answer.headers.append("Set-Cookie", writeCookie(await board.state.browsers.signIn(identity), port));
  return answer;
}

/** `POST /sign-out` */
export async function signOut(context: ApiContext, board: Board, port: number): Promise<Response> {
  const secret = readCookie(context.req.header("Cookie"), port);
  if (secret !== null) await board.state.browsers.signOut(secret);
  const answer = seeOther("/sign-in");
  answer.headers.append("Set-Cookie", writeCookie(null, port));
  return answer;
}

/** The page with the form. `next`: where it leads. */
export function signInAnswer(
  context: ApiContext,
  { state }: Board,
  next: string,
  wrong: string | null,
  status: number,
): Response {
  const elsewhere = !["same-origin", "none", undefined].includes(context.req.header("Sec-Fetch-Site"));
  const body = (
    <>
      <h1>Sign in</h1>
      {wrong !== null && (
        <Notice tone="bad">
          <p>{wrong}</p>
        </Notice>
      )}
      {state.tokens.any
        ? <Form next={next} wrong={wrong !== null} />
        : state.folder === null
        ? <Within />
        : <FirstToken />}
      {elsewhere && (
        <p>
          A browser that is signed in and came here from elsewhere goes on <a href={next}>from here</a>.
        </p>
      )}
    </>
  );
  return showOutside(state.clock.now(), "Sign in", body, status);
}

function Form({ next, wrong }: { next: string; wrong: boolean }) {
  return (
    <>
      <form method="post" action="/sign-in" class="row end">
        <input type="hidden" name="next" value={next} />
        <label>
          Token
          <input
            type="password"
            name="token"
            placeholder="connectd_…"
            required
            autocomplete="off"
            size={40}
            aria-invalid={wrong ? "true" : undefined}
          />
        </label>
        <button type="submit" class="main">Sign in</button>
      </form>
      <p>
        The token itself is not kept: the browser gets a session that ends after 12 hours, or with the token.
        On the hub's machine this makes one, with the hub's own <code>--state</code> where it has one:
      </p>
      <Command text="connectd token create --scope viewer" />
    </>
  );
}

/** A daemon's own hub has one user, who is at the daemon's page already. */
function Within() {
  return (
    <>
      <p>
        This hub is part of a daemon, and has no tokens. Its links are on the daemon's own page, which this
        opens:
      </p>
      <Command text="connectd ui" />
    </>
  );
}

function FirstToken() {
  return (
    <>
      <p>
        This hub has no token yet. Whoever looks after it makes the first one on its machine, with the hub's
        own <code>--state</code> where it has one:
      </p>
      <Command text="connectd token create --scope admin" />
    </>
  );
}

/** A path of our own, whatever was sent: a form must not lead to another site. */
function pathIn(next: string, origin: string): string {
  const url = URL.parse(next, origin);
  return url?.origin === origin ? url.pathname + url.search : "/";
}

/** Where a page that was refused goes on after signing in. */
export function nextOf({ req }: ApiContext): string {
  if (req.method !== "GET") return "/";
  const { pathname, search } = new URL(req.url);
  return pathname + search;
}

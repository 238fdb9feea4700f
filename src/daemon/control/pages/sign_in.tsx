/** The way in and out of the page, and what stands before it. */
import { seeOther } from "../../../api/form.ts";
import { ApiProblem } from "../../../api/problem.ts";
import { readCookie, writeCookie } from "../../../api/secrets.ts";
import { Command, Notice } from "../../../pages/parts.tsx";
import { PAGE_NAME } from "../guard.ts";
import { problemTitle } from "../../../pages/words.ts";
import type { ControlState } from "../state.ts";
import { type Call, show } from "./frame.tsx";

/** `GET /sign-in?key=…`: opens a session and leads on, so that the key stays in no history and no Referer. */
export function signIn(context: Call, { sessions, audit }: ControlState): Response {
  const { name, port } = calledBy(context);
  if (name !== PAGE_NAME) {
    throw new ApiProblem(421, "wrong_host", `The page is on http://${PAGE_NAME}:${port} only.`);
  }
  // HEAD is what looks a URL over before a person opens it: it must not use the key up.
  const key = context.req.raw.method === "GET" ? context.req.query("key") : undefined;
  const secret = key === undefined ? null : sessions.open(key);
  if (secret === null) {
    throw new ApiProblem(401, "sign_in_expired", "This address is used up, or older than a minute.");
  }
  audit.login();
  const answer = seeOther("/");
  answer.headers.append("Set-Cookie", writeCookie(secret, port));
  answer.headers.append("Referrer-Policy", "no-referrer");
  return answer;
}

/** `POST /sign-out` */
export function signOut(context: Call, state: ControlState): Response {
  const { port } = calledBy(context);
  const secret = readCookie(context.req.header("Cookie"), port);
  if (secret !== null) state.sessions.close(secret);
  const answer = seeOther("/");
  answer.headers.append("Set-Cookie", writeCookie(null, port));
  return answer;
}

/** The page for a call that is refused. */
export function problemPage(context: Call, state: ControlState, problem: ApiProblem): Response {
  const outside = problem.status === 401 || problem.status === 421;
  const answer = show(context, state, {
    title: problem.status === 401 ? "Sign in" : problemTitle(problem.status),
    current: null,
    status: problem.status,
    ...(outside ? { outside } : {}),
    body: problem.status === 401
      ? <WayIn sentence={problem.code === "unauthorized" ? "Nobody is signed in here." : problem.message} />
      : <Wrong problem={problem} requestId={context.env.requestId} />,
  });
  answer.headers.set("X-Request-Id", context.env.requestId);
  return answer;
}

function WayIn({ sentence }: { sentence: string }) {
  return (
    <>
      <h1>Sign in</h1>
      <p>{sentence} In a terminal on this machine, type:</p>
      <Command text="connectd ui" />
      <p>
        It prints an address that opens this page, once and within a minute. A browser that is signed in and
        came here from elsewhere goes on <a href="/">from here</a>.
      </p>
    </>
  );
}

function Wrong({ problem, requestId }: { problem: ApiProblem; requestId: string }) {
  return (
    <>
      <h1>{problemTitle(problem.status)}</h1>
      <Notice tone="bad">
        <p>{problem.message}</p>
        {problem.errors.map(({ pointer, detail }) => <p>{pointer.slice(1)} {detail}</p>)}
      </Notice>
      <p>
        <a href="/">All links</a>
      </p>
      <small class="mono">{problem.status} {problem.code} · request {requestId}</small>
    </>
  );
}

/** The guard has seen to it that it is one of our names, and our port. */
function calledBy(context: Call): { name: string; port: number } {
  const host = context.req.header("Host")!.toLowerCase();
  const cut = host.lastIndexOf(":");
  return { name: host.slice(0, cut), port: Number(host.slice(cut + 1)) };
}

/** The page for what is refused or went wrong. */
import type { ApiProblem } from "../../api/problem.ts";
import { Command, Notice } from "../../pages/parts.tsx";
import { problemTitle } from "../../pages/words.ts";
import type { ApiContext } from "../api_operation.ts";
import type { Board, Visit } from "./board.ts";
import { show, showOutside } from "./frame.tsx";
import { nextOf, signInAnswer } from "./sign_in.tsx";

/** `visit` null: nobody is signed in. */
export function problemPage(
  context: ApiContext,
  board: Board,
  problem: ApiProblem,
  visit: Visit | null,
): Response {
  const { requestId } = context.env;
  const answer = problem.code === "plain_http"
    ? showOutside(board.state.clock.now(), "Not here", <Plain problem={problem} url={board.state.url} />, 403)
    : problem.status === 401
    ? signInAnswer(context, board, nextOf(context), null, 401)
    : visit === null
    ? showOutside(
      board.state.clock.now(),
      problemTitle(problem.status),
      <Wrong problem={problem} requestId={requestId} />,
      problem.status,
    )
    : show(visit, {
      title: problemTitle(problem.status),
      current: null,
      status: problem.status,
      body: <Wrong problem={problem} requestId={requestId} />,
    });
  answer.headers.set("X-Request-Id", requestId);
  for (const [name, value] of problem.fields) answer.headers.append(name, value);
  return answer;
}

function Wrong({ problem, requestId }: { problem: ApiProblem; requestId: string }) {
  return (
    <>
      <h1>{problemTitle(problem.status)}</h1>
      <Said problem={problem} />
      <p>
        <a href="/">All links</a>
      </p>
      <small class="mono">{problem.status} {problem.code} · request {requestId}</small>
    </>
  );
}

/** What was wrong, in the API's own words. */
export function Said({ problem }: { problem: ApiProblem }) {
  return (
    <Notice tone="bad">
      <p>{problem.message}</p>
      {problem.errors.map(({ pointer, detail }) => <p>{pointer.slice(1)} {detail}</p>)}
    </Notice>
  );
}

function Plain({ problem, url }: { problem: ApiProblem; url: string }) {
  const secure = url.startsWith("https://");
  return (
    <>
      <h1>Not here</h1>
      <Notice tone="bad">
        <p>{problem.message}</p>
      </Notice>
      {secure
        ? (
          <p>
            The dashboard is at{" "}
            <a href={url}>{url}</a>. Where a proxy ends TLS before this hub, name its address in{" "}
            <code>trusted_proxies</code> of hub.yaml.
          </p>
        )
        : <p>Give the hub a certificate, or a proxy that has one, and an https address:</p>}
      {!secure && <Command text="public_url: https://hub.example.com" />}
      <p>
        On the hub's own machine it is at http://hub.localhost, on the hub's port, where it listens on
        loopback.
      </p>
    </>
  );
}

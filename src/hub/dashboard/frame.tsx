/** How the dashboard answers with a page. */
import type { Child } from "hono/jsx";
import { type Live, livePage } from "../../api/live.ts";
import { BUILD, PAGE_FIELDS } from "../../pages/assets.ts";
import { html, Layout } from "../../pages/layout.tsx";
import type { Visit } from "./board.ts";
import type { RequestJson } from "./request_row.tsx";

const SITE = "connectd hub";

/** Each with the operation whose scopes may read it. */
const NAV = [
  { href: "/", label: "Links", reads: "GET /v1/links" },
  { href: "/services", label: "Services", reads: "GET /v1/services" },
  { href: "/shares", label: "Shares", reads: "GET /v1/shares" },
  { href: "/tokens", label: "Tokens", reads: "GET /v1/tokens" },
  { href: "/audit", label: "Audit", reads: "GET /v1/audit" },
  { href: "/settings", label: "Settings", reads: "GET /v1/links" },
] as const;

export interface Shown {
  readonly title: string;
  /** The entry of the navigation that it belongs to; null: none. */
  readonly current: typeof NAV[number]["href"] | null;
  readonly body: Child;
  /** Absent: 200. */
  readonly status?: number;
}

/** A whole page for who is signed in. */
export function show({ board, caller }: Visit, { title, current, body, status = 200 }: Shown): Response {
  const page = (
    <Layout
      title={title}
      site={SITE}
      nav={NAV.filter(({ reads }) => board.may(caller, reads))}
      current={current}
      find={{ action: "/go", found: "/found" }}
      now={board.state.clock.now()}
      aside={<SignOut name={caller.name} />}
    >
      {body}
    </Layout>
  );
  return new Response(html(page), { status, headers: { ...PAGE_FIELDS } });
}

/** A whole page for whoever comes. */
export function showOutside(now: number, title: string, body: Child, status: number): Response {
  const page = <Layout title={title} site={SITE} nav={[]} current={null} now={now}>{body}</Layout>;
  return new Response(html(page), { status, headers: { ...PAGE_FIELDS } });
}

/** The events of a page, until who looks is signed out. Throws ApiProblem where they look at too much. */
export function liveAnswer(visit: Visit, live: Live<RequestJson>): Response {
  const { context, board: { state, signed }, caller: { workspace }, port } = visit;
  const journal = state.events.of(workspace);
  const leave = visit.board.look(visit.caller);
  return livePage({
    build: BUILD,
    clock: state.clock,
    admitted: signed.stays(context, port),
    listen(changed) {
      const deaf = journal.listen(({ type }) => type !== "request" && changed());
      return () => {
        deaf();
        leave();
      };
    },
    watch(seen) {
      const deaf = journal.listen(({ type, data }) => type === "request" && seen(data as RequestJson));
      const unwatch = state.events.watchRequests();
      return () => {
        deaf();
        unwatch();
      };
    },
  }, live);
}

function SignOut({ name }: { name: string }) {
  return (
    <form method="post" action="/sign-out" class="row">
      <small class="mono minor">{name}</small>
      <button type="submit" class="bare">Sign out</button>
    </form>
  );
}

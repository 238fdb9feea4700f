/** How the daemon answers with a page. */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { CallEnv } from "../../../api/app.ts";
import { PAGE_FIELDS } from "../../../pages/assets.ts";
import { html, Layout } from "../../../pages/layout.tsx";
import type { ControlState } from "../state.ts";

export type Call = Context<CallEnv>;

const NAV = [
  { href: "/", label: "Links" },
  { href: "/requests", label: "Requests" },
  { href: "/plan", label: "Plan" },
  { href: "/audit", label: "Audit" },
];

export interface Shown {
  readonly title: string;
  /** The entry of the navigation that it belongs to; null: none. */
  readonly current: string | null;
  readonly body: Child;
  /** Absent: 200. */
  readonly status?: number;
  /** Nobody is signed in, so nobody can sign out. */
  readonly outside?: true;
}

/** A whole page. */
export function show(context: Call, { clock }: Pick<ControlState, "clock">, shown: Shown): Response {
  const { title, current, body, status = 200, outside } = shown;
  const bySession = !context.env.local && context.req.header("Authorization") === undefined;
  const page = (
    <Layout
      title={title}
      site="connectd"
      nav={outside ? [] : NAV}
      current={current}
      now={clock.now()}
      aside={bySession && !outside ? <SignOut /> : null}
    >
      {body}
    </Layout>
  );
  return new Response(html(page), { status, headers: { ...PAGE_FIELDS } });
}

function SignOut() {
  return (
    <form method="post" action="/sign-out">
      <button type="submit" class="bare">Sign out</button>
    </form>
  );
}

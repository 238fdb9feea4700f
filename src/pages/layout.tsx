/** The frame of every page: head, navigation, the bar that says that the page is stale, the keys. */
import type { Child } from "hono/jsx";
import { raw } from "hono/html";
import { BUILD, SCRIPT_PATH, STYLE } from "./assets.ts";

export interface LayoutProps {
  readonly title: string;
  /** What the page belongs to, in the title and at the top left. */
  readonly site: string;
  readonly nav: readonly { readonly href: string; readonly label: string }[];
  /** The `href` of the entry that is shown; null: none of them. */
  readonly current: string | null;
  /** Ms since 1970, by the clock that the times on the page are counted by. */
  readonly now: number;
  /** Where links are gone to by name, id or URL; absent: nowhere. */
  readonly find?: Finding;
  /** At the end of the top: signing out. */
  readonly aside?: Child;
  readonly children?: Child;
}

interface Finding {
  /** Where the form leads. */
  readonly action: string;
  /** What fits so far, as a part of a page. */
  readonly found: string;
}

const FIND_KEY = "k";

const KEYS: readonly (readonly [key: string, what: string])[] = [
  ["/", "go to the filter"],
  [FIND_KEY, "go to a link by name, id or URL"],
  ["j", "next row"],
  ["J", "row before"],
  ["Enter", "open the row"],
  ["y", "copy the row's URL"],
  ["p", "pause what is live, or go on"],
  ["?", "show or hide these keys"],
];

/** A whole document. */
export function Layout({ title, site, nav, current, now, find, aside, children }: LayoutProps) {
  return (
    <>
      {raw("<!doctype html>")}
      <html lang="en" data-now={new Date(now).toISOString()} data-build={BUILD}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width,initial-scale=1" />
          <meta name="robots" content="noindex" />
          <title>{`${title} · ${site}`}</title>
          <link rel="icon" href="data:," />
          <style>{raw(STYLE)}</style>
          <script src={SCRIPT_PATH} defer></script>
        </head>
        <body>
          <a class="skip" href="#main">Skip to the content</a>
          <header class="top">
            <strong>{site}</strong>
            <nav aria-label="Pages">
              {nav.map(({ href, label }) => (
                <a href={href} aria-current={href === current ? "page" : undefined}>{label}</a>
              ))}
            </nav>
            {find !== undefined && <Find {...find} />}
            <button type="button" class="bare scripted" data-ask-keys>Keys</button>
            {aside}
          </header>
          <div class="stale" role="status" data-stale-bar hidden>
            The connection was lost at <time></time>: what is shown may be old. It is tried again by itself;
            {" "}
            <a href="">reload</a> where that takes long.
          </div>
          <main id="main" tabindex={-1}>{children}</main>
          <dialog data-keys aria-labelledby="keys">
            <h2 id="keys">Keys</h2>
            <dl>
              {KEYS.filter(([key]) => key !== FIND_KEY || find !== undefined).map(([key, what]) => (
                <>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{what}</dd>
                </>
              ))}
            </dl>
            <form method="dialog">
              <button type="submit">Close</button>
            </form>
          </dialog>
        </body>
      </html>
    </>
  );
}

function Find({ action, found }: Finding) {
  return (
    <form method="get" action={action} role="search" class="find">
      <input
        name="to"
        placeholder="Go to a link"
        aria-label="Go to a link by name, id or URL"
        aria-keyshortcuts={FIND_KEY}
        autocomplete="off"
        spellcheck={false}
        data-find={found}
      />
      <kbd class="scripted" aria-hidden="true">{FIND_KEY}</kbd>
      <div data-found hidden></div>
    </form>
  );
}

/** A part of a page that is kept up to date while somebody looks at it. `id` is unique on the page. */
export function Region({ id, children }: { id: string; children?: Child }) {
  return <div id={id} data-region>{children}</div>;
}

/** The text of JSX; none of ours waits for anything. */
export function html(element: Child): string {
  return String(element);
}

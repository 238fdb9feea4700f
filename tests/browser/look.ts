/** Pages as they look: in both themes, on a phone and on a desk, with nothing for axe to find. */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Person } from "./person.ts";

/** Where to leave the pictures; null: nobody wants them, and half of the windows are enough. */
export const PICTURES = Deno.env.get("CONNECTD_PICTURES") ?? null;

/** In the first two everything differs that may differ. */
const WINDOWS = ([[1280, "light"], [360, "dark"], [1280, "dark"], [360, "light"]] as const)
  .slice(0, PICTURES === null ? 2 : 4);

/** A page: what it shows, its path, its title. */
export type Shot = readonly [name: string, path: string, title: string];

/** Whose pages they are. `colourful`: those that between them have every colour. */
export interface Site {
  readonly person: Person;
  readonly origin: string;
  /** What titles end with. */
  readonly site: string;
  readonly colourful: readonly string[];
}

/** Looks at each in every window. */
export async function look(t: Deno.TestContext, site: Site, shots: readonly Shot[]): Promise<void> {
  const { person, origin } = site;
  for (const [name, path, title] of shots) {
    await t.step(name, async () => {
      person.complaints.length = 0;
      await person.open(origin + path, `${title} · ${site.site}`);
      for (const [width, theme] of WINDOWS) {
        await person.window(width, theme);
        if (PICTURES !== null) await person.picture(`${PICTURES}/${name}-${width}-${theme}.png`);
        const wide = await person.page.value<number>("document.documentElement.scrollWidth");
        assert.ok(wide <= width, `${wide} px wide in a window of ${width}`);
        // What a page is made of does not depend on its window; colours do.
        if (width === 1280 && theme === "light") await check(person);
        else if (site.colourful.includes(name)) await check(person, "{ runOnly: ['color-contrast'] }");
      }
      // The answer to a page that is not there, or not for everybody, is such a complaint.
      assert.deepEqual(person.complaints.filter((text) => !/status of 40[14]/.test(text)), []);
      for (const url of person.asked) assert.equal(new URL(url).origin, origin);
    });
  }
}

/** Has axe look at the page as it is now. */
export async function check(person: Person, options = "{}"): Promise<void> {
  type Found = { id: string; nodes: { html: string; failureSummary: string }[] };
  const known = await person.page.value<boolean>("typeof axe === 'object'");
  if (!known) await person.page.value(`${axe.source}; 0`);
  const found = await person.page.value<Found[]>(
    `axe.run({ resultTypes: ["violations"], ...${options} }).then(({ violations }) => violations)`,
  );
  assert.deepEqual(found.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
}

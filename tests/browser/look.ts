/** Pages as they look: in both themes, on a phone and on a desk, with nothing for axe to find. */
import assert from "node:assert/strict";
import axe from "axe-core";
import { eventually } from "../e2e/rig.ts";
import type { Person } from "./person.ts";

/** Where to leave the pictures; null: nobody wants them, and half of the windows are enough. */
export const PICTURES = Deno.env.get("CONNECTD_PICTURES") ?? null;

/** In the first two everything differs that may differ. */
const WINDOWS = ([[1280, "light"], [360, "dark"], [1280, "dark"], [360, "light"]] as const)
  .slice(0, PICTURES === null ? 2 : 4);

/** Where a line is about to be too long, or has all the room there is. */
const BETWEEN_AND_BEYOND = [721, 961, 2560];

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
        if (PICTURES !== null) {
          await person.picture(`${PICTURES}/${site.site.replace(" ", "-")}-${name}-${width}-${theme}.png`);
        }
        const wide = await person.page.value<number>("document.documentElement.scrollWidth");
        assert.ok(wide <= width, `${wide} px wide in a window of ${width}`);
        // What a page is made of does not depend on its window; colours do.
        if (width === 1280 && theme === "light") await check(person);
        else if (site.colourful.includes(name)) await check(person, "{ runOnly: ['color-contrast'] }");
      }
      for (const width of BETWEEN_AND_BEYOND) {
        await person.window(width, "light");
        const wide = await person.page.value<number>("document.documentElement.scrollWidth");
        assert.ok(wide <= width, `${wide} px wide in a window of ${width}`);
      }
      // The page is painted from one answer: nothing else that it asks for is waited for.
      const [size, blocking, inline] = await person.page.value<[number, string[], number]>(`[
        performance.getEntriesByType("navigation")[0].decodedBodySize,
        performance.getEntriesByType("resource")
          .filter(({ renderBlockingStatus }) => renderBlockingStatus !== "non-blocking").map(({ name }) => name),
        [...document.scripts].filter(({ src, text }) => src === "" || text !== "").length,
      ]`);
      assert.ok(size > 0 && size < 60 * 1024, `${size} octets`);
      assert.deepEqual([blocking, inline], [[], 0]);
      // The answer to a page that is not there, or not for everybody, is such a complaint.
      assert.deepEqual(person.complaints.filter((text) => !/status of 40[14]/.test(text)), []);
      for (const url of person.asked) assert.equal(new URL(url).origin, origin);
    });
  }
}

/**
 * Opens each page with its policy as one that only reports, so that nothing is hidden by what was blocked before: the browser
 * reports nothing, but what `person` then puts into the last page.
 */
export async function reportOnly({ person, origin, site }: Site, shots: readonly Shot[]): Promise<void> {
  await person.renameField("content-security-policy", "content-security-policy-report-only");
  await person.page.ask("Page.addScriptToEvaluateOnNewDocument", {
    source: `addEventListener("securitypolicyviolation", ({ disposition, effectiveDirective }) =>
      console.error(disposition, effectiveDirective))`,
  });
  person.complaints.length = 0;
  const reports = () => person.complaints.filter((text) => !/status of 40[14]/.test(text));
  for (const [, path, title] of shots) await person.open(origin + path, `${title} · ${site}`);
  assert.deepEqual(reports(), []);
  await person.page.value(
    "document.body.append(Object.assign(document.createElement('style'), { textContent: 'p {}' }))",
  );
  await eventually(
    () => Promise.resolve(reports()),
    (all) => all.some((text) => text === "report style-src-elem"),
  );
  person.complaints.length = 0;
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

/** "Did you mean …?" for names that only the daemon or the hub knows. */
import { nearest } from "../config/suggest.ts";
import { type ApiClient, Refused } from "./client.ts";

/**
 * What `ask` gives, which is about the link `name`. Where there is none, the error says which one was meant: one that
 * is called much the same, or how to see them all.
 */
export async function aboutLink<T>(
  api: Pick<ApiClient, "all">,
  name: string,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404 || error.problem.code !== "not_found") {
      throw error;
    }
    const links = await api.all<{ readonly name: string }>("/v1/links");
    throw new Refused(error.status, error.problem, linkHint(name, links.map((link) => link.name)));
  }
}

/** What to do where no link is called `name`: one of `names` may have been meant. */
export function linkHint(name: string, names: Iterable<string>): string {
  const near = nearest(name, names);
  return near === null ? "`connectd list` shows the links there are" : `did you mean ${near}?`;
}

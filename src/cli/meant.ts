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
    const near = nearest(name, links.map((link) => link.name));
    throw new Refused(
      error.status,
      error.problem,
      near === null ? "`connectd list` shows the links there are" : `did you mean ${near}?`,
    );
  }
}

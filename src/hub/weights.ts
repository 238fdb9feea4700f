/** What the daemons of a workspace have in the hub's memory: no token fills it up for the others. */

/** A thousand links with policies of 30 KB each, or a hundred thousand ordinary ones. */
const MOST = 32 * 1024 * 1024;

/** Octets of policies, by workspace. */
export class Weights {
  readonly #octets = new Map<string, number>();

  /** True where there is room for `octets` more. */
  has(workspace: string, octets: number): boolean {
    return octets <= 0 || this.#of(workspace) + octets <= MOST;
  }

  /** So many more, or fewer where it is negative. */
  add(workspace: string, octets: number): void {
    this.#octets.set(workspace, this.#of(workspace) + octets);
  }

  #of(workspace: string): number {
    return this.#octets.get(workspace) ?? 0;
  }
}

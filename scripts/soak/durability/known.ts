/** What is known of a link from the answers that were had: it has to be so after a kill, whatever was under way. */

/** A link as the control API prints it. */
export interface LinkSeen {
  readonly name: string;
  readonly id: string | null;
  readonly state: string;
  readonly activatedAt: string | null;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly uses: { readonly max: number; readonly left: number } | null;
  /** Null: a hub that does not know. */
  readonly policy: { readonly methods: readonly string[] | null } | null;
}

/** What was asked for and not answered: it was done or it was not. */
export type Deed = "create" | "revoke" | "renew" | "renew with a new id" | "revoke at the hub" | "edit";

/** Within so many ms of its end a link may be seen before or after it. */
const BRINK_MS = 2_000;

/** So much of what became of a link is kept: the last of it. */
const TOLD = 40;

export class Known {
  /** Null: there is no such link. */
  sure: LinkSeen | null = null;
  doubt: Deed | null = null;
  /** False: the file names it no more. What is stored of it stays, for when it is put back. */
  present = true;
  /** Requests whose answer never came: they took a use each, or none. */
  lostUses = 0;
  /** What was done to it, answered and seen, for whoever asks how it came to what it is. */
  readonly story: string[] = [];

  constructor(readonly name: string) {}

  tell(what: string): void {
    this.story.push(`${new Date().toISOString().slice(11, 23)} ${what}`);
    if (this.story.length > TOLD) this.story.shift();
  }

  /** Whether it serves nobody at `now`, as far as is known. */
  endedAt(now: number): boolean {
    const { sure } = this;
    if (sure === null || !this.present) return true;
    return sure.state === "revoked" || sure.uses?.left === 0 || Date.parse(sure.expiresAt ?? "") <= now;
  }

  /** Whether `now` is so near to its end that it may be seen before or after. */
  onBrink(now: number): boolean {
    return Math.abs(Date.parse(this.sure?.expiresAt ?? "") - now) < BRINK_MS;
  }

  /** What can not be as `seen` at `now` has it (undefined: there is none); null: nothing, and it is known from now on. */
  judge(seen: LinkSeen | undefined, now: number): string | null {
    if (!this.present) return seen === undefined ? null : `${this.name}: the file does not name it`;
    const differs = this.#differs(seen, now);
    if (differs !== null && !this.#explains(seen, now)) {
      const [was, is] = [short(this.sure), short(seen)];
      return `${this.name}: ${differs}; ${
        this.doubt ?? "nothing"
      } was under way; it was ${was}, and is ${is}`;
    }
    if (short(this.sure) !== short(seen) || this.doubt !== null) this.tell(`seen as ${short(seen)}`);
    this.sure = seen ?? null;
    this.doubt = null;
    this.lostUses = 0;
    return null;
  }

  #differs(seen: LinkSeen | undefined, now: number): string | null {
    const { sure } = this;
    if (sure === null) return seen === undefined ? null : "it is there";
    if (seen === undefined) return "it is not there";
    for (const member of ["id", "activatedAt", "revokedAt"] as const) {
      if (sure[member] !== null && sure[member] !== seen[member]) return `another ${member}`;
    }
    if (sure.activatedAt !== null && sure.expiresAt !== seen.expiresAt) return "another end";
    if (this.doubt !== "edit" && methodsOf(sure) !== methodsOf(seen)) return "other methods";
    if (sure.uses !== null) {
      const left = seen.uses?.left ?? Infinity;
      if (left > sure.uses.left || left < sure.uses.left - this.lostUses) return "other uses are left";
    }
    const ended = seen.state === "expired" || seen.state === "revoked";
    if (sure.state === "revoked") return seen.state === "revoked" ? null : "its revocation is lost";
    if (seen.state === "revoked") return "it is revoked";
    if ((this.onBrink(now) && seen.state !== "pending") || (seen.uses?.left === 0 && ended)) return null;
    if (this.endedAt(now)) return seen.state === "expired" ? null : "it is revived";
    return seen.state === "active" ? null : `it is ${seen.state}`;
  }

  #explains(seen: LinkSeen | undefined, now: number): boolean {
    const { sure, doubt } = this;
    if (doubt === null || seen === undefined) return false;
    const begins = Date.parse(seen.activatedAt ?? "") > Date.parse(sure?.activatedAt ?? "1970-01-01");
    // One with a subdomain has the address of the one before.
    if (doubt === "create") return sure === null || (this.endedAt(now) && (seen.id !== sure.id || begins));
    if (sure === null) return false;
    // All that it may have changed was not looked at.
    if (doubt === "edit") return false;
    const keeps = sure.id === null || sure.id === seen.id;
    if (doubt === "revoke" || doubt === "revoke at the hub") return keeps && seen.state === "revoked";
    return begins && seen.state !== "revoked" && (keeps || doubt === "renew with a new id");
  }
}

function methodsOf({ policy }: LinkSeen): string {
  return JSON.stringify(policy?.methods ?? null);
}

/** A link in short. */
export function short(link: LinkSeen | null | undefined): string {
  if (!link) return "not there";
  const { id, state, activatedAt, expiresAt, revokedAt, uses, policy } = link;
  const methods = policy?.methods ?? undefined;
  return JSON.stringify({ id, state, activatedAt, expiresAt, revokedAt, left: uses?.left, methods });
}

/**
 * A timer wheel: many coarse deadlines, one driver. Moving a deadline is a field write; only when its old slot
 * comes up is it filed anew, so a busy connection pays nothing for the timeouts it never meets.
 */
export class Wheel {
  readonly #slots: Set<Deadline>[];
  #tick = 0;
  #filed = 0;

  /** `tickMs`: how coarse; deadlines fire up to one tick late, never early. `slots` ticks are one turn. */
  constructor(readonly tickMs = 100, slots = 512) {
    this.#slots = Array.from({ length: slots }, () => new Set<Deadline>());
  }

  /** How many deadlines are filed; the driver may sleep at zero. */
  get size(): number {
    return this.#filed;
  }

  /** The wheel's own time in ms: as coarse as its ticks. */
  get now(): number {
    return this.#tick * this.tickMs;
  }

  /** Moves on to `elapsedMs` since the wheel was made and returns what is due, oldest tick first. */
  advance(elapsedMs: number): Deadline[] {
    const due: Deadline[] = [];
    const target = Math.floor(elapsedMs / this.tickMs);
    // After a long sleep one turn sees every slot; more turns would only see them again.
    if (target - this.#tick > this.#slots.length) this.#tick = target - this.#slots.length;
    while (this.#tick < target) {
      this.#tick++;
      const slot = this.#slots[this.#tick % this.#slots.length];
      for (const deadline of slot) {
        if (deadline.at > this.#tick) {
          if (deadline.at % this.#slots.length === this.#tick % this.#slots.length) continue;
          slot.delete(deadline);
          this.#filed--;
          if (deadline.at !== Infinity) this.#file(deadline);
          else deadline.slot = null;
        } else {
          slot.delete(deadline);
          this.#filed--;
          deadline.slot = null;
          due.push(deadline);
        }
      }
    }
    return due;
  }

  /** Moves on to `elapsedMs` and fires what is due then; not one that another has moved or lifted as it fired. */
  fire(elapsedMs: number): void {
    for (const deadline of this.advance(elapsedMs)) if (deadline.at <= this.#tick) deadline.fire();
  }

  /** Files `deadline` to fire `ms` from the wheel's now; Infinity lifts it. */
  set(deadline: Deadline, ms: number): void {
    deadline.at = ms === Infinity ? Infinity : this.#tick + Math.max(1, Math.ceil(ms / this.tickMs) + 1);
    if (deadline.at === Infinity) return;
    // A later deadline is found when its slot comes up; only an earlier one must move now.
    if (deadline.slot === null) this.#file(deadline);
    else if (deadline.at < deadline.filedAt) {
      deadline.slot.delete(deadline);
      this.#filed--;
      this.#file(deadline);
    }
  }

  /** Forgets `deadline` at once. */
  drop(deadline: Deadline): void {
    deadline.at = Infinity;
    if (deadline.slot?.delete(deadline)) this.#filed--;
    deadline.slot = null;
  }

  #file(deadline: Deadline): void {
    // At most one turn ahead: what lies further away is filed again when its slot comes up.
    const at = Math.min(deadline.at, this.#tick + this.#slots.length - 1);
    const slot = this.#slots[at % this.#slots.length];
    slot.add(deadline);
    deadline.slot = slot;
    deadline.filedAt = at;
    this.#filed++;
  }
}

/** One deadline of a wheel. `fire` runs in the driver's turn. */
export class Deadline {
  /** The tick it is due at; Infinity: not due. */
  at = Infinity;
  /** Where the wheel filed it; only the wheel writes these two. */
  slot: Set<Deadline> | null = null;
  filedAt = Infinity;
  constructor(readonly fire: () => void) {}
}

/** An hour of a link's requests as a line that says little and at once. */
import { countWords } from "../../pages/words.ts";
import { MINUTES } from "../traffic.ts";

/** Steps of one digit: a page has many lines. */
const HEIGHT = 9;

/** `minutes`: requests by minute, the oldest first; null: none. */
export function Sparkline({ minutes }: { minutes: Uint32Array | null }) {
  if (minutes === null) return <span class="quiet">none</span>;
  const all = minutes.reduce((sum, n) => sum + n, 0), most = Math.max(...minutes);
  const words = `${countWords(all, "request")} in the last hour, at most ${
    most.toLocaleString("en")
  } a minute`;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${MINUTES} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={words}
    >
      <path class="part" d={outline(minutes, most)} />
    </svg>
  );
}

/** Steps from left to right, a unit a minute; minutes that are alike are one step, and what is not nothing is seen. */
function outline(minutes: Uint32Array, most: number): string {
  let path = `M0 ${HEIGHT}`, last = 0, run = 0;
  for (const n of [...minutes, 0]) {
    const high = n === 0 ? 0 : Math.max(1, Math.round(n / most * HEIGHT));
    if (high !== last) {
      path += `${run > 0 ? `h${run}` : ""}v${last - high}`;
      [last, run] = [high, 0];
    }
    run++;
  }
  return `${path}z`;
}

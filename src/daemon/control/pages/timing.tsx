/** Where the time of a request went, as a bar and in words. */
import { Fields } from "../../../pages/parts.tsx";
import type { Times } from "../../witnesses/recorder.ts";

/** A stretch of it, in ms from the moment at which the head came. */
export interface Stretch {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  /** How it is filled: parts next to each other differ in more than colour. */
  readonly opacity: number;
}

/** The stretches that there were, one after another. */
export function stretches({ judged, connected, answered, over }: Times): Stretch[] {
  const begun = connected ?? judged;
  const parts: Stretch[] = [
    { label: "judged", from: 0, to: judged, opacity: 0.35 },
    ...(connected === null ? [] : [{ label: "connect", from: judged, to: connected, opacity: 0.6 }]),
    {
      label: answered === null ? "no answer" : "first byte",
      from: begun,
      to: answered ?? over,
      opacity: 0.8,
    },
    ...(answered === null ? [] : [{ label: "body", from: answered, to: over, opacity: 1 }]),
  ];
  return parts.map((part) => ({ ...part, to: Math.max(part.from, part.to) }));
}

const WIDTH = 1000;

export function Timing({ times }: { times: Times }) {
  const parts = stretches(times);
  const scale = WIDTH / Math.max(1, times.over);
  return (
    <>
      <svg
        class="bar"
        viewBox={`0 0 ${WIDTH} 24`}
        preserveAspectRatio="none"
        role="img"
        aria-label={parts.map(({ label, from, to }) => `${label} ${Math.round(to - from)} ms`).join(", ")}
      >
        <rect class="ground" x="0" y="0" width={WIDTH} height="24" />
        {parts.map(({ from, to, opacity }) => (
          <rect
            class="part"
            x={round(from * scale)}
            y="4"
            width={Math.max(2, round((to - from) * scale))}
            height="16"
            fill-opacity={opacity}
          />
        ))}
      </svg>
      <Fields rows={parts.map(({ label, from, to }) => [label, `${Math.round(to - from)} ms`])} />
    </>
  );
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}

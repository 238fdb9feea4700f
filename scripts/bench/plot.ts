/** A bar chart as SVG: a bar a contender up to its median, and a tick for every round. */
import { median } from "./measure.ts";

/** What a bar shows. */
export interface Bar {
  readonly name: string;
  readonly values: readonly number[];
}

/** In pixels. A row is a bar of 18 and the gap to the next. */
const WIDTH = 720, TOP = 44, ROW = 30, LEFT = 120, RIGHT = 84, BOTTOM = 30;

const FONT = `font-family="system-ui,sans-serif" font-size="13" fill="#334155"`;

/** Draws `bars`, the longest first, under `title`; `note` stands below them. Texts are not escaped. */
export function plot(title: string, note: string, bars: readonly Bar[]): string {
  const sorted = bars.filter(({ values }) => values.length > 0)
    .sort((a, b) => median(b.values) - median(a.values));
  const most = Math.max(...sorted.flatMap(({ values }) => values));
  const x = (value: number) => (LEFT + value / most * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const rows = sorted.flatMap(({ name, values }, i) => {
    const y = TOP + i * ROW, middle = median(values);
    const fill = name.startsWith("connectd") ? "#2563eb" : "#94a3b8";
    return [
      text(LEFT - 8, y + 14, name, `text-anchor="end"`),
      `<path d="M${LEFT} ${y}H${x(middle)}v18H${LEFT}z" fill="${fill}"/>`,
      `<path d="${
        values.map((value) => `M${x(value)} ${y - 3}v24`).join("")
      }" stroke="#0f172a" opacity=".5"/>`,
      text(WIDTH - 8, y + 14, Math.round(middle).toLocaleString("en-US"), `text-anchor="end"`),
    ];
  });
  const height = TOP + sorted.length * ROW + BOTTOM;
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${FONT}>`,
    // Its own ground: a page that shows it may be dark.
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(8, 24, title, `font-size="15" font-weight="600"`),
    ...rows,
    text(8, height - 12, note, `font-size="11" fill="#64748b"`),
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, content: string, more: string): string {
  return `<text x="${x}" y="${y}" ${more}>${content}</text>`;
}

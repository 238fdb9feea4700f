/** A bar chart as SVG: one bar a contender at its median, every round as a tick on it. */
import { median } from "./measure.ts";

const WIDTH = 720, ROW = 34, LEFT = 110, RIGHT = 90;

/** Draws `bars`, longest first, under `title`. */
export function plot(title: string, bars: readonly { name: string; values: readonly number[] }[]): string {
  const sorted = bars.filter(({ values }) => values.length > 0).sort((a, b) =>
    median(b.values) - median(a.values)
  );
  const most = Math.max(...sorted.flatMap(({ values }) => values));
  const x = (value: number) => LEFT + value / most * (WIDTH - LEFT - RIGHT);
  const rows = sorted.map(({ name, values }, i) => {
    const y = 44 + i * ROW, middle = median(values);
    const ticks = values.map((value) =>
      `<path d="M${x(value).toFixed(1)} ${y - 2}v22" stroke="currentColor" opacity=".45"/>`
    ).join("");
    return `<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end">${name}</text>` +
      `<rect x="${LEFT}" y="${y}" width="${(x(middle) - LEFT).toFixed(1)}" height="18" rx="2" fill="${
        name === "connectd" ? "#2563eb" : "#94a3b8"
      }"/>` +
      `${ticks}<text x="${WIDTH - 8}" y="${y + 14}" text-anchor="end">${
        Math.round(middle).toLocaleString("en-US")
      }</text>`;
  }).join("\n");
  const height = 54 + sorted.length * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ` +
    `font-family="system-ui,sans-serif" font-size="13" color="#334155" fill="currentColor">\n` +
    `<rect width="100%" height="100%" fill="#fff"/><text x="8" y="24" font-size="15" font-weight="600">${title}</text>\n${rows}\n</svg>\n`;
}

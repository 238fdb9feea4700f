/** Lines over a logarithmic axis as SVG: what a request costs, by how many of something there are. */

export interface Curve {
  readonly name: string;
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

/** In pixels. */
const WIDTH = 720, HEIGHT = 340, LEFT = 56, RIGHT = 24, TOP = 64, BOTTOM = 60;

const COLOURS = ["#2563eb", "#f97316", "#16a34a", "#9333ea"];
const FONT = `font-family="system-ui,sans-serif" font-size="13" fill="#334155"`;

/** Draws `curves` from 1 to the largest `at`; what is at 0 stands at 1. Texts are not escaped. */
export function curves(title: string, note: string, all: readonly Curve[]): string {
  const points = all.flatMap((curve) => curve.points);
  const decades = Math.ceil(Math.log10(Math.max(...points.map(({ at }) => at))));
  const step = niceStep(Math.max(...points.map(({ value }) => value)) / 5);
  const most = step * Math.ceil(Math.max(...points.map(({ value }) => value)) / step);
  const x = (at: number) =>
    (LEFT + Math.log10(Math.max(1, at)) / decades * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (value: number) => (HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const across = Array.from({ length: Math.round(most / step) + 1 }, (_, i) => i * step).flatMap((value) => [
    `<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" stroke="#e2e8f0"/>`,
    text(LEFT - 8, Number(y(value)) + 4, String(value), `text-anchor="end"`),
  ]);
  const along = Array.from({ length: decades + 1 }, (_, i) => 10 ** i).map((at) =>
    text(x(at), HEIGHT - BOTTOM + 20, at.toLocaleString("en-US"), `text-anchor="middle"`)
  );
  const drawn = all.flatMap(({ name, points }, i) => [
    `<polyline points="${points.map(({ at, value }) => `${x(at)},${y(value)}`).join(" ")}" fill="none" ` +
    `stroke="${COLOURS[i]}" stroke-width="2"/>`,
    ...points.map(({ at, value }) => `<circle cx="${x(at)}" cy="${y(value)}" r="3" fill="${COLOURS[i]}"/>`),
    `<path d="M${LEFT + i * 164} 44h18" stroke="${COLOURS[i]}" stroke-width="3"/>`,
    text(LEFT + i * 164 + 24, 48, name, ""),
  ]);
  const size = `width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${FONT}>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(8, 24, title, `font-size="15" font-weight="600"`),
    ...[...across, ...along, ...drawn],
    text(8, HEIGHT - 12, note, `font-size="11" fill="#64748b"`),
    "</svg>\n",
  ].join("\n");
}

/** The least of 1, 2, 5, 10, 20, … that is no less than `wanted`. */
function niceStep(wanted: number): number {
  const decade = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((n) => n * decade).find((step) => step >= wanted)!;
}

function text(x: number | string, y: number, content: string, more: string): string {
  return `<text x="${x}" y="${y}" ${more}>${content}</text>`;
}

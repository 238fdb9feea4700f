/** A flame graph as SVG: a box a call, as wide as its time, on top of who called it. The tooltip tells the rest. */
import type { Call } from "./cpu_profile.ts";

/** In pixels. Narrower boxes than LEAST are left out, and a name wants a box of NAMED. */
const WIDTH = 1200, ROW = 17, TOP = 56, LEAST = 0.4, NAMED = 28, CHARACTER = 6.4;

/** The rooms that any request passes; the rest is grey. */
const COLOURS: Readonly<Record<string, string>> = {
  "src/core": "#93c5fd",
  "src/net": "#86efac",
  "src/wire": "#fde68a",
  "src/hub": "#f9a8d4",
  "src/daemon": "#f9a8d4",
  "runtime, ops": "#fb923c",
  "runtime, native": "#fdba74",
  "garbage collector": "#f87171",
};
const OTHER = "#cbd5e1";

interface Box {
  readonly call: Call;
  readonly x: number;
  readonly width: number;
  readonly depth: number;
}

/** Draws `root` with `title`; times are told as µs for each of `requests`. */
export function flame(title: string, root: Call, requests: number): string {
  const boxes: Box[] = [];
  const place = (call: Call, x: number, depth: number) => {
    const width = call.us / root.us * WIDTH;
    if (width < LEAST) return;
    boxes.push({ call, x, width, depth });
    // By name, as flame graphs are: two of them compare side by side.
    for (const inner of [...call.calls.values()].sort((a, b) => a.name < b.name ? -1 : 1)) {
      place(inner, x, depth + 1);
      x += inner.us / root.us * WIDTH;
    }
  };
  place(root, 0, 0);
  const deepest = Math.max(...boxes.map(({ depth }) => depth));
  const height = TOP + (deepest + 1) * ROW + 8;
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="monospace" font-size="11" fill="#0f172a">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="8" y="20" font-size="14">${escaped(title)}</text>`,
    ...legend(),
    ...boxes.map((box) => drawn(box, root, requests, TOP + (deepest - box.depth) * ROW)),
    "</svg>\n",
  ].join("\n");
}

function drawn({ call, x, width }: Box, root: Call, requests: number, y: number): string {
  const share = (call.us / root.us * 100).toFixed(1), each = (call.us / requests).toFixed(2);
  const told = `${call.name} ${call.place} – ${share} %, ${each} µs a request`;
  const fill = COLOURS[call.room] ?? OTHER;
  const name = width < NAMED
    ? ""
    : `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${
      escaped(call.name.slice(0, Math.floor((width - 4) / CHARACTER)))
    }</text>`;
  return `<g><title>${escaped(told)}</title>` +
    `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${fill}"/>` +
    `${name}</g>`;
}

function legend(): string[] {
  return Object.entries({ ...COLOURS, "other": OTHER }).map(([room, fill], i) =>
    `<rect x="${8 + i * 130}" y="30" width="10" height="10" fill="${fill}"/>` +
    `<text x="${22 + i * 130}" y="39">${room}</text>`
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

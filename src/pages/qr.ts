/** QR codes, for a terminal and for a page. */
import { encode } from "uqr";

/** Rows above and below in one letter: light modules are drawn, as a terminal's background is most often dark. */
const LETTERS = { "": "█", "top": "▄", "bottom": "▀", "both": " " } as const;

/** Bright white on black, whatever colours the terminal has: not every camera reads an inverted code. */
const PAINTED = { on: "\x1b[97;40m", off: "\x1b[0m" };

/** The standard's quiet zone (ISO/IEC 18004 §5.3.8), in modules. */
const QUIET = 4;

/** `text` as a QR code of half blocks; `colours` paints it for light terminals too. */
export function qrText(text: string, colours: boolean): string {
  const { data, size } = encode(text, { border: QUIET, ecc: "L" });
  const lines: string[] = [];
  for (let y = 0; y < size; y += 2) {
    const letters = data[y].map((top, x) => LETTERS[dark(top, data[y + 1]?.[x] ?? false)]).join("");
    lines.push(colours ? PAINTED.on + letters + PAINTED.off : letters);
  }
  return lines.join("\n");
}

function dark(top: boolean, bottom: boolean): keyof typeof LETTERS {
  return top && bottom ? "both" : top ? "top" : bottom ? "bottom" : "";
}

/** A QR code as the path of an SVG whose view box is `size` wide and high, a unit a module; dark modules are filled. */
export function qrPath(text: string): { size: number; path: string } {
  const { data, size } = encode(text, { border: QUIET, ecc: "L" });
  let path = "";
  data.forEach((row, y) => {
    for (let x = 0; x < size; x++) {
      if (!row[x] || row[x - 1]) continue;
      // Whole runs: a path of single modules is three times as long.
      let to = x + 1;
      while (row[to]) to++;
      path += `M${x} ${y}h${to - x}v1h-${to - x}z`;
    }
  });
  return { size, path };
}

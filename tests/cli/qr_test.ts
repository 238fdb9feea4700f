/** A QR code, on a terminal or on a page, is one that a camera reads. */
import assert from "node:assert/strict";
import jsqr from "jsqr";
import { qrPath, qrText } from "../../src/pages/qr.ts";

/** Pixels a side of one module: as a camera sees it. */
const SCALE = 4;

/** The printed letters as a picture in RGBA: what is drawn is light. */
function picture(text: string): { data: Uint8ClampedArray; width: number; height: number } {
  const lines = text.split("\n");
  const columns = [...lines[0]].length;
  const width = columns * SCALE, height = lines.length * 2 * SCALE;
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = Math.floor(y / SCALE), column = Math.floor(x / SCALE);
      const drawn = (row % 2 === 0 ? "█▀" : "█▄").includes(lines[row >> 1][column]);
      data.fill(drawn ? 255 : 0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return { data, width, height };
}

/** The path as a picture in RGBA: what it goes around is dark. */
function drawn({ size, path }: ReturnType<typeof qrPath>): { data: Uint8ClampedArray; width: number } {
  const width = size * SCALE, data = new Uint8ClampedArray(width * width * 4).fill(255);
  for (const [, x, y, run] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = 0; row < SCALE; row++) {
      const from = ((Number(y) * SCALE + row) * width + Number(x) * SCALE) * 4;
      for (let at = from; at < from + Number(run) * SCALE * 4; at += 4) data.fill(0, at, at + 3);
    }
  }
  return { data, width };
}

const LIGHT = "\x1b[97;40m", OFF = "\x1b[0m";

const URLS = [
  "http://4k2jq7mzcn3ra.localhost:8080",
  "https://demo.hub.example.com",
  `https://${"a".repeat(63)}.${"b".repeat(63)}.example.com:8443`,
];

for (const url of URLS) {
  Deno.test(`a QR code reads as ${url.slice(0, 40)}, with colours, without, and on a page`, () => {
    const plain = qrText(url, false);
    const { data, width, height } = picture(plain);
    assert.equal(jsqr.default(data, width, height, { inversionAttempts: "dontInvert" })?.data, url);
    const { data: pixels, width: side } = drawn(qrPath(url));
    assert.equal(jsqr.default(pixels, side, side, { inversionAttempts: "dontInvert" })?.data, url);
    const painted = qrText(url, true);
    assert.equal(painted.replaceAll(LIGHT, "").replaceAll(OFF, ""), plain);
    // White on black whatever the terminal's own colours are, and none of them left behind.
    for (const line of painted.split("\n")) assert.ok(line.startsWith(LIGHT) && line.endsWith(OFF));
  });
}

/** The Date of answers that connectd makes itself. */

let second = 0;
let text = "";

/** IMF-fixdate of `ms` since 1970 (RFC 9110 §5.6.7); made once a second. */
export function httpDate(ms: number): string {
  const now = Math.floor(ms / 1000);
  if (now !== second) [second, text] = [now, new Date(now * 1000).toUTCString()];
  return text;
}

/** Points in time as RFC 3339 writes them. */

const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))$/;

/** Milliseconds since 1970 of an RFC 3339 §5.6 date-time, zone included. Throws SyntaxError naming `text`. */
export function parseTime(text: string): number {
  const parts = TIME.exec(text);
  if (parts === null) throw bad(text);
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  const [fraction = "", , sign, zoneHour = "0", zoneMinute = "0"] = parts.slice(7);
  // Day 0 of the next month is the last of this one. A second 60 is a leap second's.
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const possible = month >= 1 && month <= 12 && day >= 1 && day <= days && hour <= 23 && minute <= 59 &&
    second <= 60 && Number(zoneHour) <= 23 && Number(zoneMinute) <= 59;
  if (!possible) throw bad(text);
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000 * (sign === "-" ? -1 : 1);
  const ms = Number(fraction.padEnd(3, "0").slice(0, 3));
  // Date.UTC would read the years 0 to 99 as 1900 to 1999.
  const local = new Date(0).setUTCFullYear(year, month - 1, day) +
    ((hour * 60 + minute) * 60 + second) * 1000 + ms;
  return local - offset;
}

function bad(text: string): SyntaxError {
  const shown = JSON.stringify(text.slice(0, 60));
  return new SyntaxError(`${shown} is no time with a date and a zone such as 2026-12-01T00:00:00Z`);
}

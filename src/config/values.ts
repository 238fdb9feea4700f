/** Readers for kinds of values: durations, sizes, addresses, paths, and what a policy is made of. */
import { parseCidr } from "../core/address.ts";
import { checkMethod } from "../core/methods.ts";
import { compilePaths } from "../core/paths.ts";
import { POLICY_LIMITS } from "../core/policy_spec.ts";
import { parseDuration, parseRate, parseSize } from "../core/units.ts";
import { isHost, resolvePath } from "./places.ts";
import { type Found, map, type Reader, text } from "./schema.ts";
import { quoted } from "./wording.ts";

const DURATION = "(?=.)(?:[0-9]+w)?(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?(?:[0-9]+ms)?";

/** A duration that may be `never`, which reads as null. */
export const lifetime: Reader<number | null> = text(
  { wants: "a duration such as 24h, or never", code: "bad_duration", pattern: `^(?:never|${DURATION})$` },
  parseDuration,
);

/** A duration in ms. */
export const duration: Reader<number> = text(
  { wants: "a duration such as 30s", code: "bad_duration", pattern: `^${DURATION}$` },
  (written) => {
    const ms = parseDuration(written);
    if (ms === null) throw new SyntaxError(`"never" is no duration here`);
    return ms;
  },
);

/** A duration in ms that leaves some time. */
export const patience: Reader<number> = {
  ...duration,
  read(node, context, owner) {
    const ms = duration.read(node, context, owner);
    if (ms !== 0) return ms;
    context.report(node.at, {
      code: "bad_value",
      message: "this leaves no time: write a duration such as 30s",
    });
  },
};

/** Requests that wait longer would look broken to whoever waits for them. */
const HOLD_MAX_MS = 60_000;

/** How long requests may be held, in ms. */
export const hold: Reader<number> = {
  ...duration,
  read(node, context, owner) {
    const ms = duration.read(node, context, owner);
    if (ms === undefined || ms <= HOLD_MAX_MS) return ms;
    context.report(node.at, { code: "bad_value", message: "requests are held for 60s at most" });
  },
};

/** A size in bytes. */
export const size: Reader<number> = text(
  {
    wants: "a size such as 10MiB",
    code: "bad_size",
    pattern: "^[0-9]+(?:(?:[KMGT]i?)?B)?$",
    numbers: true,
  },
  parseSize,
);

/** The absolute path of a file. */
export const path: Reader<string> = text(
  { wants: "the path of a file", code: "bad_value", pattern: "[\\s\\S]" },
  resolvePath,
);

/** An address or a block of them. */
export const cidr: Reader<string> = text(
  {
    wants: "an address or a block such as 198.51.100.0/24",
    code: "bad_address",
    pattern: "^[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?$",
  },
  (written) => {
    parseCidr(written);
    return written;
  },
);

/** The values of a list without their places. */
export function values<T>(reader: Reader<readonly Found<T>[]>): Reader<readonly T[]> {
  return map(reader, (items) => items.map((item) => item.value));
}

/** How many requests in which time. */
export const rate = text(
  {
    wants: "a rate such as 100/m",
    code: "bad_rate",
    pattern: "^[0-9]+(?:/[smhd])?(?: burst [0-9]+| per ip)*$",
    numbers: true,
  },
  parseRate,
);

/** A path that is let through, as a policy writes it. */
export const pattern = text(
  { wants: "a path such as /api", code: "bad_path", pattern: "^(?:= )?/" },
  (written) => {
    checkLength(written);
    compilePaths([written]);
    return written;
  },
);

/** A method, in capitals. */
export const method = text(
  { wants: "a method such as GET", code: "bad_method", pattern: "^[A-Z][A-Z0-9-]{0,31}$" },
  (written) => {
    checkMethod(written);
    return written;
  },
);

/** A hub refuses a policy with longer texts. */
function checkLength(text: string): void {
  if (text.length <= POLICY_LIMITS.text) return;
  throw new SyntaxError(`${quoted(text)} is longer than ${POLICY_LIMITS.text} characters`);
}

/** A token of RFC 9110 §5.6.2, with a version where the protocol has one. */
const PROTOCOL = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:\/[a-z0-9!#$%&'*+.^_`|~-]+)?$/;

/** A protocol to upgrade to, in lower case. */
export const protocol = text({ wants: "a protocol such as websocket", code: "bad_value" }, (written) => {
  checkLength(written);
  const name = written.toLowerCase();
  // Cleartext HTTP/2 would carry requests that no policy sees.
  if (!PROTOCOL.test(name) || name === "h2c") {
    throw new SyntaxError(`${quoted(written)} is no protocol that can be upgraded to`);
  }
  return name;
});

/** What Host the target gets. */
export const host = text({ wants: `"target", "public" or a host name`, code: "bad_value" }, (written) => {
  if (!isHost(written)) {
    throw new SyntaxError(`${quoted(written)} is neither "target", "public" nor a host name`);
  }
  return written;
});

/** A host name without a port. */
export const serverName = text({ wants: "a host name", code: "bad_value" }, (written) => {
  if (!isHost(written) || /:\d+$/.test(written)) throw new SyntaxError(`${quoted(written)} is no host name`);
  return written;
});

/** A token of RFC 9110 §5.6.2. */
const FIELD_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/;

/** The name of a header field. */
export const fieldName = text(
  { wants: "the name of a field such as X-Api-Key", code: "bad_value", pattern: FIELD_NAME.source },
  (written) => {
    if (!FIELD_NAME.test(written)) throw new SyntaxError(`${quoted(written)} is no name of a field`);
    return written;
  },
);

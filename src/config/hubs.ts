/** The `hub` key of links.yaml: one hub, a list of them, or the one inside this process. */
import type { HubAddress } from "../core/entry.ts";
import { isLocal, type Origin, parseOrigin } from "./places.ts";
import type { Context } from "./context.ts";
import { boolean, either, type Found, list, map, mapping, type Reader, text } from "./schema.ts";
import { path } from "./values.ts";
import { quoted } from "./wording.ts";

/** A hub as it is written; what it lacks comes from the top of the file. */
interface Hub {
  readonly origin: Found<Origin> | undefined;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly plain?: boolean;
}

const origin = text({ wants: "a URL such as https://hub.example.com", code: "bad_address" }, parseOrigin);

/** Keeps the place of what a reader gives. */
function placed<T>(reader: Reader<T>): Reader<Found<T>> {
  return {
    ...reader,
    read(node, context, owner) {
      const value = reader.read(node, context, owner);
      return value === undefined ? undefined : { value, at: node.at };
    },
  };
}

/** Keys of a hub in a list. */
export const HUB_KEYS = {
  url: {
    reader: origin,
    doc: "Scheme, host and port of the hub: `https://hub.example.com`.",
    required: true,
  },
  token_file: { reader: path, doc: "The file that holds the token for this hub. Absent: as at the top." },
  ca_file: { reader: path, doc: "Certificates (PEM) to trust for this hub. Absent: `hub_ca_file`." },
  plain: { reader: boolean, doc: "`true`: this hub is spoken to without TLS. Absent: `plain` at the top." },
} as const;

const item: Reader<Hub> = either<Hub>(
  "a URL such as https://hub.example.com, or a mapping with url",
  map(placed(origin), (found) => ({ origin: found })),
  map(mapping("a mapping with url", HUB_KEYS), (read) => ({
    origin: read.url,
    tokenFile: read.token_file?.value,
    caFile: read.ca_file?.value,
    plain: read.plain?.value,
  })),
);

const one = placed(text({ wants: "embedded or a URL", code: "bad_address" }, (written) => {
  return written === "embedded" ? null : parseOrigin(written);
}));

/** Reads `hub`. An empty list of hubs stands for the embedded one. */
export const hubs: Reader<readonly Hub[]> = either<readonly Hub[]>(
  `a URL such as https://hub.example.com, "embedded", or a list of URLs and of mappings with url`,
  map(one, ({ value, at }) => value === null ? [] : [{ origin: { value, at } }]),
  map(list(item, "a list of URLs"), (items) => items.map((each) => each.value)),
);

/** What every hub has unless its item says otherwise. */
export interface HubDefaults {
  readonly tokenFile: string | null;
  readonly caFile: string | null;
  readonly plain: boolean;
}

/** The hubs to dial. Reports those that would send a token in the clear, and those that are named twice. */
export function resolveHubs(read: readonly Hub[], defaults: HubDefaults, context: Context): HubAddress[] {
  const addresses = new Map<string, HubAddress>();
  for (const hub of read) {
    if (hub.origin === undefined) continue;
    const { value: { url, hostname, secure }, at } = hub.origin;
    const plain = hub.plain ?? defaults.plain;
    if (!secure && !plain && !isLocal(hostname)) {
      context.report(at, {
        code: "bad_address",
        message: `${quoted(url)} would send the token and every request in the clear`,
        hint: "use https://, or say plain: true where the way to the hub is safe",
      });
    }
    if (addresses.has(url)) {
      context.report(at, { code: "conflict", message: `${quoted(url)} is named twice` });
      continue;
    }
    addresses.set(url, {
      url,
      tokenFile: hub.tokenFile ?? defaults.tokenFile,
      caFile: hub.caFile ?? defaults.caFile,
      plain,
    });
  }
  return [...addresses.values()];
}

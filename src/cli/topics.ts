/** What `connectd help` explains besides verbs: the keys of the files, and the codes. */
import { HUB_ROOT_KEYS } from "../config/hub.ts";
import { LINK_KEYS, SERVICE_KEYS } from "../config/keys.ts";
import { ROOT_KEYS } from "../config/links.ts";
import type { Table } from "../config/schema.ts";
import { CODES } from "../core/errors.ts";

/** As wide as text is set, whatever the terminal: what is longer is hard to read. */
const COLUMNS = 100;

/** The topics by name; each gives its text. */
export const TOPICS: Readonly<Record<string, () => string>> = {
  "links.yaml": linksTopic,
  "hub.yaml": hubTopic,
  codes: codesTopic,
};

function linksTopic(): string {
  return [
    wrapped(
      "links.yaml: the links of a daemon and their policies. `connectd init` writes a first one, `connectd check` says what is wrong with one, and the running daemon takes it again whenever it is saved.",
      "",
    ),
    section("At the top", ROOT_KEYS, ["defaults", "services", "links"]),
    section("A link, below `links: { NAME: … }`; most of it may stand in `defaults` too", LINK_KEYS),
    section("A service, below `services: { NAME: … }`, where it is more than a target", SERVICE_KEYS),
  ].join("\n\n");
}

function hubTopic(): string {
  return [
    wrapped(
      "hub.yaml: what `connectd hub` is started with. Its flags go before it, and without either the defaults hold.",
      "",
    ),
    section("At the top", HUB_ROOT_KEYS),
  ].join("\n\n");
}

function codesTopic(): string {
  const rows = Object.entries(CODES).map(([code, [status, title]]) =>
    `  ${status}  ${code.padEnd(20)} ${title}`
  );
  return [
    "Exit codes of every verb:\n  0  success\n  1  an error: what was asked for could not be done\n  2  arguments or a file that can not be taken",
    "What connectd itself answers visitors (problem+json or a page, with the code in it):\n" +
    rows.join("\n"),
  ].join("\n\n");
}

/** The keys of a table under a heading; `apart`: those whose own keys have a section of their own. */
function section(heading: string, table: Table, apart: readonly string[] = []): string {
  const keys = Object.entries(table).map(([name, { doc, example, required, reader }]) =>
    [
      `  ${example ?? name}`,
      wrapped(required ? `${doc} It has to be there.` : doc, "      "),
      ...(apart.includes(name) ? [] : within(name, reader.shape.keys ?? reader.shape.items?.keys)),
    ].join("\n")
  );
  return [`${heading}:`, ...keys].join("\n");
}

/** Keys of a mapping that is a key's value, by their path. */
function within(path: string, table: Table | undefined): string[] {
  return Object.entries(table ?? {}).flatMap(([name, { doc, reader }]) => {
    const inner = `${path}.${name}`;
    return [wrapped(`${inner}: ${doc}`, "        "), ...within(inner, reader.shape.keys)];
  });
}

/** `text` in lines that begin with `indent`. */
function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line !== indent && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}

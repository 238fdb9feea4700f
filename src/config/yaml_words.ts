/** What the YAML package says of a broken text, in the words of somebody who wrote one. */

/** What is wrong, and what to do about it. */
export interface Words {
  readonly message: string;
  readonly hint?: string;
}

const LINED_UP = "keys of one level begin at one column, and what belongs to a key further right";

/** The package's messages as they begin, and ours. */
const WORDS: readonly (readonly [said: RegExp, message: string, hint?: string])[] = [
  [
    /^Flow (?:sequence|map) .* end with a (.)/,
    'what a bracket opens is not closed: "$1" is missing',
    "close it; what follows on other lines has to stand further right than its key",
  ],
  [/^Missing closing (['"])quote/, "what a quote opens is not closed: $1 is missing"],
  [/^Missing (,|, or :) between flow/, 'between two parts of what stands in brackets "," is missing'],
  [
    /^Unexpected \S+ at node end/,
    "this begins where something else has not ended",
    'in brackets put "," between two parts, elsewhere begin a new line',
  ],
  [/^Comments must be separated/, 'before "#" a blank is missing', "put a text that has # in it in quotes"],
  [
    /^Nested mappings are not allowed in compact/,
    'a second ":" in one line',
    "put a text that has a colon in it in quotes, or a key within a key on a line of its own",
  ],
  [
    /^Block collections are not allowed within flow/,
    "a key within brackets whose value is a key again",
    "write it in braces: { links: { a: { target: echo } } }",
  ],
  [
    /^All (?:mapping|sequence) items must start/,
    "this begins at another column than what stands beside it",
    LINED_UP,
  ],
  [/^Tabs are not allowed/, "a tab before the first word of a line", "indent with blanks"],
  [
    /^Plain value cannot start with .*?(\S+)$/,
    "a text can't begin with $1",
    "put it in quotes",
  ],
  [
    /^Implicit (?:keys need|map keys need)/,
    'a line between keys that is no key: ":" is missing, or it begins at the wrong column',
    LINED_UP,
  ],
  [
    /^Invalid escape sequence (.*)/,
    "$1 means nothing within double quotes",
    "use single quotes, or write \\\\ for a backslash",
  ],
  [/^Block scalar header includes/, "behind | or > the text begins on the next line"],
  [/^Unexpected flow-(?:seq|map)-end token.*"(.)"/, 'a "$1" that closes nothing'],
  [/^Unexpected (?:, in|empty item in)/, 'a "," with nothing before it'],
];

/** `message` of the package as ours; one that is not known begins small, ends without a full stop, and is no long text. */
export function yamlWords(message: string): Words {
  for (const [said, ours, hint] of WORDS) {
    const found = said.exec(message);
    if (found === null) continue;
    return {
      message: ours.replace("$1", () => found[1].slice(0, 20)),
      ...(hint === undefined ? {} : { hint }),
    };
  }
  return { message: message.charAt(0).toLowerCase() + message.slice(1, 200).replace(/\.$/, "") };
}

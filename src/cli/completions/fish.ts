/** Completions for fish. */
import { LINK_NAMES, type Offer, type Offers } from "./offer.ts";

/** The script, to be sourced or put into fish's folder of completions. */
export function fishScript(offers: readonly Offers[]): string {
  return `# connectd completions fish
function __connectd_links
    ${LINK_NAMES}
end
# Whether the verb is the one that is named; none yet: without a name. Flags without a verb are those of run.
function __connectd_at
    set -l words (commandline -opc)
    if test (count $words) -lt 2
        test (count $argv) -eq 0; or test $argv[1] = run
    else if string match -q -- '-*' $words[2]
        test (count $argv) -eq 1; and test $argv[1] = run
    else
        test (count $argv) -eq 1; and test $argv[1] = $words[2]
    end
end
complete -c connectd -f
${offers.flatMap(verbLines).join("\n")}
`;
}

function verbLines({ verb, brief, words, flags }: Offers): string[] {
  const here = `complete -c connectd -n '__connectd_at ${verb}'`;
  return [
    `complete -c connectd -n __connectd_at -a ${verb} -d ${quoted(brief)}`,
    ...(words.kind === "none" ? [] : [`${here} ${follows(words)}`]),
    ...flags.map(({ flag: { name, short, help }, offer }) =>
      `${here} -l ${name}${short === undefined ? "" : ` -s ${short}`}${
        offer === null ? "" : ` ${offer.kind === "file" ? "-r " : "-x "}${follows(offer)}`.trimEnd()
      } -d ${quoted(help)}`
    ),
  ];
}

function follows(offer: Offer): string {
  switch (offer.kind) {
    case "choices":
      return `-a ${quoted(offer.choices.join(" "))}`;
    case "file":
      return "-F";
    case "folder":
      return "-a '(__fish_complete_directories)'";
    case "link":
      return "-a '(__connectd_links)'";
    case "none":
      return "";
  }
}

/** In single quotes fish reads \\ and ' and nothing else. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}

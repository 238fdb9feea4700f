/** Completions for zsh. */
import type { Flag } from "../verb.ts";
import { LINK_NAMES, type Offer, type Offers, quoted } from "./offer.ts";

/** The script: to be sourced behind compinit, or a file `_connectd` in a folder of fpath. */
export function zshScript(offers: readonly Offers[]): string {
  const verbs = offers.map(({ verb, brief }) => `    ${quoted(`${verb}:${brief}`)}`).join("\n");
  return `#compdef connectd
_connectd_links() {
  local -a names
  names=(\${(f)"$(${LINK_NAMES})"})
  compadd -a names
}
_connectd() {
  local -a verbs
  verbs=(
${verbs}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe verb verbs
    return
  fi
  local verb=run
  if [[ $words[2] != -* ]]; then
    verb=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  case $verb in
${offers.map(verbCase).join("\n")}
  esac
}
if [[ $funcstack[1] == _connectd ]]; then _connectd "$@"; else compdef _connectd connectd; fi
`;
}

function verbCase({ verb, takesWords, words, several, flags }: Offers): string {
  const specs = flags.flatMap(({ flag, offer }) => flagSpecs(flag, offer));
  // Without a spec for them, words would end the flags.
  if (takesWords) specs.push(`${several || words.kind === "none" ? "*" : "1"}:word:${action(words)}`);
  return `    ${verb}) _arguments -s -S \\\n${specs.map((spec) => `      ${quoted(spec)}`).join(" \\\n")} ;;`;
}

/** One spec for each spelling; the other one is offered no more when one is there. */
function flagSpecs({ name, short, value, help }: Flag, offer: Offer | null): string[] {
  const either = short === undefined ? "" : `(-${short} --${name})`;
  const about = `[${help.replaceAll(/[\\[\]]/g, "\\$&")}]`;
  const follows = offer === null ? "" : `:${value}:${action(offer)}`;
  return [
    `${either}--${name}${offer === null ? "" : "="}${about}${follows}`,
    ...(short === undefined ? [] : [`${either}-${short}${offer === null ? "" : "+"}${about}${follows}`]),
  ];
}

function action(offer: Offer): string {
  switch (offer.kind) {
    case "choices":
      return `(${offer.choices.join(" ")})`;
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "link":
      return "_connectd_links";
    case "none":
      return " ";
  }
}

/** Completions for bash, from 3.2 on. */
import { LINK_NAMES, type Offer, type Offers, quoted } from "./offer.ts";

/** The script, to be evaluated. */
export function bashScript(offers: readonly Offers[]): string {
  const verbs = offers.map(({ verb }) => verb).join(" ");
  return `# connectd completions bash
_connectd() {
  local IFS=$'\\n' cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]}
  COMPREPLY=()
  # --flag=value comes as three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [[ $COMP_CWORD == 1 && $cur != -* ]]; then _connectd_of ${quoted(verbs)}; return; fi
  [[ $verb == -* ]] && verb=run
  case $verb in
${offers.map(verbCase).join("\n")}
  esac
}
_connectd_of() {
  local IFS=$' \\n'
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}
_connectd_paths() {
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$cur"))
}
_connectd_links() {
  _connectd_of "$(${LINK_NAMES})"
}
complete -F _connectd connectd
`;
}

function verbCase({ verb, words, flags }: Offers): string {
  const values = flags.filter(({ offer }) => offer !== null).map(({ flag: { name, short }, offer }) =>
    `      ${short === undefined ? "" : `-${short}|`}--${name}) ${act(offer!)}; return ;;`
  );
  const names = flags.map(({ flag }) => `--${flag.name}`).join(" ");
  return `    ${verb})
${
    values.length === 0
      ? ""
      : `      case $prev in\n${values.map((line) => `  ${line}`).join("\n")}\n      esac\n`
  }` +
    `      if [[ $cur == -* ]]; then _connectd_of ${quoted(names)}; else ${act(words)}; fi ;;`;
}

function act(offer: Offer): string {
  switch (offer.kind) {
    case "choices":
      return `_connectd_of ${quoted(offer.choices.join(" "))}`;
    case "file":
      return "_connectd_paths -f";
    case "folder":
      return "_connectd_paths -d";
    case "link":
      return "_connectd_links";
    case "none":
      return ":";
  }
}

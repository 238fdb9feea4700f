/** `connectd completions`: what a shell offers behind a half-typed word, made of the table of verbs. */
import { bashScript } from "./completions/bash.ts";
import { fishScript } from "./completions/fish.ts";
import type { Offer, Offers } from "./completions/offer.ts";
import { zshScript } from "./completions/zsh.ts";
import { oneOf } from "./log_flags.ts";
import { out } from "./print.ts";
import { brief, type Flag, HELP, orUsage, type Verb } from "./verb.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
const SHELLS = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];

/** The verb, for all of `verbs`. `topics`: what `help` knows besides them. */
export function completionsVerb(verbs: () => readonly Verb[], topics: readonly string[]): Verb {
  return {
    name: "completions",
    words: SHELLS.join("|"),
    count: [1, 1],
    summary: "Prints the script by which a shell completes verbs, flags and the names of links.",
    more: 'bash: eval "$(connectd completions bash)" in ~/.bashrc\n' +
      "zsh:  source <(connectd completions zsh) in ~/.zshrc, behind compinit\n" +
      "fish: connectd completions fish > ~/.config/fish/completions/connectd.fish",
    flags: [],
    run({ words: [shell] }) {
      const script = SCRIPTS[orUsage("", () => oneOf(shell, SHELLS))];
      out(script(offersOf(verbs(), topics)).trimEnd());
      return Promise.resolve(0);
    },
  };
}

/** What there is to offer behind each verb. */
export function offersOf(verbs: readonly Verb[], topics: readonly string[]): Offers[] {
  const names = verbs.map(({ name }) => name);
  return verbs.map((verb) => ({
    verb: verb.name,
    brief: brief(verb),
    takesWords: verb.count[1] > 0,
    words: wordsOffer(verb.words ?? "", [...names, ...topics]),
    several: /^\[?[A-Z]+…/.test(verb.words ?? ""),
    flags: [...verb.flags, HELP].map((flag) => ({ flag, offer: flagOffer(flag) })),
  }));
}

/** By how its words are written in the help. */
function wordsOffer(words: string, helped: readonly string[]): Offer {
  const choices = /^\[?([a-z]+(?:\|[a-z]+)+)/.exec(words)?.[1].split("|");
  if (choices !== undefined) return { kind: "choices", choices };
  if (/\bVERB\b/.test(words)) return { kind: "choices", choices: helped };
  if (/^\[?FILE\b/.test(words)) return { kind: "file" };
  if (/^\[?NAME\b/.test(words)) return { kind: "link" };
  return { kind: "none" };
}

/** Null: a switch, which nothing follows. */
function flagOffer({ name, value, choices }: Flag): Offer | null {
  if (value === undefined) return null;
  if (choices !== undefined) return { kind: "choices", choices };
  if (value === "FILE") return { kind: "file" };
  if (value === "DIR") return { kind: "folder" };
  return { kind: name === "link" ? "link" : "none" };
}

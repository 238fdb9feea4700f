/** What the runtime's TLS says of a certificate that it does not take, for people. */

const PREFIX = "invalid peer certificate: ";

/** By the names of rustls (webpki), as far as somebody can do something about them. */
const WORDS: readonly (readonly [name: RegExp, words: string])[] = [
  [/^UnknownIssuer/, "no authority that is known here signed it"],
  // What `openssl req -x509` makes where it is not told otherwise.
  [/CaUsedAsEndEntity/, "it is its own authority, and none that is known here"],
  [/^Expired/, "it has expired"],
  [/^NotValidYet/, "it is not valid yet"],
];

/** The same error in words where it is about a certificate, else `error` itself. */
export function inWords(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith(PREFIX)) return error;
  const said = error.message.slice(PREFIX.length);
  const words = WORDS.find(([name]) => name.test(said))?.[1] ?? said;
  return new Error(`the certificate is not trusted: ${words}`, { cause: error });
}

/** HTTP methods that a link may be limited to. */
import { quote } from "./units.ts";

const METHOD = /^[A-Z][A-Z0-9-]{0,31}$/;

/** What no link forwards: a tunnel to anywhere, an echo of the credentials sent, and HTTP/2's preface. */
const NEVER: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "PRI"]);

/** True for a method that may be listed and forwarded. */
export function isMethod(text: string): boolean {
  return METHOD.test(text) && !NEVER.has(text);
}

/** Throws a SyntaxError unless `text` may stand in a `methods` list. */
export function checkMethod(text: string): void {
  if (text === "") throw new SyntaxError("a method is empty");
  if (NEVER.has(text)) throw new SyntaxError(`${quote(text)} is never forwarded, so it can not be listed`);
  if (METHOD.test(text)) return;
  const capitals = text.toUpperCase();
  const meant = isMethod(capitals) ? `: methods are in capitals, write ${capitals}` : "";
  throw new SyntaxError(`${quote(text)} is no method${meant}`);
}

/** Reads a comma list without spaces, as `--methods` has it: `GET,POST`. */
export function parseMethods(text: string): string[] {
  if (text === "") throw new SyntaxError("the list of methods is empty");
  const methods = text.split(",");
  if (methods.includes("")) throw new SyntaxError(`${quote(text)} has an empty name between its commas`);
  methods.forEach(checkMethod);
  return methods;
}

/** `GET,POST`, which `parseMethods` reads back. */
export function printMethods(methods: readonly string[]): string {
  return methods.join(",");
}

/** The methods that a list admits: GET implies HEAD, which comes right behind it. */
export function admittedMethods(methods: readonly string[]): string[] {
  const admitted = methods.flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]);
  return [...new Set(admitted)];
}

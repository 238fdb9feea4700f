/** A captured request in an editor: its head and body as a file that nobody else can read, and that goes in any case. */
import { Buffer } from "node:buffer";
import { Failure } from "../core/errors.ts";
import { fieldOf, headLines } from "../core/http1/lines.ts";
import { latin1, toBytes } from "../core/latin1.ts";
import { type BodyJson, type FullRequestJson, octetsOf } from "./captured.ts";
import { complain } from "./print.ts";

/** What is to be another, as the control API takes it. */
export interface Edit {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
  readonly bodyEncoding?: "base64";
}

/** Has a person edit `request`. Null: nothing was changed. Throws Failure where there is no editor, or what was saved is no request. */
export async function editRequest(request: FullRequestJson): Promise<Edit | null> {
  // Made with mode 0600.
  const file = Deno.makeTempFileSync({ prefix: "connectd-", suffix: ".http" });
  // Whoever ends this ends it with the file; Ctrl-C within the editor is the editor's.
  const clean = () => Deno.removeSync(file);
  const leave = () => {
    clean();
    Deno.exit(1);
  };
  const signals = ["SIGTERM", "SIGHUP", "SIGINT"] as const;
  let editing = false;
  const interrupted = () => editing ? undefined : leave();
  for (const signal of signals) Deno.addSignalListener(signal, signal === "SIGINT" ? interrupted : leave);
  try {
    Deno.writeFileSync(file, fileOf(request));
    if (Deno.permissions.querySync({ name: "run" }).state === "granted") {
      editing = true;
      await runEditor(file);
    } else await waitForEdit(file);
    return editOf(request, Deno.readFileSync(file));
  } finally {
    for (const signal of signals) {
      Deno.removeSignalListener(signal, signal === "SIGINT" ? interrupted : leave);
    }
    clean();
  }
}

/** As git and others start it: the variable is a line for the shell. */
async function runEditor(file: string): Promise<void> {
  const editor = Deno.env.get("VISUAL") || Deno.env.get("EDITOR") || "vi";
  const { success, code } = await new Deno.Command("sh", {
    args: ["-c", `${editor} "$@"`, editor, file],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (!success) {
    throw new Failure(`the editor ended with ${code}: nothing was sent`, { hint: "set $VISUAL or $EDITOR" });
  }
}

/** Without a permission to start programs a person opens the file. */
async function waitForEdit(file: string): Promise<void> {
  if (!Deno.stdin.isTerminal()) {
    throw new Failure("no editor can be started: this program may start no others", {
      hint: "`deno task replay` may, and so does a `deno run` with --allow-run",
    });
  }
  complain(`edit ${file}, then press Enter to send it, Ctrl-C to leave it`);
  if (await Deno.stdin.read(new Uint8Array(1024)) === null) throw new Failure("nothing was sent");
}

/** The file: the head in lines of their own, an empty one, the body as it is. */
export function fileOf({ request: { head, body } }: FullRequestJson): Uint8Array {
  return Buffer.concat([
    toBytes(headLines(head).join("\n") + "\n\n"),
    body === null ? new Uint8Array() : octetsOf(body),
  ]);
}

/** What `saved` has that `request` has not; null: nothing. Throws Failure where it is no request. */
export function editOf(request: FullRequestJson, saved: Uint8Array): Edit | null {
  const text = latin1(saved);
  if (text.trim() === "") throw new Failure("the file is empty: nothing was sent");
  const blank = /\r?\n\r?\n/.exec(text);
  const lines = (blank === null ? text.trimEnd() : text.slice(0, blank.index)).split(/\r?\n/);
  const body = blank === null ? "" : text.slice(blank.index + blank[0].length);
  const first = /^(\S+) (\S+)(?: HTTP\/1\.[01])?$/.exec(lines[0].trimEnd());
  if (first === null) {
    throw new Failure("the first line is no request: nothing was sent", {
      hint: "it begins as in POST /path HTTP/1.1",
    });
  }
  const headers = lines.slice(1).map((line, i) => {
    if (line.indexOf(":") > 0) return fieldOf(line);
    throw new Failure(`line ${i + 2} is no field: nothing was sent`, { hint: "a field is Name: value" });
  });
  const [, method, target] = first;
  const before = headLines(request.request.head).slice(1).map(fieldOf);
  const edit: Edit = {
    ...(method === request.method ? {} : { method }),
    ...(target === request.target ? {} : { target }),
    ...(JSON.stringify(headers) === JSON.stringify(before) ? {} : { headers }),
    ...(isSame(body, request.request.body) ? {} : { body: btoa(body), bodyEncoding: "base64" as const }),
  };
  return Object.keys(edit).length === 0 ? null : edit;
}

/** Editors end a last line that has no end: that is no edit. */
function isSame(body: string, before: BodyJson | null): boolean {
  const was = before === null ? "" : latin1(octetsOf(before));
  return body === was || (body === was + "\n" && !was.endsWith("\n"));
}

/** A captured request sent again, edited or not, and its answer beside the first. */
import { Buffer } from "node:buffer";
import { readForm, seeOther } from "../../../api/form.ts";
import { ApiProblem } from "../../../api/problem.ts";
import type { Field } from "../../../core/errors.ts";
import { Notice } from "../../../pages/parts.tsx";
import type { FullRequestJson } from "../../witnesses/capture_json.ts";
import { fullRequestJson } from "../../witnesses/capture_json.ts";
import type { Edit } from "../edited_request.ts";
import { replayRequest } from "../requests.ts";
import type { ControlState } from "../state.ts";
import { type Call, show } from "./frame.tsx";
import { Answer, captured, Summary, viewOf } from "./request.tsx";

type Form = ReadonlyMap<string, string>;

/** `POST /requests/{id}/replay` */
export async function replay(context: Call, state: ControlState): Promise<Response> {
  const form = await readForm(context);
  const { id } = await replayRequest(state.witnesses, captured(context, state), {
    via: viaOf(form),
    edit: null,
  });
  return seeOther(`/requests/${encodeURIComponent(id)}/beside`);
}

/** `GET /requests/{id}/edit` */
export function editPage(context: Call, state: ControlState): Response {
  const request = fullRequestJson(captured(context, state));
  return editForm(context, state, request, new Map(), null);
}

/** `POST /requests/{id}/edit`: what is wrong is shown beside what was typed. */
export async function edit(context: Call, state: ControlState): Promise<Response> {
  const capture = captured(context, state);
  const form = await readForm(context);
  const request = fullRequestJson(capture);
  try {
    const again = await replayRequest(state.witnesses, capture, {
      via: viaOf(form),
      edit: readEdit(form, request),
    });
    return seeOther(`/requests/${encodeURIComponent(again.id)}/beside`);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    return editForm(context, state, request, form, error);
  }
}

/** `GET /requests/{id}/beside`: the answers to a request that was sent again, and to the one that it sends again. */
export function besidePage(context: Call, state: ControlState): Response {
  const capture = captured(context, state);
  const now = fullRequestJson(capture);
  const first = now.replayOf === null ? undefined : state.witnesses.captures.get(now.replayOf);
  const before = first === undefined ? null : fullRequestJson(first);
  const view = viewOf(context);
  const at = state.clock.now();
  const column = (title: string, id: string, request: FullRequestJson, other: FullRequestJson | null) => (
    <section>
      <h2>
        <a href={`/requests/${encodeURIComponent(request.id)}`}>{title}</a>
      </h2>
      <Summary request={request} now={at} />
      <Answer
        id={id}
        request={request}
        view={view}
        {...(other === null ? {} : { unlike: other.response?.head ?? "" })}
      />
    </section>
  );
  return show(context, state, {
    title: `${now.method} ${now.path}, twice`,
    current: "/requests",
    body: (
      <>
        <h1 class="mono">{now.method} {now.target}</h1>
        <div class="two">
          {before === null
            ? (
              <section>
                <h2>The first answer</h2>
                <p class="quiet">That request is kept no more.</p>
              </section>
            )
            : column("The first answer", "first", before, now)}
          {column("The answer now", "now", now, before)}
        </div>
        <p class="row">
          <a class="button" href={`/requests/${encodeURIComponent(now.id)}/edit`}>Edit and send…</a>
        </p>
      </>
    ),
  });
}

function viaOf(form: Form): "policy" | "target" {
  return form.get("via") === "target" ? "target" : "policy";
}

/** Whether the form can hold the body: all of it was kept, or it has none. */
function bodyShown({ request: { body } }: FullRequestJson): boolean {
  return body !== null && body.kept === body.length;
}

function readEdit(form: Form, request: FullRequestJson): Edit {
  const { body } = request.request;
  const typed = form.get("body");
  const headers = (form.get("headers") ?? "").split(/\r?\n/).filter((line) => line.trim() !== "").map(
    (line): Field => {
      const colon = line.indexOf(":");
      if (colon > 0) return [line.slice(0, colon), line.slice(colon + 1).trim()];
      throw new ApiProblem(
        422,
        "invalid",
        `A header field is a name, a colon and a value: ${JSON.stringify(line)}.`,
      );
    },
  );
  // Where it could not be shown, an empty field says nothing.
  const edited = typed === undefined && !bodyShown(request) ? undefined : octets(typed ?? "", body);
  return {
    method: form.get("method") ?? request.method,
    target: form.get("target") ?? request.target,
    headers,
    ...(edited === undefined ? {} : { body: edited }),
  };
}

/** What was typed for `body`; undefined: it is as it was. A browser makes every end of a line CR LF, whatever it was. */
function octets(typed: string, body: FullRequestJson["request"]["body"]): Uint8Array | undefined {
  if (body?.encoding === "base64") return Buffer.from(typed, "base64");
  const lines = (text: string) => text.split(/\r\n|\r|\n/);
  const was = body?.text ?? "";
  if (lines(typed).join("\n") === lines(was).join("\n")) return undefined;
  return Buffer.from(lines(typed).join(/\r\n/.test(was) && !/[^\r]\n/.test(was) ? "\r\n" : "\n"));
}

function editForm(
  context: Call,
  state: ControlState,
  request: FullRequestJson,
  typed: Form,
  problem: ApiProblem | null,
): Response {
  const { id, method, target, request: { head, body } } = request;
  const path = `/requests/${encodeURIComponent(id)}`;
  const fields = head.replace(/(\r\n)+$/, "").split("\r\n").slice(1).join("\n");
  const shown = bodyShown(request);
  const value = (name: string, was: string) => typed.get(name) ?? was;
  return show(context, state, {
    title: `Edit ${method} ${request.path}`,
    current: "/requests",
    status: problem?.status ?? 200,
    body: (
      <>
        <h1>Edit and send</h1>
        {problem !== null && (
          <Notice tone="bad">
            <p>{problem.message}</p>
            {problem.errors.map(({ pointer, detail }) => <p>{pointer.slice(1)} {detail}</p>)}
          </Notice>
        )}
        <form method="post" action={`${path}/edit`}>
          <div class="row end">
            <label>
              Method
              <input name="method" value={value("method", method)} required size={8} spellcheck={false} />
            </label>
            <label class="wide">
              Path and query
              <input name="target" value={value("target", target)} required spellcheck={false} />
            </label>
          </div>
          <p class="full">
            <label>
              Header fields, one a line; what is shown as *** is sent as it was
              <textarea name="headers" spellcheck={false}>{"\n" + value("headers", fields)}</textarea>
            </label>
          </p>
          <p class="full">
            <label>
              {body?.encoding === "base64" ? "Body, in base64" : "Body"}
              {!shown && " (what came is not, or not wholly, kept: what you type is sent in its place)"}
              <textarea name="body" spellcheck={false}>
                {"\n" + value("body", shown ? body!.text : "")}
              </textarea>
            </label>
          </p>
          <div class="row">
            <button type="submit" name="via" value="policy">Send</button>
            <button type="submit" name="via" value="target">Send past the policy</button>
            <a href={path}>Back</a>
          </div>
        </form>
      </>
    ),
  });
}

/** `/new`: a link for a while, as `connectd link` makes one. */
import { Notice } from "../../../pages/parts.tsx";
import { readForm, readList, seeOther } from "../../../api/form.ts";
import { ApiProblem } from "../../../api/problem.ts";
import type { ControlState } from "../state.ts";
import { type Call, show } from "./frame.tsx";
import { pathOf } from "./link.tsx";

/** The fields, in the order in which they are asked for. */
const INPUTS = [
  { name: "target", label: "Target", hint: "localhost:3000", required: true },
  { name: "name", label: "Name", hint: "made of the target" },
  { name: "ttl", label: "For how long", hint: "24h" },
  { name: "methods", label: "Methods", hint: "all; or GET, POST" },
  { name: "paths", label: "Paths", hint: "all; or /api, /health" },
  { name: "rate", label: "Rate", hint: "no limit; or 60/m" },
] as const;

type Form = ReadonlyMap<string, string>;

export function newPage(context: Call, state: ControlState): Response {
  return form(context, state, new Map(), null);
}

/** `POST /new`: what is wrong is shown beside what was typed. */
export async function create(context: Call, state: ControlState): Promise<Response> {
  const typed = await readForm(context);
  try {
    const { name } = await state.create(wishOf(typed), "page");
    return seeOther(pathOf(name));
  } catch (error) {
    if (error instanceof ApiProblem && error.status < 500) return form(context, state, typed, error);
    throw error;
  }
}

/** The body of `POST /v1/links` for what was typed. */
function wishOf(typed: Form): Record<string, unknown> {
  const target = typed.get("target") ?? "";
  const wish = {
    target,
    name: typed.get("name") ??
      target.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replace(/^-+/, "").slice(0, 63),
    ttl: typed.get("ttl"),
    methods: readList(typed.get("methods")?.toUpperCase()),
    paths: readList(typed.get("paths")),
    rate: typed.get("rate"),
  };
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
}

function form(context: Call, state: ControlState, typed: Form, problem: ApiProblem | null): Response {
  const said = (name: string) =>
    problem?.errors.filter(({ pointer }) => pointer.split("/")[1] === name).map(({ detail }) => detail).join(
      "; ",
    );
  return show(context, state, {
    title: "New link",
    current: "/",
    status: problem?.status ?? 200,
    body: (
      <>
        <h1>New link</h1>
        <p>
          It lives until it ends or is revoked, over restarts too. For one that stays, write it into
          links.yaml.
        </p>
        {problem !== null && (
          <Notice tone="bad">
            <p>{problem.message}</p>
            {problem.errors.map(({ pointer, detail }) => <p>{pointer.slice(1)} {detail}</p>)}
          </Notice>
        )}
        <form method="post" action="/new">
          {INPUTS.map(({ name, label, hint, ...rest }) => (
            <p>
              <label>
                {label}
                <input
                  name={name}
                  value={typed.get(name)}
                  placeholder={hint}
                  required={"required" in rest}
                  autocomplete="off"
                  spellcheck={false}
                  aria-invalid={said(name) ? "true" : undefined}
                />
              </label>
            </p>
          ))}
          <div class="row">
            <button type="submit" class="main">Make the link</button>
            <a href="/">Back</a>
          </div>
        </form>
      </>
    ),
  });
}

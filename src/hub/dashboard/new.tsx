/** `/new`: a link to a service whose daemon lets the hub make some. */
import { readForm, seeOther } from "../../api/form.ts";
import { ApiProblem } from "../../api/problem.ts";
import { Command, Notice } from "../../pages/parts.tsx";
import type { Visit } from "./board.ts";
import { show } from "./frame.tsx";
import { pathOf } from "./find.ts";
import { Inputs, isWrong, type Typed, wishOf } from "./link_form.tsx";
import { Said } from "./problem.tsx";

export function newPage(visit: Visit): Response {
  checkMay(visit);
  return form(visit, new Map(Object.entries(visit.context.req.query())), null);
}

/** `POST /new`: what is wrong is shown beside what was typed. */
export async function create(visit: Visit): Promise<Response> {
  checkMay(visit);
  const typed = await readForm(visit.context);
  const [daemon, service] = (typed.get("service") ?? "").split("/");
  const name = typed.get("name"), subdomain = typed.get("subdomain");
  const body = {
    service: service ?? "",
    daemon,
    ...(name === undefined ? {} : { name }),
    ...(subdomain === undefined ? {} : { subdomain }),
    ...wishOf(typed),
  };
  try {
    // The form has a key of its own: sent twice, it makes one link.
    const once = typed.get("once") ?? "";
    const { json } = await visit.board.call(visit, "POST", "/v1/links", body, { "Idempotency-Key": once });
    return seeOther(pathOf(json));
  } catch (error) {
    if (error instanceof ApiProblem && error.status < 500) return form(visit, typed, error);
    throw error;
  }
}

function checkMay({ board, caller }: Visit): void {
  if (board.may(caller, "POST /v1/links")) return;
  throw new ApiProblem(403, "forbidden", `A token of scope ${caller.scope} makes no links.`);
}

function form(visit: Visit, typed: Typed, problem: ApiProblem | null): Response {
  const { board: { state }, caller: { workspace } } = visit;
  const services = state.desk.services.list(workspace).filter(({ remote, access, kind, online }) =>
    remote && online && access === "public" && kind === "http"
  );
  return show(visit, {
    title: "New link",
    current: "/",
    status: problem?.status ?? 200,
    body: (
      <>
        <h1>New link</h1>
        {problem !== null && <Said problem={problem} />}
        {services.length === 0 ? <None /> : (
          <form method="post" action="/new">
            <input type="hidden" name="once" value={crypto.randomUUID()} />
            <p>
              <label>
                Service
                <select name="service" aria-invalid={isWrong(problem, "service") ? "true" : undefined}>
                  {services.map(({ name, daemon }) => (
                    <option
                      value={`${daemon}/${name}`}
                      selected={typed.get("service") === `${daemon}/${name}`}
                    >
                      {name} at {daemon}
                    </option>
                  ))}
                </select>
              </label>
            </p>
            <Text name="name" label="Name" hint="the service's" typed={typed} problem={problem} />
            <Text name="subdomain" label="Subdomain" hint="a random one" typed={typed} problem={problem} />
            <Inputs typed={typed} problem={problem} />
            <div class="row">
              <button type="submit" class="main">Make the link</button>
              <a href="/">Back</a>
            </div>
          </form>
        )}
      </>
    ),
  });
}

function Text(
  { name, label, hint, typed, problem }: {
    name: string;
    label: string;
    hint: string;
    typed: Typed;
    problem: ApiProblem | null;
  },
) {
  return (
    <p>
      <label>
        {label}
        <input
          name={name}
          value={typed.get(name)}
          placeholder={hint}
          autocomplete="off"
          spellcheck={false}
          aria-invalid={isWrong(problem, name) ? "true" : undefined}
        />
      </label>
    </p>
  );
}

function None() {
  return (
    <Notice>
      <p>
        No daemon of this workspace lets the hub make links. One that shall has this in its links.yaml:
      </p>
      <pre>{"remote: manage\nservices:\n  my-api: { target: localhost:3000, remote: true }"}</pre>
      <p>A link is made on the daemon's own machine, too:</p>
      <Command text="connectd link localhost:3000" />
    </Notice>
  );
}

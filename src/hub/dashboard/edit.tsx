/** `/links/{id}/edit`: what a link lets through, as far as its daemon takes that from a hub. */
import { readForm, seeOther } from "../../api/form.ts";
import { ApiProblem } from "../../api/problem.ts";
import { printRate, printSize } from "../../core/units.ts";
import type { HubLink } from "../link.ts";
import type { Visit } from "./board.ts";
import { isManaged, named, pathOf } from "./find.ts";
import { show } from "./frame.tsx";
import { Inputs, patchOf, type Typed } from "./link_form.tsx";
import { Said } from "./problem.tsx";

export async function editPage(visit: Visit): Promise<Response> {
  const link = named(visit);
  checkMay(visit, link);
  const { etag } = await visit.board.call(visit, "GET", `/v1${pathOf(link)}`);
  return form(visit, link, typedOf(link), etag ?? "*", null);
}

/** `POST /links/{id}/edit`: only what was changed in the form is changed, and only if nobody else has meanwhile. */
export async function edit(visit: Visit): Promise<Response> {
  const link = named(visit);
  checkMay(visit, link);
  const typed = await readForm(visit.context);
  const seen = typed.get("seen") ?? "";
  const patch = patchOf(typed, typedOf(link));
  if (Object.keys(patch).length === 0) return seeOther(pathOf(link));
  try {
    await visit.board.call(visit, "PATCH", `/v1${pathOf(link)}`, patch, { "If-Match": seen });
    return seeOther(pathOf(link));
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status >= 500) throw error;
    return form(visit, link, typed, seen, error);
  }
}

function checkMay({ board, caller }: Visit, link: HubLink): void {
  if (!board.may(caller, "PATCH /v1/links/:id")) {
    throw new ApiProblem(403, "forbidden", `A token of scope ${caller.scope} changes no links.`);
  }
  if (!isManaged(link)) {
    throw new ApiProblem(403, "not_managed", "The daemon of this link takes no changes from the hub.");
  }
}

/** A link's rules as the form writes them. */
function typedOf({ policy }: HubLink): Typed {
  if (policy === null) return new Map();
  const { methods, paths, rate, allowIps, maxBody, maxStreams } = policy.spec;
  const rows: [string, string | undefined][] = [
    ["methods", methods?.join(", ")],
    ["paths", paths?.join(", ")],
    ["rate", rate.map(printRate).join(", ")],
    ["allowIps", allowIps?.join(", ")],
    ["maxBody", maxBody === null ? undefined : printSize(maxBody)],
    ["maxStreams", maxStreams === null ? undefined : String(maxStreams)],
  ];
  return new Map(rows.filter((row): row is [string, string] => row[1] !== undefined && row[1] !== ""));
}

function form(visit: Visit, link: HubLink, typed: Typed, seen: string, problem: ApiProblem | null): Response {
  const { name } = link.record, path = pathOf(link);
  return show(visit, {
    title: `Edit ${name}`,
    current: "/",
    status: problem?.status ?? 200,
    body: (
      <>
        <h1>Edit {name}</h1>
        {problem !== null && <Said problem={problem} />}
        {problem?.code === "precondition_failed" && (
          <p>
            <a href={`${path}/edit`}>Begin again</a> with the link as it is now.
          </p>
        )}
        <p>No connection drops; what its rates have counted stays. An empty field takes its rule away.</p>
        <form method="post" action={`${path}/edit`}>
          <input type="hidden" name="seen" value={seen} />
          <Inputs typed={typed} problem={problem} without={["ttl"]} />
          <div class="row">
            <button type="submit" class="main">Change the link</button>
            <a href={path}>Back</a>
          </div>
        </form>
      </>
    ),
  });
}

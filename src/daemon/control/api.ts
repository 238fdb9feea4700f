/** The control API: a daemon's links and its file, for whoever may command it (interfaces: APIs). */
import type { Context, Hono } from "hono";
import { type CallEnv, createApp, type Operation } from "../../api/app.ts";
import { notFound, page, readObject, readOptionalObject } from "../../api/call.ts";
import { ApiProblem, type BodyError } from "../../api/problem.ts";
import { Failure } from "../../core/errors.ts";
import { parseDuration } from "../../core/units.ts";
import type { Log } from "../../log.ts";
import type { Renewal } from "../renewal.ts";
import { eventStream } from "./event_stream.ts";
import type { ControlState } from "./state.ts";

type Call = Context<CallEnv>;

/** The API over `state`. `admit` throws ApiProblem for a call that may not go on. */
export function createControlApi(
  state: ControlState,
  admit: (context: Call) => void,
  log: Log,
): Hono<CallEnv> {
  return createApp<CallEnv>({
    operations: operationsOn(state),
    admit,
    explain: (error) => error instanceof Failure ? new ApiProblem(503, "unavailable", error.message) : null,
    log,
  });
}

function operationsOn(state: ControlState): Operation<CallEnv>[] {
  const named = (context: Call) => {
    const name = context.req.param("name")!;
    const link = state.link(name);
    if (link === undefined) throw notFound("link", name);
    return link;
  };
  return [
    { method: "GET", path: "/healthz", run: (context) => context.json({ ok: true }) },
    { method: "GET", path: "/v1/status", run: (context) => context.json(state.status()) },
    {
      method: "GET",
      path: "/v1/links",
      run: (context) => page(context, state.links(), ({ name }) => name, (link) => link),
    },
    { method: "GET", path: "/v1/links/:name", run: (context) => context.json(named(context)) },
    {
      method: "POST",
      path: "/v1/links",
      async run(context) {
        const link = await state.create(await readObject(context));
        return context.json(link, 201, { Location: `/v1/links/${link.name}` });
      },
    },
    {
      method: "DELETE",
      path: "/v1/links/:name",
      run: async (context) => context.json(await state.revoke(named(context).name)),
    },
    {
      method: "POST",
      path: "/v1/links/:name/renew",
      async run(context) {
        const wish = readRenewal(await readOptionalObject(context));
        return context.json(await state.renew(named(context).name, wish));
      },
    },
    {
      method: "POST",
      path: "/v1/reload",
      async run(context) {
        const answer = await state.reload(readReload(await readOptionalObject(context)));
        return context.json(answer, answer.applied ? 200 : 422);
      },
    },
    {
      method: "GET",
      path: "/v1/plan",
      run: async (context) => context.json(await state.plan()),
    },
    { method: "GET", path: "/v1/events", run: (context) => eventStream(context, state) },
  ];
}

/** Throws ApiProblem where `body` has members that are not known, or that `check` finds wrong. */
function checkMembers(
  body: Record<string, unknown>,
  known: Record<string, (value: unknown) => string | null>,
) {
  const errors = Object.entries(body).flatMap(([member, value]): BodyError[] => {
    const detail = Object.hasOwn(known, member) ? known[member](value) : "is not known";
    return detail === null
      ? []
      : [{ pointer: `/${member.replaceAll("~", "~0").replaceAll("/", "~1")}`, detail }];
  });
  if (errors.length > 0) throw new ApiProblem(422, "invalid", "The body can not be taken.", [], errors);
}

const isFlag = (value: unknown) => typeof value === "boolean" ? null : "is neither true nor false";

function readReload(body: Record<string, unknown>): { allowEmpty?: boolean } {
  checkMembers(body, { allowEmpty: isFlag });
  return body;
}

/** `{ttl?, newId?}` */
function readRenewal(body: Record<string, unknown>): Renewal {
  let ttlMs: number | null | undefined;
  checkMembers(body, {
    newId: isFlag,
    ttl(value) {
      if (typeof value !== "string") return "is no text such as 1h";
      try {
        ttlMs = parseDuration(value);
        return ttlMs === 0 ? "is over as it begins" : null;
      } catch (error) {
        return (error as Error).message;
      }
    },
  });
  return {
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(body.newId === undefined ? {} : { newId: body.newId as boolean }),
  };
}

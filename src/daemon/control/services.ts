/** Services in the control API. */
import type { CallEnv, Operation } from "../../api/app.ts";
import { notFound, page, readObject } from "../../api/call.ts";
import { object, pageOf, PAGING, type Schema } from "../../api/documentation.ts";
import { callerOf } from "./caller.ts";
import type { ControlState } from "./state.ts";

const NAME: Schema = { type: "string", pattern: "^[a-z0-9][a-z0-9-]{0,62}$" };
const params = { name: { doc: "The name of a service.", schema: NAME } };

const SERVICE: Schema = {
  title: "Service",
  ...object({
    name: NAME,
    target: { type: "string" },
    access: { type: "string", enum: ["public", "private"] },
    allow: {
      type: ["array", "null"],
      items: { type: "string" },
      description: "Names of the tokens that may reach it; null: any of the workspace.",
    },
    remote: { type: "boolean" },
    source: { type: "string", enum: ["file", "exposed"] },
    open: { type: "integer", minimum: 0, description: "Connections of members." },
  }),
};

const WISH: Schema = {
  title: "ServiceWish",
  ...object({
    name: NAME,
    target: {
      type: "string",
      description: "`localhost:3000`, `tcp://localhost:5432`, `unix:/run/app.sock`.",
    },
    allow: {
      type: ["array", "null"],
      items: NAME,
      minItems: 1,
      maxItems: 100,
      description: "As of a service.",
    },
  }, ["allow"]),
};

/** The operations on services. */
export function serviceOperations(state: ControlState): Operation<CallEnv>[] {
  return [
    {
      method: "GET",
      path: "/v1/services",
      summary: "All services, by name",
      query: PAGING,
      answers: { 200: { doc: "One page.", schema: pageOf(SERVICE) } },
      problems: [422],
      run: (context) => page(context, state.exposed.list(), ({ name }) => name, (service) => service),
    },
    {
      method: "GET",
      path: "/v1/services/:name",
      summary: "One service",
      params,
      answers: { 200: { doc: "The service.", schema: SERVICE } },
      problems: [404],
      run(context) {
        const name = context.req.param("name")!;
        const service = state.exposed.find(name);
        if (service === undefined) throw notFound("service", name);
        return context.json(service);
      },
    },
    {
      method: "POST",
      path: "/v1/services",
      summary: "Make a private service that no file names; the same again changes nothing",
      body: { schema: WISH },
      answers: { 201: { doc: "The service; Location is its path.", schema: SERVICE } },
      problems: [409, 503],
      async run(context) {
        const service = await state.exposed.expose(await readObject(context), callerOf(context));
        return context.json(service, 201, { Location: `/v1/services/${service.name}` });
      },
    },
    {
      method: "DELETE",
      path: "/v1/services/:name",
      summary: "Close a service that no file names, and cut its connections",
      params,
      answers: { 200: { doc: "The service as it was.", schema: SERVICE } },
      problems: [404, 409, 503],
      async run(context) {
        const name = context.req.param("name")!;
        return context.json(await state.exposed.closeService(name, callerOf(context)));
      },
    },
  ];
}

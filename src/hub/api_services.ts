/** Services in the hub's API: names for targets, by daemon. */
import { notFound, page } from "../api/call.ts";
import { object, pageOf, PAGING, type Schema } from "../api/documentation.ts";
import { type Operation, READERS } from "./api_operation.ts";
import { serviceKey } from "./services.ts";
import type { HubState } from "./state.ts";

const TEXT: Schema = { type: "string" };

const SERVICE: Schema = {
  title: "Service",
  ...object({
    name: TEXT,
    kind: { type: "string", enum: ["http", "tcp"] },
    access: { type: "string", enum: ["public", "private"] },
    remote: { type: "boolean", description: "Links to it can be made here." },
    port: {
      type: ["integer", "null"],
      description:
        "Of its target, where it is private: what whoever reaches it may have on their own machine.",
    },
    daemon: TEXT,
    workspace: TEXT,
    online: { type: "boolean", description: "Its daemon is connected." },
  }),
};

/** The operations on services. */
export function serviceRoutes(state: HubState): Operation[] {
  return [
    {
      method: "GET",
      path: "/v1/services",
      summary: "The services of the workspace, by name",
      query: PAGING,
      answers: { 200: { doc: "One page.", schema: pageOf(SERVICE) } },
      problems: [422],
      scopes: READERS,
      run: (context) =>
        page(
          context,
          state.desk.services.list(context.var.caller.workspace),
          serviceKey,
          (service) => service,
        ),
    },
    {
      method: "GET",
      path: "/v1/services/:name",
      summary: "The services of one name: several daemons may each have one",
      params: { name: { doc: "Its name.", schema: TEXT } },
      query: PAGING,
      answers: { 200: { doc: "One page.", schema: pageOf(SERVICE) } },
      problems: [404, 422],
      scopes: READERS,
      run(context) {
        const name = context.req.param("name")!;
        const found = state.desk.services.named(context.var.caller.workspace, name);
        if (found.length === 0) throw notFound("service", name);
        found.sort((a, b) => serviceKey(a) < serviceKey(b) ? -1 : 1);
        return page(context, found, serviceKey, (service) => service);
      },
    },
  ];
}

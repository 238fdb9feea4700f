/** The links that somebody may see. */
import { notFound } from "../../api/call.ts";
import type { HubLink } from "../link.ts";
import type { Visit } from "./board.ts";

/** Those that are declared in the workspace. */
export function* linksOf({ board, caller: { workspace } }: Visit): Iterable<HubLink> {
  for (const link of board.state.names.all()) {
    if (link.record.declared && link.record.workspace === workspace) yield link;
  }
}

/** The one with this id; null: there is none, or it is another workspace's. */
export function linkOf({ board, caller }: Visit, id: string): HubLink | null {
  const link = board.state.names.find(id);
  if (link === undefined || !link.record.declared || link.record.workspace !== caller.workspace) return null;
  return link;
}

/** The one that the path names. Throws ApiProblem. */
export function named(visit: Visit): HubLink {
  const id = visit.context.req.param("id")!;
  const link = linkOf(visit, id);
  if (link === null) throw notFound("link", id);
  return link;
}

/** Its page. */
export function pathOf({ id }: { readonly id: string }): string {
  return `/links/${encodeURIComponent(id)}`;
}

/** Whether its daemon says that it does what the hub asks of this link. */
export function isManaged({ peer, record: { service } }: HubLink): boolean {
  return peer.online && peer.services.some(({ name, remote }) => name === service && remote);
}

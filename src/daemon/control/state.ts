/** What the control API reads and changes: the daemon without its sockets. */
import type { Clock } from "../../clock.ts";
import type { Family } from "../../core/metrics.ts";
import type { DaemonAudit } from "../audit.ts";
import type { Events } from "../events.ts";
import type { Exposed } from "../exposed.ts";
import type { ExplainJson, ExplainWish } from "../explain.ts";
import type { ReloadAnswer } from "../reload.ts";
import type { Renewal } from "../renewal.ts";
import type { LinkJson, StatusJson } from "../status.ts";
import type { Witnesses } from "../witnesses/witnesses.ts";
import type { Sessions } from "./sessions.ts";

export interface ControlState {
  readonly clock: Clock;
  readonly audit: DaemonAudit;
  readonly events: Events;
  readonly exposed: Exposed;
  readonly witnesses: Witnesses;
  readonly sessions: Sessions;
  /** Where the API listens: `127.0.0.1:4545`; null: on no port. */
  readonly control: string | null;
  /** Readings of the file, by what became of them. */
  readonly reloads: { readonly applied: number; readonly refused: number };
  status(): StatusJson;
  metrics(): Family[];
  /** By name. */
  links(): LinkJson[];
  /** Undefined: no such link. */
  link(name: string): LinkJson | undefined;
  /** Makes a one-off of a JSON body. Throws ApiProblem, Failure. */
  create(body: unknown, by: string): Promise<LinkJson>;
  /** Ends a link for good; again changes nothing. Throws ApiProblem, Failure. */
  revoke(name: string, by: string): Promise<LinkJson>;
  /** Begins a link anew. Throws ApiProblem, Failure. */
  renew(name: string, wish: Renewal, by: string): Promise<LinkJson>;
  reload(options: { allowEmpty?: boolean; by: string }): Promise<ReloadAnswer>;
  /** Why a request would be let through or refused. Throws ApiProblem. */
  explain(wish: ExplainWish): Promise<ExplainJson>;
  /** What a reload would do; `text`: if that stood in the file. Nothing where there is no file. */
  plan(text?: string): Promise<Omit<ReloadAnswer, "applied">>;
}

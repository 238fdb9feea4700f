/** The bridge to whatever speaks Request and Response. */
import type { Exchange } from "./exchange.ts";

/** Answers `exchange` with what `app` makes of it. `request.signal` aborts when the visitor leaves. */
export function fetchAdapter(
  _exchange: Exchange,
  _app: (request: Request) => Response | Promise<Response>,
): void {}

/** What can be done to a link: revoked, renewed, changed; and for a moment a revocation taken back. */
import { Command, Notice } from "../../pages/parts.tsx";
import { countWords } from "../../pages/words.ts";
import type { HubLink } from "../link.ts";
import type { Visit } from "./board.ts";
import { isManaged, pathOf } from "./find.ts";

/** A revocation acts at once; so long the way back is the first thing on the page. */
const UNDO_MS = 10_000;

export function Actions({ visit, link, now }: { visit: Visit; link: HubLink; now: number }) {
  const { board, caller } = visit;
  const state = link.stateAt(now), managed = isManaged(link);
  const mayRenew = board.may(caller, "POST /v1/links/:id/renew");
  const { revokedAt } = link.record;
  const fresh = state === "revoked" && revokedAt !== null && now - revokedAt < UNDO_MS;
  return (
    <>
      {fresh && mayRenew && managed && <Undo link={link} />}
      {state === "revoked" && mayRenew && !managed && <ByHand link={link} />}
      <div class="row">
        {state !== "revoked" && board.may(caller, "DELETE /v1/links/:id") && (
          <Revoke visit={visit} link={link} />
        )}
        {mayRenew && managed && <Renew link={link} open={state === "revoked" || state === "expired"} />}
        {managed && state !== "revoked" && board.may(caller, "PATCH /v1/links/:id") && (
          <a class="button" href={`${pathOf(link)}/edit`}>Edit…</a>
        )}
      </div>
    </>
  );
}

function Undo({ link }: { link: HubLink }) {
  return (
    <Notice tone="wait">
      <form method="post" action={`${pathOf(link)}/renew`} class="row">
        <p>Revoked. Visitors are refused since then.</p>
        <button type="submit">Undo</button>
      </form>
    </Notice>
  );
}

function ByHand({ link: { record: { name } } }: { link: HubLink }) {
  return (
    <Notice>
      <p>Its daemon lets no hub bring a link back. On the daemon's machine:</p>
      <Command text={`connectd renew ${name}`} />
    </Notice>
  );
}

function Revoke({ visit: { board: { state: { traffic } } }, link }: { visit: Visit; link: HubLink }) {
  const { name } = link.record, { open } = link.counters, hour = traffic.hour(link);
  return (
    <details class="ask">
      <summary>Revoke…</summary>
      <p>
        New requests are refused at once. {open === 0
          ? "None is in flight"
          : `${countWords(open, "request")} in flight will be cut after a moment`}
        {hour === 0 ? "" : `; ${countWords(hour, "request")} came in the last hour`}. Only renewing brings it
        back.
      </p>
      <form method="post" action={`${pathOf(link)}/revoke`}>
        <button type="submit" class="bad">Revoke {name}</button>
      </form>
    </details>
  );
}

function Renew({ link, open }: { link: HubLink; open: boolean }) {
  const { name } = link.record;
  return (
    <details class="ask" open={open}>
      <summary>Renew…</summary>
      <form method="post" action={`${pathOf(link)}/renew`} class="row end">
        <label>
          For how long (empty: as it says)
          <input name="ttl" placeholder="24h" autocomplete="off" />
        </label>
        <label class="line">
          <input type="checkbox" name="newId" value="true" /> with a new address
        </label>
        <button type="submit">Renew {name}</button>
      </form>
    </details>
  );
}

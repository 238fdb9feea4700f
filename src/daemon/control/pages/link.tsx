/** `/links/{name}`: one link, its policy in words, and its end. */
import { notFound } from "../../../api/call.ts";
import { readForm, seeOther } from "../../../api/form.ts";
import { wantsEvents } from "../../../api/live.ts";
import type { headersJson } from "../../../core/field_edits.ts";
import { html, Region } from "../../../pages/layout.tsx";
import { type Column, Fields, Notice, StateMark, Table, Time, Url } from "../../../pages/parts.tsx";
import { countWords, policyWords, sizeWords } from "../../../pages/words.ts";
import type { LinkJson } from "../../status.ts";
import { readRenewal } from "../links.ts";
import type { ControlState } from "../state.ts";
import { type Call, show } from "./frame.tsx";
import { liveAnswer } from "./live.ts";

function named(context: Call, state: ControlState): LinkJson {
  const name = context.req.param("name")!;
  const link = state.link(name);
  if (link === undefined) throw notFound("link", name);
  return link;
}

export function linkPage(context: Call, state: ControlState): Response {
  const { name } = named(context, state);
  const regions = () => html(<Shown state={state} name={name} />);
  if (wantsEvents(context)) return liveAnswer(context, state, { regions, counts: true });
  return show(context, state, {
    title: name,
    current: "/",
    body: (
      <>
        <h1>{name}</h1>
        <Shown state={state} name={name} />
      </>
    ),
  });
}

/** `POST /links/{name}/revoke` */
export async function revoke(context: Call, state: ControlState): Promise<Response> {
  const { name } = named(context, state);
  await state.revoke(name, "page");
  return seeOther(pathOf(name));
}

/** `POST /links/{name}/renew` */
export async function renew(context: Call, state: ControlState): Promise<Response> {
  const { name } = named(context, state);
  const form = await readForm(context);
  const ttl = form.get("ttl");
  const wish = { ...(ttl === undefined ? {} : { ttl }), ...(form.has("newId") ? { newId: true } : {}) };
  await state.renew(name, readRenewal(wish), "page");
  return seeOther(pathOf(name));
}

export function pathOf(name: string): string {
  return `/links/${encodeURIComponent(name)}`;
}

function Shown({ state, name }: { state: ControlState; name: string }) {
  const link = state.link(name);
  // It may go while somebody looks at it.
  if (link === undefined) {
    return (
      <Region id="link">
        <Notice>
          <p>
            This link is gone. <a href="/">All links</a>
          </p>
        </Notice>
      </Region>
    );
  }
  const now = state.clock.now();
  const { policy, counters } = link;
  return (
    <Region id="link">
      <div class="two">
        <Life link={link} now={now} />
        <section>
          <h2>What it lets through</h2>
          <ul>{policyWords(policy).map((sentence) => <li>{sentence}</li>)}</ul>
          <Fields
            rows={[
              ["Host", String(policy.host)],
              ["Answers within", String(policy.timeout)],
              ["At its end", `${policy.drain} for requests in flight`],
              [
                "A target that is away",
                policy.hold === null ? null : `is waited for, at most ${policy.hold}`,
              ],
              ["Kept", KEPT[String(policy.inspect)] ?? String(policy.inspect)],
              ...fieldRows(policy.headers as ReturnType<typeof headersJson>),
            ]}
          />
        </section>
        <section>
          <h2>Traffic</h2>
          <Fields
            rows={[
              ["Allowed", String(counters.allowed)],
              ["In flight", String(counters.open)],
              ["In, out", `${sizeWords(counters.bytesIn)}, ${sizeWords(counters.bytesOut)}`],
              ["Requests", <a href={`/requests?link=${encodeURIComponent(name)}`}>as they come</a>],
            ]}
          />
          <Codes label="Denied" counts={counters.denied} />
          <Codes label="Would be denied" counts={counters.shadowed} />
        </section>
        <section>
          <h2>Hubs</h2>
          {link.urls.map(({ hub, state, url, lastError }) => (
            <Fields
              rows={[
                ["Hub", <span class="mono">{hub}</span>],
                ["State", <StateMark state={state} />],
                ["URL", <Url url={url} whole />],
                ["Last error", lastError],
              ]}
            />
          ))}
        </section>
      </div>
      <Actions link={link} />
    </Region>
  );
}

/** What is done to header fields on either way; values are nobody's to read. */
function fieldRows(headers: ReturnType<typeof headersJson>): [name: string, value: string | null][] {
  const words = (edits: NonNullable<typeof headers>["request"]) => {
    if (edits === null) return null;
    const parts = [["sets", Object.keys(edits.set)], ["removes", edits.remove]] as const;
    return parts.filter(([, names]) => names.length > 0).map(([does, names]) => `${does} ${names.join(", ")}`)
      .join("; ");
  };
  return headers === null
    ? []
    : [["Fields to the target", words(headers.request)], ["Fields of answers", words(headers.response)]];
}

const KEPT: Readonly<Record<string, string>> = {
  off: "nothing of its requests",
  heads: "the heads of its requests",
  bodies: "heads and bodies of its requests",
};

function Life({ link, now }: { link: LinkJson; now: number }) {
  const { state, url, target, service, source, activatedAt, expiresAt, revokedAt, uses, lastError } = link;
  return (
    <section>
      <h2>The link</h2>
      <Fields
        rows={[
          ["State", <StateMark state={state} />],
          ["URL", <Url url={url} whole />],
          ["Target", <span class="mono">{target}{service !== null && ` (${service})`}</span>],
          ["Made by", source === "file" ? "links.yaml" : source === "hub" ? "a hub" : "hand"],
          ["Since", <Time at={activatedAt} now={now} none="not yet active" />],
          [state === "expired" ? "Ended" : "Ends", <Time at={expiresAt} now={now} />],
          ["Uses", uses === null ? null : `${uses.left} of ${uses.max} left`],
          ["Revoked", revokedAt === null ? null : <Time at={revokedAt} now={now} />],
          ["Last error", lastError],
        ]}
      />
    </section>
  );
}

const CODE_COLUMNS: readonly Column[] = [{ label: "Code" }, { label: "Requests", kind: "number" }];

function Codes({ label, counts }: { label: string; counts: Readonly<Record<string, number>> }) {
  const rows = Object.entries(counts);
  if (rows.length === 0) return null;
  return (
    <Table label={label} columns={[{ label }, CODE_COLUMNS[1]]}>
      {rows.map(([code, n]) => (
        <tr>
          <th scope="row" class="mono">{code}</th>
          <td class="number">{n}</td>
        </tr>
      ))}
    </Table>
  );
}

function Actions({ link }: { link: LinkJson }) {
  const { name, state, counters } = link;
  return (
    <>
      <h2>End or renew</h2>
      <div class="row">
        {state !== "revoked" && (
          <details class="ask">
            <summary>Revoke…</summary>
            <p>
              New requests are refused at once. {counters.open === 0
                ? "None is in flight"
                : `${countWords(counters.open, "request")} in flight will be cut`}
              {counters.open === 0 ? "" : ` after ${link.policy.drain}`}. Only renewing brings it back.
            </p>
            <form method="post" action={`${pathOf(name)}/revoke`}>
              <button type="submit" class="bad">Revoke {name}</button>
            </form>
          </details>
        )}
        <details class="ask" open={state === "revoked" || state === "expired"}>
          <summary>Renew…</summary>
          <form method="post" action={`${pathOf(name)}/renew`} class="row end">
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
      </div>
    </>
  );
}

/** `/links/{id}`: one link, its policy in words, its traffic, and its end. */
import { readForm, seeOther } from "../../api/form.ts";
import { wantsEvents } from "../../api/live.ts";
import { policyJson } from "../../core/policy_spec.ts";
import { html, Region } from "../../pages/layout.tsx";
import { type Column, Copy, Fields, Notice, StateMark, Table, Time, Url } from "../../pages/parts.tsx";
import { qrPath } from "../../pages/qr.ts";
import { policyWords, sizeWords } from "../../pages/words.ts";
import type { DomainGrant } from "../../wire/hello.ts";
import type { HubLink } from "../link.ts";
import type { Visit } from "./board.ts";
import { Actions } from "./link_actions.tsx";
import { linkOf, named, pathOf } from "./find.ts";
import { liveAnswer, show } from "./frame.tsx";
import { policyYaml } from "./policy_text.ts";
import { Sparkline } from "./sparkline.tsx";

export function linkPage(visit: Visit): Response {
  const { id, name } = named(visit).record;
  const regions = () => html(<Shown visit={visit} id={id} />);
  if (wantsEvents(visit.context)) return liveAnswer(visit, { regions, counts: true });
  return show(visit, {
    title: name,
    current: "/",
    body: (
      <>
        <h1>{name}</h1>
        <Shown visit={visit} id={id} />
      </>
    ),
  });
}

/** `POST /links/{id}/revoke` */
export async function revoke(visit: Visit): Promise<Response> {
  const link = named(visit);
  await visit.board.call(visit, "DELETE", `/v1${pathOf(link)}`);
  return seeOther(pathOf(link));
}

/** `POST /links/{id}/renew`, by which a revocation is undone, too. */
export async function renew(visit: Visit): Promise<Response> {
  const link = named(visit);
  const form = await readForm(visit.context);
  const ttl = form.get("ttl");
  const wish = { ...(ttl === undefined ? {} : { ttl }), ...(form.has("newId") ? { newId: true } : {}) };
  const { json } = await visit.board.call(visit, "POST", `/v1${pathOf(link)}/renew`, wish);
  return seeOther(pathOf(json));
}

function Shown({ visit, id }: { visit: Visit; id: string }) {
  const link = linkOf(visit, id);
  // It may go while somebody looks at it.
  if (link === null) {
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
  const now = visit.board.state.clock.now();
  return (
    <Region id="link">
      <Actions visit={visit} link={link} now={now} />
      <div class="two">
        <Life visit={visit} link={link} now={now} />
        <Rules link={link} />
        <TrafficOf visit={visit} link={link} />
        <Code url={visit.board.state.hosts().urlOf(id)} />
      </div>
    </Region>
  );
}

const SOURCES = { file: "links.yaml", oneoff: "hand, at the daemon", hub: "the hub" };

function Life({ visit: { board: { state: hub } }, link, now }: { visit: Visit; link: HubLink; now: number }) {
  const { record, peer, counters } = link;
  const { id, service, daemon, source, activatedAt, expiresAt, revokedAt } = record;
  const state = link.stateAt(now) ?? "gone";
  const domain = hub.domains.grantFor(link);
  const time = (ms: number | null, none?: string) => (
    <Time
      at={ms === null ? null : new Date(ms).toISOString()}
      now={now}
      {...(none === undefined ? {} : { none })}
    />
  );
  return (
    <section>
      <h2>The link</h2>
      <Fields
        rows={[
          ["State", <StateMark state={state} />],
          ["URL", <Url url={hub.hosts().urlOf(id)} whole />],
          ["Own domain", domain === null ? null : <OwnDomain domain={domain} />],
          ["Service", service === null ? null : <span class="mono">{service}</span>],
          ["Daemon", <span class="mono">{daemon}</span>],
          ["Its token", peer.token === null ? null : <span class="mono">{peer.token}</span>],
          ["Made by", source === null ? null : SOURCES[source]],
          ["Since", activatedAt === null ? null : time(activatedAt)],
          [state === "expired" ? "Ended" : "Ends", time(expiresAt)],
          ["Revoked", revokedAt === null ? null : time(revokedAt)],
          ["In flight", String(counters.open)],
          ["In, out", `${sizeWords(counters.bytesIn)}, ${sizeWords(counters.bytesOut)}`],
        ]}
      />
    </section>
  );
}

/** Where it is not proven yet, what is missing is said. */
function OwnDomain({ domain: { name, url, message } }: { domain: DomainGrant }) {
  return url !== null ? <Url url={url} whole /> : (
    <>
      <span class="mono">{name}</span> <span class="wait">◌ {message}</span>
    </>
  );
}

function Rules({ link: { policy, record: { name, service } } }: { link: HubLink }) {
  return (
    <section>
      <h2>What it lets through</h2>
      {policy === null ? <p class="quiet">Its daemon has not said so since the hub started.</p> : (
        <>
          <ul>{policyWords(policyJson(policy.spec)).map((sentence) => <li>{sentence}</li>)}</ul>
          <details>
            <summary>As links.yaml says it</summary>
            <pre id="yaml">{policyYaml(name, service, policy.spec)}</pre>
            <Copy text="#yaml" what="the entry" />
          </details>
        </>
      )}
    </section>
  );
}

const CODES: readonly Column[] = [
  { label: "Requests" },
  { label: "Last hour", kind: "number" },
  { label: "Last day", kind: "number" },
];

function TrafficOf({ visit: { board: { state: { traffic } } }, link }: { visit: Visit; link: HubLink }) {
  const codes = traffic.codes(link);
  return (
    <section>
      <h2>Traffic</h2>
      {codes.length === 0 ? <p class="quiet">No request yet since the hub started.</p> : (
        <>
          <p>
            <Sparkline minutes={traffic.minutes(link)} />
          </p>
          <Table label="Requests by what became of them" columns={CODES}>
            {codes.map(({ code, hour, day }) => (
              <tr>
                <th scope="row">{code}</th>
                <td class="number">{hour}</td>
                <td class="number">{day}</td>
              </tr>
            ))}
          </Table>
        </>
      )}
      <p>
        <a href={`${pathOf(link)}/requests`}>Requests as they come</a>
      </p>
    </section>
  );
}

function Code({ url }: { url: string }) {
  const { size, path } = qrPath(url);
  return (
    <section>
      <h2>For a phone</h2>
      <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={`QR code of ${url}`}>
        <path d={path} />
      </svg>
    </section>
  );
}

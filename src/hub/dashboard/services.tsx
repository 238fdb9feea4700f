/** `/services`: what daemons have registered, and their sessions with this hub. */
import { wantsEvents } from "../../api/live.ts";
import { html, Region } from "../../pages/layout.tsx";
import { type Column, Notice, StateMark, Table, Time } from "../../pages/parts.tsx";
import type { DaemonConnection } from "../connection.ts";
import type { ServiceJson } from "../services.ts";
import type { Visit } from "./board.ts";
import { liveAnswer, show } from "./frame.tsx";

const SERVICES: readonly Column[] = [
  { label: "Service" },
  { label: "State" },
  { label: "Kind", minor: true },
  { label: "Access" },
  { label: "Links from here" },
  { label: "Daemon", kind: "fill" },
];

const SESSIONS: readonly Column[] = [
  { label: "Daemon", kind: "fill" },
  { label: "State" },
  { label: "Software", minor: true },
  { label: "Token" },
  { label: "From", minor: true },
  { label: "Since" },
  { label: "Round trip", kind: "number" },
  { label: "Streams", kind: "number" },
];

/** A list is for people: whoever has more asks the API, which pages. */
const MOST = 500;

export function servicesPage(visit: Visit): Response {
  const regions = () => html(<Both visit={visit} />);
  if (wantsEvents(visit.context)) return liveAnswer(visit, { regions, counts: true });
  return show(visit, {
    title: "Services",
    current: "/services",
    body: (
      <>
        <h1>Services and sessions</h1>
        <Both visit={visit} />
      </>
    ),
  });
}

function Both({ visit }: { visit: Visit }) {
  const { board: { state }, caller: { workspace } } = visit;
  const services = state.desk.services.list(workspace);
  const sessions = state.sessions.list(workspace).filter(({ hello }) => hello !== null);
  const now = state.clock.now();
  return (
    <>
      <Region id="services">
        <h2>Services</h2>
        {services.length === 0
          ? (
            <Notice>
              <p>
                No daemon has named a service. In links.yaml:{" "}
                <code>services: {"{"} my-api: localhost:3000 {"}"}</code>
              </p>
            </Notice>
          )
          : (
            <Table label="Services" columns={SERVICES}>
              {services.slice(0, MOST).map((service) => <Service visit={visit} service={service} />)}
            </Table>
          )}
        <Left all={services.length} />
      </Region>
      <Region id="sessions">
        <h2>Sessions</h2>
        {sessions.length === 0
          ? (
            <Notice>
              <p>No daemon is connected just now.</p>
            </Notice>
          )
          : (
            <Table label="Sessions" columns={SESSIONS}>
              {sessions.slice(0, MOST).map((session) => <SessionRow connection={session} now={now} />)}
            </Table>
          )}
        <Left all={sessions.length} />
      </Region>
    </>
  );
}

function Left({ all }: { all: number }) {
  return all <= MOST ? null : <p class="quiet">and {all - MOST} more, which the API lists</p>;
}

function Service({ visit: { board, caller }, service }: { visit: Visit; service: ServiceJson }) {
  const { name, kind, access, remote, daemon, online } = service;
  const linkable = remote && access === "public" && kind === "http";
  return (
    <tr>
      <th scope="row" class="mono">{name}</th>
      <td>
        <StateMark state={online ? "connected" : "offline"} />
      </td>
      <td class="minor">{kind}</td>
      <td>{access}</td>
      <td>
        {!linkable
          ? "no"
          : online && board.may(caller, "POST /v1/links")
          ? <a href={`/new?service=${encodeURIComponent(`${daemon}/${name}`)}`}>new link</a>
          : "yes"}
      </td>
      <td class="mono fill long">{daemon}</td>
    </tr>
  );
}

function SessionRow({ connection, now }: { connection: DaemonConnection; now: number }) {
  const { identity, hello, peer, session, address, since } = connection;
  // A session that drains is none of its daemon's ways any more, and finishes what it has.
  const drains = peer !== null && !peer.ways.some((way) => way.session === session);
  return (
    <tr>
      <th scope="row" class="mono fill long">{hello!.daemon}</th>
      <td>
        <StateMark state={peer === null ? "connecting" : drains ? "draining" : "connected"} />
      </td>
      <td class="minor mono">{hello!.software}</td>
      <td class="mono">{identity.name}</td>
      <td class="minor mono">{address ?? "this process"}</td>
      <td>
        <Time at={new Date(since).toISOString()} now={now} />
      </td>
      <td class="number">{session.rttMs === null ? "" : `${Math.round(session.rttMs)} ms`}</td>
      <td class="number">{session.streams}</td>
    </tr>
  );
}

/** `/requests/{id}`: one request whole, and why it was answered so. */
import type { Child } from "hono/jsx";
import { notFound } from "../../../api/call.ts";
import { curlLine } from "../../../core/curl.ts";
import { type Code, CODES } from "../../../core/errors.ts";
import { type View, VIEWS } from "../../../pages/bodies.tsx";
import { type Column, Copy, Fields, Notice, Status, Table, Time } from "../../../pages/parts.tsx";
import { sizeWords } from "../../../pages/words.ts";
import type { ExplainJson } from "../../explain.ts";
import type { Kept } from "../../witnesses/capture.ts";
import { type FullRequestJson, fullRequestJson } from "../../witnesses/capture_json.ts";
import type { ControlState } from "../state.ts";
import { type Call, show } from "./frame.tsx";
import { Message } from "./message.tsx";
import { Why } from "./request_row.tsx";
import { Timing } from "./timing.tsx";

/** The capture that the path names. Throws ApiProblem. */
export function captured(context: Call, { witnesses }: ControlState): Kept {
  const id = context.req.param("id")!;
  const capture = witnesses.captures.get(id);
  if (capture === undefined) throw notFound("captured request", id);
  return capture;
}

export async function requestPage(context: Call, state: ControlState): Promise<Response> {
  const capture = captured(context, state);
  const request = fullRequestJson(capture);
  const view = viewOf(context);
  const now = state.clock.now();
  return show(context, state, {
    title: `${request.method} ${request.path}`,
    current: "/requests",
    body: (
      <>
        <h1 class="mono">{request.method} {request.target}</h1>
        <Actions request={request} url={state.link(request.link)?.url ?? null} />
        <div class="two">
          <section>
            <h2>What happened</h2>
            <Summary request={request} now={now} />
          </section>
          <section>
            <h2>Where the time went</h2>
            <Timing times={request.times} />
          </section>
          <section>
            <h2>Request</h2>
            <Message id="request" message={request.request} view={view} />
          </section>
          <section>
            <h2>Answer of the target</h2>
            <Answer id="response" request={request} view={view} />
          </section>
        </div>
        <h2>Why</h2>
        <p>{sentenceOf(request)}</p>
        <Explained told={await state.explain(wishOf(capture))} />
      </>
    ),
  });
}

/** The view that the query asks for; null: none. */
export function viewOf(context: Call): View | null {
  return VIEWS.find((view) => view === context.req.query("as")) ?? null;
}

export function Summary({ request, now }: { request: FullRequestJson; now: number }) {
  const { id, at, link, address, status, bytesIn, bytesOut, replayOf } = request;
  return (
    <Fields
      rows={[
        [
          "Answer",
          <span>
            <Status status={status} /> <Why request={request} />
          </span>,
        ],
        ["When", <Time at={at} now={now} />],
        ["Link", <a href={`/links/${encodeURIComponent(link)}`}>{link}</a>],
        ["Visitor", <span class="mono">{address}</span>],
        ["In, out", `${sizeWords(bytesIn)}, ${sizeWords(bytesOut)}`],
        [
          "Sent again",
          replayOf === null
            ? null
            : <a href={`/requests/${encodeURIComponent(replayOf)}`}>as {replayOf} was</a>,
        ],
        ["Id", <span class="mono">{id}</span>],
      ]}
    />
  );
}

/** What the target said; `unlike`: beside another answer. */
export function Answer(
  { id, request, view, unlike }: { id: string; request: FullRequestJson; view: View | null; unlike?: string },
) {
  const { response } = request;
  if (response === null) return <p class="quiet">It gave none, or was not asked.</p>;
  return <Message id={id} message={response} view={view} {...(unlike === undefined ? {} : { unlike })} />;
}

function Actions({ request, url }: { request: FullRequestJson; url: string | null }) {
  const { id, method, target, bytesIn, request: { head, body } } = request;
  const path = `/requests/${encodeURIComponent(id)}`;
  const curl = url === null ? null : curlLine({ method, target, head, bytesIn, body }, url);
  return (
    <div class="row">
      <form method="post" action={`${path}/replay`} class="row">
        <button type="submit" name="via" value="policy">Send again</button>
        <button type="submit" name="via" value="target">Send again past the policy</button>
      </form>
      <a class="button" href={`${path}/edit`}>Edit and send…</a>
      {curl !== null && <Copy text={curl} what="a curl command" word="copy as curl" />}
    </div>
  );
}

/** What connectd itself had to do with the answer. */
function sentenceOf({ code, verdict, status }: FullRequestJson): string {
  if (code !== null) return Object.hasOwn(CODES, code) ? CODES[code as Code][1] : `It was cut: ${code}.`;
  if (verdict !== null) return `It was let through in shadow; else: ${CODES[verdict][1]}`;
  return status === 0
    ? "It was let through, and no answer came."
    : "It was let through, and the target answered.";
}

/** As a visitor would send it now. */
function wishOf({ request: { head, link, address } }: Kept) {
  const { method, target, fields } = head;
  return { method, target, host: null, link: link.name, from: address, fields };
}

const STEP_COLUMNS: readonly Column[] = [{ label: "Rule" }, { label: "Now" }, {
  label: "Detail",
  kind: "fill",
}];

const RESULTS: Readonly<Record<string, readonly [mark: string, tone: string]>> = {
  pass: ["●", "good"],
  deny: ["✕", "bad"],
  skip: ["○", "off"],
};

function Explained({ told }: { told: ExplainJson }): Child {
  const { verdict, code, rule, steps } = told;
  return (
    <>
      <p>
        If it came now, it would be {verdict === "allow" ? "let through" : `refused with ${code}`}:
      </p>
      {rule !== null && rule.source !== null && (
        <Notice tone="wait">
          <pre>{`${rule.file}:${rule.line}\n${rule.source}`}</pre>
        </Notice>
      )}
      <Table label="What is decided, step by step" columns={STEP_COLUMNS}>
        {steps.map(({ step, result, detail }) => (
          <tr>
            <th scope="row" class="mono">{step}</th>
            <td>
              <span class={`state ${RESULTS[result][1]}`}>
                <span aria-hidden="true">{RESULTS[result][0]}</span> {result}
              </span>
            </td>
            <td>{detail}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

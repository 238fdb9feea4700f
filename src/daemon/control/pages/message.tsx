/** One half of an exchange: head and body as they went by. */
import { Buffer } from "node:buffer";
import { type BodyProps, BodyView, type View, viewsOf } from "../../../pages/bodies.tsx";
import { withoutCoding } from "../../../pages/coding.ts";
import { Copy } from "../../../pages/parts.tsx";
import { countWords, sizeWords } from "../../../pages/words.ts";
import type { BodyJson, FullRequestJson } from "../../witnesses/capture_json.ts";

export interface MessageProps {
  /** Unique on the page. */
  readonly id: string;
  readonly message: NonNullable<FullRequestJson["response"]>;
  /** How the body is looked at, where that fits it; null: in the most telling way. */
  readonly view: View | null;
  /** Another head: what is not in that one is marked. */
  readonly unlike?: string;
}

export function Message({ id, message: { head, body }, view, unlike }: MessageProps) {
  const others = unlike === undefined ? null : new Set(unlike.split("\r\n"));
  const lines = head.replace(/(\r\n)+$/, "").split("\r\n");
  return (
    <>
      <p class="row">
        <span class="quiet">Head</span>
        <Copy text={`#${id}-head`} what="the head" />
      </p>
      <pre id={`${id}-head`} class="wrap">
        {lines.map((line, i) => {
          const text = i < lines.length - 1 ? `${line}\n` : line;
          return others === null || others.has(line) ? text : <mark title="the other differs here">{text}</mark>;
        })}
      </pre>
      {body === null
        ? <p class="quiet">Bodies of this link are not kept (inspect: bodies keeps them).</p>
        : <Body id={`${id}-body`} head={head} body={body} view={view} />}
    </>
  );
}

function Body({ id, head, body, view }: { id: string; head: string; body: BodyJson; view: View | null }) {
  if (body.length === 0) return <p class="quiet">No body.</p>;
  const came = Buffer.from(body.text, body.encoding);
  const unpacked = withoutCoding(head, came);
  const props = bodyOf(body, came, unpacked);
  const views = viewsOf(props);
  const shown = view !== null && views.includes(view) ? view : views[0];
  return (
    <>
      <p class="row">
        <span class="quiet">
          Body, {sizeWords(body.length)}
          {body.kept < body.length && `, of which the first ${countWords(body.kept, "octet")} are kept`}
          {unpacked !== null && ", unpacked"}
        </span>
        {views.map((name) => (
          <a href={`?as=${name}`} aria-current={name === shown ? "true" : undefined}>{name}</a>
        ))}
        {(shown === "text" || shown === "hex") && <Copy text={`#${id}`} what="the body" />}
      </p>
      <BodyView body={props} view={shown} id={id} />
    </>
  );
}

function bodyOf({ encoding, text }: BodyJson, came: Uint8Array, unpacked: Uint8Array | null): BodyProps {
  if (unpacked === null) return { bytes: came, text: encoding === "utf8" ? text : null };
  try {
    // Its last character may have been cut.
    return {
      bytes: unpacked,
      text: new TextDecoder("utf-8", { fatal: true }).decode(unpacked, { stream: true }),
    };
  } catch {
    return { bytes: unpacked, text: null };
  }
}

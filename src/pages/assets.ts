/** The one stylesheet of all pages, inlined, the one script, which has a URL, and the policy that admits just these two. */
import { createHash } from "node:crypto";
import script from "./enhance.js" with { type: "text" };
import parts from "./parts.css" with { type: "text" };
import tokens from "./tokens.css" with { type: "text" };

/** As they go out: without the white space that lines begin with. */
export const STYLE = squeeze(tokens + parts);
const SCRIPT = squeeze(script.replaceAll(/^ *\/\/.*$/gm, ""));

/** Of these, and no others: a page that is open when another build comes is of this one. */
export const BUILD = createHash("sha256").update(STYLE + SCRIPT).digest("hex").slice(0, 16);

/** Where the script is; another build's has another path, so browsers may keep this one for good. */
export const SCRIPT_PATH = `/pages-${BUILD}.js`;

/** Answers with the script. */
export function scriptAnswer(): Response {
  return new Response(SCRIPT, {
    headers: {
      "Content-Type": "text/javascript; charset=utf-8",
      "X-Content-Type-Options": "nosniff",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Cache-Control": "public, max-age=31536000, immutable",
    },
  });
}

/**
 * The Content-Security-Policy of a page (CSP3): its own style by its hash, scripts of its own origin by their URL and none
 * that stands in the page, data images, and its own origin for forms and the event stream. Nothing else is loaded, framed
 * or sent anywhere.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src '${sha256(STYLE)}'`,
  "script-src 'self'",
  "img-src data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The fields of every page. */
export const PAGE_FIELDS: Readonly<Record<string, string>> = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "X-Content-Type-Options": "nosniff",
  // Nothing to others. With `no-referrer` a browser would send forms of ours with `Origin: null`.
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

function squeeze(text: string): string {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").join("\n");
}

function sha256(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

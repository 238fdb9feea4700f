/** The one stylesheet and the one script of all pages, inlined, and the policy that admits just these two. */
import { createHash } from "node:crypto";
import script from "./enhance.js" with { type: "text" };
import parts from "./parts.css" with { type: "text" };
import tokens from "./tokens.css" with { type: "text" };

/** As they go out: without the white space that lines begin with. */
export const STYLE = squeeze(tokens + parts);
export const SCRIPT = squeeze(script.replaceAll(/^ *\/\/.*$/gm, ""));

/**
 * The Content-Security-Policy of a page (CSP3): its own style and script by their hashes, data images, and its own
 * origin for forms and the event stream. Nothing else is loaded, framed or sent anywhere.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src '${sha256(STYLE)}'`,
  `script-src '${sha256(SCRIPT)}'`,
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

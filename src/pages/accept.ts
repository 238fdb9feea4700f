/** Which form of an answer a visitor asks for (RFC 9110 §12.5.1). */

/**
 * True where `accept` names `text/html` itself, at a weight above zero that is not below JSON's.
 * A wildcard never asks for a page: programs send it by default, and a program wants problem+json.
 */
export function wantsHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  let html = 0, json = 0, jsonRank = -1;
  for (const item of accept.toLowerCase().split(",")) {
    const [type, ...parameters] = item.split(";").map((part) => part.trim());
    const weight = weightOf(parameters);
    if (type === "text/html") html = Math.max(html, weight);
    const rank = JSON_RANGES.indexOf(type);
    if (rank > jsonRank) [json, jsonRank] = [weight, rank];
    else if (rank === jsonRank && rank >= 0) json = Math.max(json, weight);
  }
  return html > 0 && html >= json;
}

/** Ranges that cover problem+json, the least specific first: the most specific one decides its weight. */
const JSON_RANGES = ["*/*", "application/*", "application/json", "application/problem+json"];

function weightOf(parameters: string[]): number {
  const q = parameters.find((parameter) => parameter.startsWith("q="));
  if (q === undefined) return 1;
  const weight = Number(q.slice(2));
  return weight >= 0 && weight <= 1 ? weight : 0;
}

/** A policy in a line, and as links.yaml spells it. */
import { POLICY_KEYS, type PolicySpec, printPolicyKey } from "../../core/policy_spec.ts";
import { printRate, printSize } from "../../core/units.ts";

/** So much of it stands in a list. */
const BRIEF = 48;

/** `POST · /webhooks · 100/m`; empty where everything is let through. */
export function policyBrief(spec: PolicySpec): string {
  const parts = POLICY_KEYS.filter((key) => key !== "upgrade" && key !== "shadow").flatMap((key) => {
    const text = printPolicyKey(key, spec);
    return text === null
      ? []
      : [key === "max_body" ? `≤ ${text}` : key === "max_streams" ? `${text} at once` : text];
  });
  const text = [...parts, ...(spec.shadow ? ["shadow"] : [])].join(" · ");
  return text.length > BRIEF ? `${text.slice(0, BRIEF)}…` : text;
}

/** The entry of a link as links.yaml has it, ready to copy. What only its daemon knows is left to whoever pastes it. */
export function policyYaml(name: string, service: string | null, spec: PolicySpec): string {
  const { allowIps, auth, basic, bearer, methods, upgrade, paths, maxBody, rate, maxStreams, shadow } = spec;
  const websocket = upgrade.length === 1 && upgrade[0] === "websocket";
  const kinds = [...(basic ? ["basic: { file: … }"] : []), ...(bearer ? ["bearer: { token_file: … }"] : [])];
  const rows: [key: string, value: string | null][] = [
    ["target", service ?? "…"],
    ["allow_ips", allowIps && list(allowIps)],
    ["auth", auth ? `{ ${kinds.join(", ")} }` : null],
    ["methods", methods && list(methods)],
    ["upgrade", websocket ? null : upgrade.length === 0 ? "false" : list(upgrade)],
    ["paths", paths && list(paths)],
    ["max_body", maxBody === null ? null : printSize(maxBody)],
    ["rate", rate.length === 0 ? null : list(rate.map(printRate))],
    ["max_streams", maxStreams === null ? null : String(maxStreams)],
    ["shadow", shadow ? "true" : null],
  ];
  const lines = rows.filter(([, value]) => value !== null).map(([key, value]) => `    ${key}: ${value}`);
  return ["links:", `  ${name}:`, ...lines].join("\n");
}

/** A flow sequence (YAML 1.2 §7.4.1); each text quoted, as JSON is YAML. */
function list(texts: readonly string[]): string {
  return `[${
    texts.map((text) => /^[A-Za-z/][\w/.-]*$/.test(text) ? text : JSON.stringify(text)).join(", ")
  }]`;
}

/** The fuzzers by name: what each is, and where its case stands. Loaded where it runs. */
import type { Case } from "../../tests/pure/fuzz.ts";

export const FUZZERS: Readonly<Record<string, () => Promise<Case>>> = {
  http1: async () => (await import("../../tests/contract/http1_fuzz.ts")).requestCase,
  responses: async () => (await import("../../tests/contract/http1_fuzz.ts")).responseCase,
  headers: async () => (await import("../../tests/contract/headers_fuzz.ts")).headersCase,
  paths: async () => (await import("../../tests/pure/paths_fuzz.ts")).pathsCase,
  policy: async () => (await import("../../tests/pure/policy_fuzz.ts")).policyCase,
  proxy: async () => (await import("../../tests/pure/proxy_fuzz.ts")).proxyCase,
  lines: async () => (await import("../../tests/pure/lines_fuzz.ts")).linesCase,
  frames: async () => (await import("../../tests/pure/frames_fuzz.ts")).framesCase,
  websocket: async () => (await import("../../tests/contract/websocket_fuzz.ts")).websocketCase,
  session: async () => (await import("../../tests/contract/session_fuzz.ts")).sessionCase,
  control: async () => (await import("../../tests/contract/control_fuzz.ts")).controlCase,
  yaml: async () => (await import("../../tests/config/yaml_fuzz.ts")).yamlCase,
};

/** The fuzzers by name: what each is, and where its case stands. Loaded where it runs. */
import type { Case } from "../../tests/pure/fuzz.ts";

export const FUZZERS: Readonly<Record<string, () => Promise<Case>>> = {
  http1: async () => (await import("../../tests/contract/http1_fuzz.ts")).requestCase,
  responses: async () => (await import("../../tests/contract/http1_fuzz.ts")).responseCase,
  headers: async () => (await import("../../tests/contract/headers_fuzz.ts")).headersCase,
  paths: async () => (await import("../../tests/pure/paths_fuzz.ts")).pathsCase,
  frames: async () => (await import("../../tests/pure/frames_fuzz.ts")).framesCase,
  websocket: async () => (await import("../../tests/contract/websocket_fuzz.ts")).websocketCase,
};

/** What one listener bears before it refuses (hub.yaml `limits`; the embedded hub has the defaults). */
export interface ServerLimits {
  readonly connections: number;
  /** Connections of one client address. */
  readonly perAddress: number;
  readonly sessions: number;
  readonly streamsPerSession: number;
  /** Bytes of a head, fields in it, bytes of the request target. */
  readonly head: number;
  readonly fields: number;
  readonly target: number;
  readonly headTimeoutMs: number;
  readonly bodyIdleMs: number;
  readonly keepAliveMs: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  connections: 10_000,
  perAddress: 256,
  sessions: 10_000,
  streamsPerSession: 1024,
  head: 64 * 1024,
  fields: 100,
  target: 16 * 1024,
  headTimeoutMs: 10_000,
  bodyIdleMs: 60_000,
  keepAliveMs: 60_000,
};

/** How long lines of access logs are kept unless a file says otherwise: 30 days. */
export const KEEP_ACCESS_MS = 30 * 86_400_000;

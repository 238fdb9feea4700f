/** Figures of each link: as many series as there are links, each with a fixed number of codes. */
import type { Family, Sample } from "../core/metrics.ts";
import type { LinkJson } from "./status.ts";
import { type Figures, TARGET_FAILURES } from "./witnesses/figures.ts";

/** By the first digit of the status. */
const CLASSES = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/** Links without a request have counters of 0, and no histogram yet. */
export function linkMetrics(links: readonly LinkJson[], figures: Figures): Family[] {
  const seen = links.flatMap(({ name }) => {
    const one = figures.of(name);
    return one === null ? [] : [{ labels: { link: name }, one }];
  });
  const each = (value: (link: LinkJson) => number): Sample[] =>
    links.map((link) => ({ labels: { link: link.name }, value: value(link) }));
  const byCode = (codes: (link: LinkJson) => Readonly<Record<string, number>>): Sample[] =>
    links.flatMap((link) =>
      Object.entries(codes(link)).map(([code, value]) => ({ labels: { link: link.name, code }, value }))
    );
  return [
    {
      type: "counter",
      name: "connectd_requests_total",
      help:
        "Requests of a link that are over, by the first digit of their status; none: nothing was answered.",
      samples: seen.flatMap(({ labels, one }) =>
        CLASSES.map((status, i) => ({ labels: { ...labels, status }, value: one.byClass[i] }))
      ),
    },
    {
      type: "counter",
      name: "connectd_requests_admitted_total",
      help: "Requests that a link's policy let through.",
      samples: each(({ counters }) => counters.allowed),
    },
    {
      type: "counter",
      name: "connectd_requests_refused_total",
      help: "Requests that were refused, here or by a hub for the link, by code.",
      samples: byCode(({ counters }) => counters.denied),
    },
    {
      type: "counter",
      name: "connectd_requests_shadowed_total",
      help: "Requests that a link's policy would have refused if it were not in shadow, by code.",
      samples: byCode(({ counters }) => counters.shadowed),
    },
    {
      type: "counter",
      name: "connectd_target_failures_total",
      help: "Requests that a target gave no answer to, or no whole one, by code.",
      samples: seen.flatMap(({ labels, one }) =>
        TARGET_FAILURES.map((code) => ({ labels: { ...labels, code }, value: one.failures[code] ?? 0 }))
      ),
    },
    {
      type: "counter",
      name: "connectd_request_body_bytes_total",
      help: "Bytes of bodies from visitors.",
      samples: each(({ counters }) => counters.bytesIn),
    },
    {
      type: "counter",
      name: "connectd_response_body_bytes_total",
      help: "Bytes of bodies to visitors.",
      samples: each(({ counters }) => counters.bytesOut),
    },
    {
      type: "gauge",
      name: "connectd_requests_open",
      help: "Requests in flight.",
      samples: each(({ counters }) => counters.open),
    },
    {
      type: "gauge",
      name: "connectd_link_expires_timestamp_seconds",
      help: "When a link ends, in seconds since 1970; absent: never, or it has ended.",
      samples: links.flatMap(({ name, state, expiresAt }) =>
        expiresAt === null || state === "expired" || state === "revoked"
          ? []
          : [{ labels: { link: name }, value: Date.parse(expiresAt) / 1000 }]
      ),
    },
    {
      type: "gauge",
      name: "connectd_link_uses_left",
      help: "Requests that a link with `max_uses` still admits.",
      samples: links.flatMap(({ name, uses }) =>
        uses === null ? [] : [{ labels: { link: name }, value: uses.left }]
      ),
    },
    {
      type: "histogram",
      name: "connectd_request_duration_seconds",
      help: "From a request's head until all of it is over, of all links; without those that were upgraded.",
      samples: [{ labels: {}, value: figures.whole }],
    },
    {
      type: "histogram",
      name: "connectd_target_response_seconds",
      help: "From the verdict on a request to the head of its target's answer.",
      samples: seen.map(({ labels, one }) => ({ labels, value: one.target })),
    },
  ];
}

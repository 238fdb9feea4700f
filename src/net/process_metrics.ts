/** Figures of the process, whichever roles it has. */
import process from "node:process";
import { type Family, single } from "../core/metrics.ts";
import { VERSION } from "../core/version.ts";
import { descriptors } from "./descriptors.ts";
import { loop } from "./loop.ts";

/** The process's figures. How many files are open the runtime does not tell; that they ran out shows. */
export function processMetrics(): Family[] {
  const { rss, heapUsed } = Deno.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    {
      type: "gauge",
      name: "connectd_build_info",
      help: "Always 1; the labels say what runs.",
      samples: [{ labels: { version: VERSION, deno: Deno.version.deno }, value: 1 }],
    },
    single(
      "gauge",
      "process_start_time_seconds",
      "When the process started, in seconds since 1970.",
      performance.timeOrigin / 1000,
    ),
    single("counter", "process_cpu_seconds_total", "Processor time, of all threads.", (user + system) / 1e6),
    single("gauge", "process_resident_memory_bytes", "Memory that the process has.", rss),
    single("gauge", "connectd_heap_used_bytes", "Memory that objects of the serving thread take.", heapUsed),
    single(
      "gauge",
      "connectd_descriptors_short",
      "1: file descriptors ran out, and no visitor is admitted.",
      descriptors.short ? 1 : 0,
    ),
    {
      type: "histogram",
      name: "connectd_event_loop_lag_seconds",
      help: "By how much a timer of 50 ms was late: so long everything waited.",
      samples: [{ labels: {}, value: loop.lag }],
    },
    single(
      "gauge",
      "connectd_event_loop_lag_worst_seconds",
      "The longest such wait in the last minute or two.",
      loop.worst,
    ),
  ];
}

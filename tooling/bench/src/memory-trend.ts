import { median } from "./report.ts";

/** The memory of a process at a moment, in bytes, and the records it has handled so far. */
export interface MemorySample {
  readonly atMs: number;
  readonly rss: number;
  readonly heapUsed: number;
  /** What lies outside of the heap: fetched records, mostly. */
  readonly arrayBuffers: number;
  readonly handled: number;
}

/** How the memory of a process has gone on. */
export interface MemoryTrend {
  /** Median RSS of the last tenth of the samples ÷ that of the first tenth. */
  readonly growth: number;
  readonly firstRssMegabytes: number;
  readonly lastRssMegabytes: number;
  /** Of the line through all samples of the RSS, by least squares. */
  readonly slopeMegabytesPerMinute: number;
  readonly firstHeapMegabytes: number;
  readonly lastHeapMegabytes: number;
  readonly maxBuffersMegabytes: number;
  readonly recordsPerSecond: number;
}

const MEGABYTE = 1024 * 1024;
const MS_PER_MINUTE = 60_000;
const SHARE = 0.1;

/** @throws Error when there are fewer than two samples */
export function memoryTrend(samples: readonly MemorySample[]): MemoryTrend {
  const [start] = samples;
  const end = samples.at(-1);
  if (start === undefined || end === undefined || start === end) throw new Error("More samples of memory are needed.");
  const tenth = Math.ceil(samples.length * SHARE);
  const first = samples.slice(0, tenth);
  const last = samples.slice(-tenth);
  const firstRssMegabytes = median(first.map(({ rss }) => rss)) / MEGABYTE;
  const lastRssMegabytes = median(last.map(({ rss }) => rss)) / MEGABYTE;
  return {
    growth: lastRssMegabytes / firstRssMegabytes,
    firstRssMegabytes,
    lastRssMegabytes,
    slopeMegabytesPerMinute: (slope(samples) * MS_PER_MINUTE) / MEGABYTE,
    firstHeapMegabytes: median(first.map(({ heapUsed }) => heapUsed)) / MEGABYTE,
    lastHeapMegabytes: median(last.map(({ heapUsed }) => heapUsed)) / MEGABYTE,
    maxBuffersMegabytes: Math.max(...samples.map(({ arrayBuffers }) => arrayBuffers)) / MEGABYTE,
    recordsPerSecond: ((end.handled - start.handled) * 1000) / (end.atMs - start.atMs),
  };
}

/** Of the RSS, in bytes per millisecond. */
function slope(samples: readonly MemorySample[]): number {
  const meanMs = samples.reduce((sum, { atMs }) => sum + atMs, 0) / samples.length;
  const meanRss = samples.reduce((sum, { rss }) => sum + rss, 0) / samples.length;
  let covariance = 0;
  let variance = 0;
  for (const { atMs, rss } of samples) {
    covariance += (atMs - meanMs) * (rss - meanRss);
    variance += (atMs - meanMs) ** 2;
  }
  return covariance / variance;
}

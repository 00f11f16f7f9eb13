import { setTimeout as sleep } from "node:timers/promises";
import type { BenchBroker } from "./bench-broker.ts";
import type { RunningProgram } from "./running-program.ts";

const SAMPLE_INTERVAL_MS = 25;
const STALLED_AFTER_MS = 60_000;
const MEASURED_FROM = 0.1;

/** What was seen from outside between 10 % and 100 % of the input. */
export interface Throughput {
  readonly recordsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly brokerCpuSecondsPerMillion: number;
  readonly cores: number;
  readonly brokerCores: number;
  readonly peakRssMegabytes: number;
  /** From the start of the process to the first progress seen. */
  readonly firstProgressMs: number;
  /** From the start of the process to the end. */
  readonly totalMs: number;
}

interface Sample {
  readonly atMs: number;
  readonly done: number;
  readonly cpuSeconds: number;
  readonly brokerCpuSeconds: number;
}

/** What was seen of a program on its way to the end. */
export interface Progress {
  readonly startedAtMs: number;
  /** The first sample with anything done. */
  readonly first: Sample;
  /** The first sample with at least 10 % done. */
  readonly from: Sample;
  readonly end: Sample;
  readonly peakRssMegabytes: number;
}

/**
 * Asks every 25 ms how far the program is, until `total` is done.
 * @throws Error when the program ends early, makes no progress for a minute, or goes beyond `total`
 */
export async function watchProgress(
  program: RunningProgram,
  broker: BenchBroker,
  total: number,
  readDone: () => Promise<number>,
): Promise<Progress> {
  const take = (done: number): Sample => ({
    atMs: performance.now(),
    done,
    cpuSeconds: program.usage().cpuSeconds,
    brokerCpuSeconds: broker.cpuSeconds(),
  });
  const start = take(0);
  let latest = start;
  let first: Sample | undefined;
  let from: Sample | undefined;
  while (latest.done < total) {
    const ended = program.hasEnded;
    const sample = take(await readDone());
    if (sample.done > latest.done) {
      latest = sample;
      first ??= sample;
      if (sample.done >= total * MEASURED_FROM) from ??= sample;
    } else if (ended) {
      throw program.failed(`ended at ${latest.done} of ${total}`);
    } else if (sample.atMs - latest.atMs > STALLED_AFTER_MS) {
      throw program.failed(`made no progress for ${STALLED_AFTER_MS} ms at ${latest.done} of ${total}`);
    }
    if (latest.done < total) await sleep(SAMPLE_INTERVAL_MS);
  }
  if (latest.done > total) throw program.failed(`is at ${latest.done}, beyond the ${total} there are`);
  const { peakRssMegabytes } = program.usage();
  return { startedAtMs: start.atMs, first: first ?? latest, from: from ?? latest, end: latest, peakRssMegabytes };
}

/** Rate and cost between 10 % and the end. @throws Error when there is no time between the two */
export function throughputOf({ startedAtMs, first, from, end, peakRssMegabytes }: Progress): Throughput {
  if (from === end) throw new Error(`All ${end.done} records were done between two looks: more are needed.`);
  const seconds = (end.atMs - from.atMs) / 1000;
  const records = end.done - from.done;
  const cpuSeconds = end.cpuSeconds - from.cpuSeconds;
  const brokerCpuSeconds = end.brokerCpuSeconds - from.brokerCpuSeconds;
  return {
    recordsPerSecond: records / seconds,
    cpuSecondsPerMillion: (cpuSeconds * 1e6) / records,
    brokerCpuSecondsPerMillion: (brokerCpuSeconds * 1e6) / records,
    cores: cpuSeconds / seconds,
    brokerCores: brokerCpuSeconds / seconds,
    peakRssMegabytes,
    firstProgressMs: first.atMs - startedAtMs,
    totalMs: end.atMs - startedAtMs,
  };
}

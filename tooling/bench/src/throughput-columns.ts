import type { Column, Settings } from "./job.ts";
import type { Throughput } from "./progress.ts";

type ThroughputColumn = Column & { readonly figure: keyof Throughput };

const columns: readonly ThroughputColumn[] = [
  { figure: "recordsPerSecond", title: "records/s", digits: 0 },
  { figure: "cpuSecondsPerMillion", title: "CPU s/M", digits: 2 },
  { figure: "brokerCpuSecondsPerMillion", title: "broker CPU s/M", digits: 2 },
  { figure: "peakRssMegabytes", title: "peak RSS MB", digits: 0 },
  { figure: "cores", title: "cores", digits: 2 },
  { figure: "brokerCores", title: "broker cores", digits: 2 },
  { figure: "firstProgressMs", title: "first progress ms", digits: 0 },
  { figure: "totalMs", title: "total ms", digits: 0 },
];

/** The columns of every job whose progress is watched. */
export const throughputColumns: readonly Column[] = columns;

/** The title of every job whose progress is watched. */
export function describeThroughput({ records, partitions, serde }: Settings): string {
  return `${records.toLocaleString("en-US")} records (${serde}), ${partitions} partitions`;
}

import type { Bench, Column, Figures, Job } from "../job.ts";
import type { Rival } from "../rival.ts";
import { RunningProgram } from "../running-program.ts";
import { createStateFolder, removeStateFolder } from "../state-folders.ts";

/** What the program prints; `first…` is with the first million keys, the rest with all. */
export interface StoreMicroFigures {
  /** Of keys that the open transaction has written. */
  readonly overlayGetsPerSecond: number;
  /** Of committed keys, with the first million in the store. */
  readonly engineGetsPerSecond: number;
  readonly lastEngineGetsPerSecond: number;
  /** Without the commits. */
  readonly putsPerSecond: number;
  /** Puts ÷ the time of the commits alone, 10,000 puts each. */
  readonly commitPutsPerSecond: number;
  /** A put and its share of the commits. */
  readonly firstMicrosPerPut: number;
  readonly microsPerPut: number;
  /** `microsPerPut` ÷ `firstMicrosPerPut` */
  readonly growth: number;
  readonly firstCpuMicrosPerPut: number;
  readonly cpuMicrosPerPut: number;
  /** What the process had the kernel write: the log, tables, and tables again when they are compacted. */
  readonly firstWrittenBytesPerPut: number;
  readonly writtenBytesPerPut: number;
  readonly firstRssMegabytes: number;
  readonly lastRssMegabytes: number;
}

const columns: readonly (Column & { readonly figure: keyof StoreMicroFigures })[] = [
  { figure: "commitPutsPerSecond", title: "commit puts/s", digits: 0 },
  { figure: "putsPerSecond", title: "put/s", digits: 0 },
  { figure: "overlayGetsPerSecond", title: "overlay get/s", digits: 0 },
  { figure: "engineGetsPerSecond", title: "engine get/s, 1 M", digits: 0 },
  { figure: "lastEngineGetsPerSecond", title: "all", digits: 0 },
  { figure: "firstMicrosPerPut", title: "µs/put, 1 M", digits: 2 },
  { figure: "microsPerPut", title: "all", digits: 2 },
  { figure: "growth", title: "all ÷ 1 M", digits: 2 },
  { figure: "firstCpuMicrosPerPut", title: "CPU µs/put, 1 M", digits: 2 },
  { figure: "cpuMicrosPerPut", title: "all", digits: 2 },
  { figure: "firstWrittenBytesPerPut", title: "B written/put, 1 M", digits: 0 },
  { figure: "writtenBytesPerPut", title: "all", digits: 0 },
  { figure: "firstRssMegabytes", title: "RSS MB, 1 M", digits: 0 },
  { figure: "lastRssMegabytes", title: "all", digits: 0 },
];

/** A store on its own: no broker takes part. */
export const storeMicroJob: Job = {
  defaults: { records: 10_000_000, rounds: 1 },
  describe: ({ records }) => `${records.toLocaleString("en-US")} keys with values of 100 bytes, 10,000 a commit`,
  columns,
  isDoneBy: (rival) => rival.storeMicro !== undefined,
  setUp: async (bench) => ({
    notes: [],
    warmUp: async () => {},
    measure: async (rival, round) => work(bench, rival, `round-${round}`),
  }),
};

async function work(bench: Bench, rival: Rival, label: string): Promise<Figures> {
  const stateDirectory = await createStateFolder();
  try {
    const program = rival.storeMicro?.({ keys: bench.settings.records, stateDirectory });
    if (program === undefined) throw new Error(`${rival.name} has no store`);
    const running = new RunningProgram(rival.name, program, bench.logFile(`${rival.name}-${label}`));
    await running.finished();
    return { ...(running.lastJson() as StoreMicroFigures) };
  } finally {
    await removeStateFolder(stateDirectory);
  }
}

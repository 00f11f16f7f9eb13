import { randomBytes } from "node:crypto";
import { load, readBack } from "../instruments.ts";
import type { Bench, Column, Figures, Job } from "../job.ts";
import { type Rival, UNTIMED_TRANSACTIONS } from "../rival.ts";
import { RunningProgram } from "../running-program.ts";

const columns: readonly Column[] = [
  { figure: "p50", title: "p50 ms", digits: 2 },
  { figure: "p99", title: "p99 ms", digits: 2 },
];

/** The time of one transaction of one record and one offset, as the rival's own clock has it. */
export const transactionJob: Job = {
  describe: ({ transactions }) => `${transactions} transactions of one record and one offset, one after the other`,
  columns,
  isDoneBy: (rival) => rival.transaction !== undefined,
  setUp: async (bench) => {
    const { broker, settings } = bench;
    const input = await broker.createTopic("input", settings.partitions);
    await load(broker.bootstrapServers, input, settings.transactions, settings.serde, bench.logFile("load"));
    return {
      notes: [],
      warmUp: async (rival) => {
        await transact(bench, rival, input, "warm-up");
      },
      measure: async (rival, round) => transact(bench, rival, input, `round-${round}`),
    };
  },
};

async function transact(bench: Bench, rival: Rival, input: string, label: string): Promise<Figures> {
  const { broker, settings } = bench;
  const { bootstrapServers } = broker;
  const { transactions } = settings;
  const output = await broker.createTopic(`${rival.name}-output`, settings.partitions);
  const group = `${rival.name}-${randomBytes(4).toString("hex")}`;
  const program = rival.transaction?.({ bootstrapServers, group, input, output, transactions });
  if (program === undefined) throw new Error(`${rival.name} has no transaction program`);
  const running = new RunningProgram(rival.name, program, bench.logFile(`${rival.name}-${label}`));
  try {
    await running.finished();
    const { records } = await readBack(bootstrapServers, output, bench.logFile(`check-${rival.name}-${label}`));
    const expected = UNTIMED_TRANSACTIONS + transactions;
    if (records !== expected) throw new Error(`${rival.name} committed ${records} records instead of ${expected}`);
    return running.lastJson() as Figures;
  } finally {
    await running.kill();
    await broker.deleteTopic(output);
  }
}

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { feed } from "../instruments.ts";
import type { Bench, Column, Figures, Job } from "../job.ts";
import { watchProgress } from "../progress.ts";
import { type Pause, type PauseFigures, pauseFigures } from "../rebalance-pauses.ts";
import type { Rival } from "../rival.ts";
import { RunningProgram } from "../running-program.ts";

const RESIDENTS = 4;
const POLL_MS = 100;
const JOINED_WITHIN_MS = 60_000;
/** The first generations are over and everybody is at work before the visitor comes. */
const SETTLE_MS = 2_000;

const columns: readonly (Column & { readonly figure: keyof PauseFigures | "handledTwice" })[] = [
  { figure: "beyondJoinP95", title: "beyond join p95 ms", digits: 1 },
  { figure: "beyondJoinP50", title: "p50 ms", digits: 1 },
  { figure: "beyondJoinMax", title: "max ms", digits: 1 },
  { figure: "beyondHooksP95", title: "beyond hooks p95 ms", digits: 1 },
  { figure: "pauseP50", title: "whole pause p50 ms", digits: 0 },
  { figure: "pauseP95", title: "whole pause p95 ms", digits: 0 },
  { figure: "pauses", title: "pauses", digits: 0 },
  { figure: "handledTwice", title: "handled twice", digits: 0 },
];

/** How long members hand out nothing when another one joins or leaves, beyond the wait for the others. */
export const rebalanceJob: Job = {
  defaults: { partitions: 100, rate: 500, rounds: 1 },
  describe: ({ partitions, rate, visits }) =>
    `${RESIDENTS} members, ${partitions} partitions, ${rate} records/s, a handler of 1 ms, another member joins and leaves ${visits} times`,
  columns,
  isDoneBy: (rival) => rival.rebalance !== undefined,
  setUp: async (bench) => ({
    notes: [],
    warmUp: async () => {},
    measure: async (rival, round) => rebalance(bench, rival, `round-${round}`),
  }),
};

async function rebalance(bench: Bench, rival: Rival, label: string): Promise<Figures> {
  const { broker, settings } = bench;
  const { bootstrapServers } = broker;
  const topic = await broker.createTopic("input", settings.partitions);
  const group = `${rival.name}-${randomBytes(4).toString("hex")}`;
  const running: RunningProgram[] = [];
  const start = (name: string, visits: number | undefined): RunningProgram => {
    const program = rival.rebalance?.({ bootstrapServers, group, topic, visits });
    if (program === undefined) throw new Error(`${rival.name} has no member for rebalances`);
    const started = new RunningProgram(rival.name, program, bench.logFile(`${rival.name}-${name}-${label}`));
    running.push(started);
    return started;
  };
  try {
    const input = await feed(bootstrapServers, topic, settings.rate, 0, bench.logFile(`feed-${rival.name}-${label}`));
    running.push(input);
    const residents = Array.from({ length: RESIDENTS }, (_, i) => start(`resident-${i + 1}`, undefined));
    await settled(bench, group, residents);
    const fromMs = Date.now();
    const visitor = start("visitor", settings.visits);
    await visitor.finished();
    const untilMs = Date.now();
    if (input.hasEnded) throw input.failed("ended before the last visit");
    await input.stop();
    const records = await broker.endOffsets(topic);
    await watchProgress(visitor, broker, records, () => broker.committedOffsets(group, topic));
    await Promise.all(residents.map((resident) => resident.stop()));
    const handled = [...residents, visitor].map((member) => handledBy(member));
    const pauses = residents.flatMap((resident) => resident.allJson().filter((line) => isPause(line)));
    return {
      ...pauseFigures(pauses, fromMs, untilMs),
      handledTwice: handled.reduce((sum, each) => sum + each, 0) - records,
    };
  } finally {
    await Promise.all(running.map((each) => each.kill()));
    await broker.deleteTopic(topic);
  }
}

async function settled({ broker }: Bench, group: string, residents: readonly RunningProgram[]): Promise<void> {
  const untilMs = performance.now() + JOINED_WITHIN_MS;
  while ((await broker.settledMembers(group)) < residents.length) {
    const ended = residents.find((resident) => resident.hasEnded);
    if (ended !== undefined) throw ended.failed("ended before all members had joined");
    if (performance.now() > untilMs) throw new Error(`${group} was not complete within ${JOINED_WITHIN_MS} ms`);
    await sleep(POLL_MS);
  }
  await sleep(SETTLE_MS);
}

/** @throws Error when the group has gone on without the member: then its pauses are those of a failure */
function handledBy(member: RunningProgram): number {
  const { handled, lost } = member.lastJson() as { handled: number; lost: number };
  if (lost > 0) throw member.failed(`lost its partitions ${lost} times`);
  return handled;
}

function isPause(line: unknown): line is Pause {
  return typeof line === "object" && line !== null && "stoppedAtMs" in line;
}

import type { ConsumerGroup, GroupLag, PartitionLag } from "@eos/consumer-groups";
import { type Clock, systemClock } from "@eos/core";
import { failureLine } from "@tooling/app-cli";
import type { GroupView, LagView, PartitionView } from "./group-view.ts";
import { Rate } from "./rate.ts";

/** What of a group is watched. */
export type WatchedGroup = Pick<ConsumerGroup<unknown, unknown>, "state" | "health" | "metrics" | "watchLag">;

export interface GroupWatchOptions extends Pick<GroupView, "groupId" | "input" | "output" | "processId"> {
  readonly group: WatchedGroup;
  /** Alerts sent until now. */
  readonly alerts: () => number;
  readonly lagIntervalMs: number;
  readonly clock?: Clock;
}

/** Samples the lag of a group, and sums up what is to be shown of it. */
export class GroupWatch {
  readonly #options: GroupWatchOptions;
  readonly #clock: Clock;
  readonly #flights = new Rate();
  readonly #commits = new Map<number, Rate>();
  #lag: { readonly lag: GroupLag; readonly timeMs: number } | null = null;
  #problem: string | null = null;

  constructor(options: GroupWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#flights.add(this.#clock.monotonicMs(), options.group.metrics().recordsConsumedTotal);
  }

  /** Begins to sample. @returns ends it */
  start(): () => void {
    const { group, lagIntervalMs } = this.#options;
    return group.watchLag((lag) => this.#measured(lag), {
      intervalMs: lagIntervalMs,
      onError: (error) => {
        this.#problem = failureLine(error);
      },
    });
  }

  /** As of now. The rate of flights is as exact as this is called often. */
  view(): GroupView {
    const { group, alerts, groupId, input, output, processId } = this.#options;
    const metrics = group.metrics();
    this.#flights.add(this.#clock.monotonicMs(), metrics.recordsConsumedTotal);
    return {
      groupId,
      input,
      output,
      processId,
      state: group.state,
      members: group.health().members.length,
      flights: metrics.recordsConsumedTotal,
      flightsPerSecond: this.#flights.perSecond,
      alerts: alerts(),
      skipped: metrics.recordsSkippedTotal,
      failed: metrics.recordsFailedTotal,
      lag: this.#lagView(),
      lagProblem: this.#problem,
    };
  }

  #measured(lag: GroupLag): void {
    const timeMs = this.#clock.monotonicMs();
    this.#lag = { lag, timeMs };
    this.#problem = null;
    for (const { partition, offset } of lag.partitions) {
      if (offset === null) continue;
      const rate = this.#commits.get(partition) ?? new Rate();
      this.#commits.set(partition, rate);
      rate.add(timeMs, offset);
    }
  }

  #lagView(): LagView | null {
    if (this.#lag === null) return null;
    const { lag, timeMs } = this.#lag;
    const members = this.#options.group.health().members.map(({ assigned }) => assigned);
    return {
      ageMs: this.#clock.monotonicMs() - timeMs,
      state: lag.state,
      records: lag.records,
      seconds: lag.maxSeconds,
      partitions: lag.partitions.map((of) => {
        const index = members.findIndex((assigned) => assigned.some(({ partition }) => partition === of.partition));
        return this.#partitionView(of, index < 0 ? null : index + 1);
      }),
    };
  }

  #partitionView({ partition, state, records, seconds }: PartitionLag, member: number | null): PartitionView {
    return { partition, member, state, records, seconds, perSecond: this.#commits.get(partition)?.perSecond ?? null };
  }
}

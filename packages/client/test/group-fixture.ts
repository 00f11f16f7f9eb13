import { formatTopicPartition, type TopicPartition } from "@eos/core";
import type { Client, GroupConsumer, GroupConsumerOptions, GroupGeneration, RebalanceHooks } from "@eos/client";

/** A member of a group that writes down what happens to it. */
export class MemberFixture {
  /** `assigned …`, `revoked …`, `lost …`, `fatal …`, with the partitions or the error's code. */
  readonly events: string[] = [];
  readonly generations: GroupGeneration[] = [];
  readonly consumer: GroupConsumer;
  #waiters: (() => void)[] = [];

  constructor(
    client: Client,
    options: Pick<GroupConsumerOptions, "groupId" | "topics"> &
      Partial<Omit<GroupConsumerOptions, "hooks">> & { readonly hooks?: Partial<RebalanceHooks> },
  ) {
    const { hooks = {}, ...rest } = options;
    this.consumer = client.groupConsumer({
      sessionTimeoutMs: 10_000,
      heartbeatIntervalMs: 50,
      rebalanceTimeoutMs: 10_000,
      observer: {},
      onFetched: () => {},
      onFetchError: () => {},
      onFatal: (error) => this.#add(`fatal ${(error as { code?: string }).code ?? error.message}`),
      hooks: {
        onAssigned: (partitions, generation) => {
          this.generations.push(generation);
          this.#add(`assigned ${names(partitions)}`);
          return Promise.resolve();
        },
        onRevoked: (partitions) => {
          this.#add(`revoked ${names(partitions)}`);
          return Promise.resolve();
        },
        onLost: (partitions) => {
          this.#add(`lost ${names(partitions)}`);
          return Promise.resolve();
        },
        ...hooks,
      },
      ...rest,
    });
  }

  get assigned(): string {
    return this.events.findLast((event) => event.startsWith("assigned "))?.slice("assigned ".length) ?? "none";
  }

  async until(condition: (member: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #add(event: string): void {
    this.events.push(event);
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

/** `in-0 in-1` */
export function names(partitions: readonly TopicPartition[]): string {
  return partitions.map(formatTopicPartition).sort().join(" ");
}

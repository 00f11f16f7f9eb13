import {
  type Client,
  type CommittedOffset,
  createClient,
  createProducer,
  type FetchedRecord,
  OffsetBatch,
  RecordAppender,
  type RecordProducer,
} from "@eos/client";
import { type ConsumerGroup, type ConsumerGroupOptions, createConsumerGroup } from "@eos/consumer-groups";
import { type OutgoingRecord, silentLogger, stringSerde, type TopicPartition } from "@eos/core";
import { testBroker, uniqueName } from "@tooling/kafka/testing";

export interface TestGroupsOptions {
  readonly brokers?: readonly string[];
  readonly partitions?: number;
}

/** What is written; to partition 0 unless it says otherwise, so that the order is known. */
export type TestRecord = Partial<Omit<OutgoingRecord<string, string>, "topic">>;

export type TextRecord = FetchedRecord<string, string>;

const POLL_MS = 20;

/** A topic and a group that nobody else uses, and what a test does with them. */
export class TestGroups implements AsyncDisposable {
  readonly topic = uniqueName("topic");
  readonly groupId = uniqueName("group");
  readonly brokers: readonly string[];
  readonly client: Client;
  #producer: RecordProducer;
  readonly #groups: ConsumerGroup<string, string>[] = [];

  private constructor(brokers: readonly string[]) {
    this.brokers = brokers;
    this.client = createClient({ brokers, logger: silentLogger });
    this.#producer = createProducer({ brokers, logger: silentLogger });
  }

  static async create({ brokers = testBroker().brokers, partitions = 1 }: TestGroupsOptions = {}): Promise<TestGroups> {
    const groups = new TestGroups(brokers);
    await Promise.all([groups.client.connect(), groups.#producer.start()]);
    await groups.createTopic(groups.topic, partitions);
    return groups;
  }

  createTopic(topic: string, partitions = 1): Promise<void> {
    return this.client.admin.createTopics([{ topic, partitions }]);
  }

  /** Adds partitions, until the topic has so many. */
  async grow(partitions: number): Promise<void> {
    await this.client.admin.createPartitions(this.topic, partitions);
    // One that knows the topic as it was would look again after minutes.
    await this.#producer.close();
    this.#producer = createProducer({ brokers: this.brokers, logger: silentLogger });
    await this.#producer.start();
  }

  write(records: readonly TestRecord[], topic: string = this.topic): Promise<void> {
    const all = records.map((record) => ({ partition: 0, value: null, ...record }));
    return this.#producer.send({ topic, records: all, key: stringSerde, value: stringSerde });
  }

  /** Writes to partition 0 in a transaction of its own, and waits for its marker. An aborted one is written in full. */
  async writeInTransaction(records: readonly TestRecord[], end: "commit" | "abort"): Promise<void> {
    // What is to be aborted must have been sent: records that fill a batch each, of which the last one stays here.
    const producer = await this.client.producer({ transactionalId: uniqueName("writer"), maxBatchBytes: 240 });
    await producer.init();
    const filled = [...records, {}].map((record) => ({ ...record, value: "x".repeat(100), partition: 0 }));
    const all = end === "abort" ? filled : records.map((record) => ({ value: null, ...record, partition: 0 }));
    const before = await this.#end();
    await new RecordAppender(producer).append(
      { topic: this.topic, records: all, key: stringSerde, value: stringSerde },
      () => undefined,
    );
    if (end === "commit") {
      await producer.commit([]);
    } else {
      await this.#untilEnd(before + records.length);
      await producer.abort();
    }
    await this.#untilEnd(before + records.length + 1);
    producer.close();
  }

  /** A group of strings, quick to notice a rebalance; it is closed with the fixture. */
  group(options: Partial<ConsumerGroupOptions<string, string>> = {}): ConsumerGroup<string, string> {
    const group = createConsumerGroup<string, string>({
      brokers: this.brokers,
      groupId: this.groupId,
      topics: this.topic,
      key: stringSerde,
      value: stringSerde,
      heartbeatIntervalMs: 200,
      logger: silentLogger,
      ...options,
    });
    this.#groups.push(group);
    return group;
  }

  partition(partition = 0): TopicPartition {
    return { topic: this.topic, partition };
  }

  /** What the group has committed for a partition. */
  async commitOf(partition = 0): Promise<CommittedOffset> {
    const [committed] = await this.client.admin.committedOffsets(this.groupId, [this.partition(partition)]);
    if (committed === undefined) throw new Error(`no answer about partition ${partition}`);
    return committed;
  }

  async committed(partition = 0): Promise<number> {
    return (await this.commitOf(partition)).offset;
  }

  /** Commits for the group from outside, as a tool does. The group must have no members. */
  async setCommitted(offset: number, metadata = ""): Promise<void> {
    const offsets = new OffsetBatch();
    offsets.set(this.topic, 0, offset, metadata);
    const generation = { groupId: this.groupId, generationId: -1, memberId: "", groupInstanceId: null };
    await this.client.commitOffsets({ generation, offsets });
  }

  /** Resolves once the group's commit is `offset`: the broker's to tell, there is no event to wait for. */
  async untilCommitted(offset: number, partition = 0): Promise<void> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const committed = await this.committed(partition);
      if (committed === offset) return;
      if (Date.now() > deadline) throw new Error(`committed is ${committed}, not ${offset}, after 10 s`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** The lag of every partition as the brokers know it, whatever the group itself thinks. */
  async lagOf(partitions: number): Promise<number[]> {
    const all = Array.from({ length: partitions }, (_, partition) => this.partition(partition));
    const ends = await this.client.admin.listOffsets(all, "latest");
    const committed = await this.client.admin.committedOffsets(this.groupId, all);
    return ends.map(
      ({ partition, offset }) => offset - Math.max(0, committed.find((c) => c.partition === partition)?.offset ?? 0),
    );
  }

  async #end(): Promise<number> {
    const [end] = await this.client.admin.listOffsets([this.partition()], "latest", "read_uncommitted");
    return end?.offset ?? -1;
  }

  async #untilEnd(offset: number): Promise<void> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const end = await this.#end();
      if (end === offset) return;
      if (Date.now() > deadline) throw new Error(`the log ends at ${end}, not at ${offset}, after 10 s`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.close({ drain: false })));
    await this.#producer.close();
    await this.client.close();
  }
}

export function numbered(count: number, record: TestRecord = {}, first = 0): TestRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key ${first + index}`,
    value: `value ${first + index}`,
    ...record,
  }));
}

/** `0, 1, …, count - 1` */
export function upTo(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** What stopped the group. */
export function failureOf(group: Pick<ConsumerGroup<string, string>, "finished">): Promise<unknown> {
  return group.finished.then(
    () => null,
    (error: unknown) => error,
  );
}

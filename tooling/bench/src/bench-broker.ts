import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { type KafkaCluster, startKafka } from "@tooling/kafka";
import { readUsage } from "./process-usage.ts";

const POLL_MS = 20;

/** The broker beside which everything is measured, and an admin client to look at it from outside. */
export class BenchBroker {
  readonly bootstrapServers: string;
  readonly #cluster: KafkaCluster;
  readonly #admin: Admin;

  private constructor(cluster: KafkaCluster, admin: Admin) {
    this.bootstrapServers = cluster.bootstrapServers;
    this.#cluster = cluster;
    this.#admin = admin;
  }

  static async start(): Promise<BenchBroker> {
    const cluster = await startKafka({
      heapMegabytes: 1024,
      jit: "full",
      // Deleted topics give their space back at once: every run writes a new output.
      config: { "log.segment.delete.delay.ms": "1000" },
    });
    const kafka = new Kafka({
      clientId: "bench-watcher",
      brokers: [cluster.bootstrapServers],
      logLevel: logLevel.NOTHING,
    });
    const admin = kafka.admin();
    await admin.connect();
    return new BenchBroker(cluster, admin);
  }

  async stop(): Promise<void> {
    await this.#admin.disconnect();
    await this.#cluster.stop();
  }

  /** CPU seconds of the broker's process so far. */
  cpuSeconds(): number {
    const pid = this.#cluster.nodes[0]?.pid;
    const usage = pid === undefined ? undefined : readUsage(pid);
    if (usage === undefined) throw new Error("The broker has ended; see its log.");
    return usage.cpuSeconds;
  }

  async createTopic(prefix: string, partitions: number): Promise<string> {
    const topic = `${prefix}-${randomBytes(4).toString("hex")}`;
    await this.#admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: false });
    while (!(await this.#isReady(topic, partitions))) await sleep(POLL_MS);
    return topic;
  }

  /**
   * 1. A broker hears of its new partitions some time after the controller has made them; kafkajs' own wait fails before.
   * 2. It names itself their leader before it has made their logs.
   * 3. An idempotent producer that writes in between may repeat OUT_OF_ORDER_SEQUENCE_NUMBER for ever.
   * So a topic is ready when all of its leaders answer.
   */
  async #isReady(topic: string, partitions: number): Promise<boolean> {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] }).catch(noTopicsWhenRetriable);
    const known = topics[0]?.partitions.filter(({ leader }) => leader >= 0) ?? [];
    if (known.length < partitions) return false;
    const offsets = await this.#admin.fetchTopicOffsets(topic).catch(noneWhenRetriable);
    return offsets.length === partitions;
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [topic] });
  }

  /** The sum of the offsets that a group has committed for a topic: its records done, if the topic has no markers. */
  async committedOffsets(group: string, topic: string): Promise<number> {
    const [answer] = await this.#admin.fetchOffsets({ groupId: group, topics: [topic] }).catch(noneWhenRetriable);
    return (answer?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  }

  /** How many members the group has while all of them hold their assignments; 0 in between. */
  async settledMembers(group: string): Promise<number> {
    const { groups } = await this.#admin.describeGroups([group]);
    const [description] = groups;
    return description?.state === "Stable" ? description.members.length : 0;
  }

  /** Whether nobody is a member of the group, not even one that was killed and is not yet missed. */
  async hasNoMembers(group: string): Promise<boolean> {
    const { groups } = await this.#admin.describeGroups([group]);
    return groups[0]?.members.length === 0;
  }

  /** The sum of the ends of a topic's partitions: its records, if it has no markers. */
  async endOffsets(topic: string): Promise<number> {
    const partitions = await this.#admin.fetchTopicOffsets(topic);
    return partitions.reduce((sum, { high }) => sum + Number(high), 0);
  }
}

/** A coordinator that still loads or moves, or a new leader, knows no offsets yet: nothing to fail a run for, the next look asks again. */
function noneWhenRetriable(error: unknown): [] {
  if (error instanceof Error && "retriable" in error && error.retriable === true) return [];
  throw error;
}

function noTopicsWhenRetriable(error: unknown): { topics: [] } {
  return { topics: noneWhenRetriable(error) };
}

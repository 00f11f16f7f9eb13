import { type BatchProducer, type Client, createClient, RecordCursor, RecordSource } from "@eos/client";
import { type Headers, silentLogger, stringSerde, systemClock, type TopicPartition } from "@eos/core";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { vi } from "vitest";
import { type ApplyChangelog, restoreChangelog, type RestoreOptions } from "../../src/changelog/restore.ts";

/** So that a record fills a batch, and leaves when the next one is appended. */
const RECORD_BYTES = 64;
const MAX_BATCH_BYTES = 200;
/** Appended to push out those before it. */
const LAST = "last";

/** Key and value as a store would have them, and where they lie in the changelog. */
export interface Entry {
  readonly key: string;
  readonly value: string | null;
  readonly headers: Headers;
  readonly offset: number;
}

/** A changelog that nobody else uses, and what a test does with it. */
export class TestChangelog implements AsyncDisposable {
  readonly topic: string;
  readonly client: Client;
  readonly #others: Client[] = [];

  private constructor(client: Client, topic: string) {
    this.client = client;
    this.topic = topic;
  }

  static async create(
    options: { readonly partitions?: number; readonly config?: { readonly [name: string]: string } } = {},
  ): Promise<TestChangelog> {
    const changelog = new TestChangelog(newClient(), `${uniqueName("app")}-counts-changelog`);
    await changelog.client.connect();
    await changelog.createTopic(options);
    return changelog;
  }

  async createTopic({
    partitions = 1,
    config = { "cleanup.policy": "compact" },
  }: {
    readonly partitions?: number;
    readonly config?: { readonly [name: string]: string };
  }): Promise<void> {
    await this.client.admin.createTopics([{ topic: this.topic, partitions, config }]);
  }

  partition(partition = 0): TopicPartition {
    return { topic: this.topic, partition };
  }

  /** A client of its own: what is closed with it has died, as far as the broker can tell. */
  async otherClient(options: Partial<Parameters<typeof createClient>[0]> = {}): Promise<Client> {
    const client = newClient(options);
    this.#others.push(client);
    await client.connect();
    return client;
  }

  /** The offset behind everything written, markers included. */
  async end(partition = 0): Promise<number> {
    return await this.#latest(partition, "read_uncommitted");
  }

  /** The offset behind everything decided. */
  async stableEnd(partition = 0): Promise<number> {
    return await this.#latest(partition, "read_committed");
  }

  /** Nothing is undecided any more: EndTxn is answered before its markers are there. */
  async settled(partition = 0): Promise<number> {
    return await vi.waitFor(
      async () => {
        const [stable, end] = [await this.stableEnd(partition), await this.end(partition)];
        if (stable !== end) throw new Error(`a transaction is open: ${stable} of ${end}`);
        return end;
      },
      { timeout: 20_000, interval: 10 },
    );
  }

  /** Writes values under keys that are like them, in a transaction that ends as told, markers included. */
  async transaction(outcome: "commit" | "abort", values: readonly string[], partition = 0): Promise<number> {
    const producer = await this.#producer(this.client);
    if (outcome === "commit") {
      await append(producer, this.partition(partition), values);
      await producer.commit([]);
    } else {
      await this.#send(producer, values, partition);
      await producer.abort();
    }
    producer.close();
    return await this.settled(partition);
  }

  /** Writes values in a transaction that stays open: they are in the log, `"last"` is not there yet. */
  async openTransaction(
    values: readonly string[],
    { client = this.client, transactionTimeoutMs = 60_000, partition = 0 } = {},
  ): Promise<BatchProducer> {
    const producer = await this.#producer(client, transactionTimeoutMs);
    await this.#send(producer, values, partition);
    return producer;
  }

  async restore(
    options: Partial<RestoreOptions> = {},
  ): Promise<{ entries: Entry[]; position: number; records: number }> {
    const entries: Entry[] = [];
    const result = await restoreChangelog({
      client: this.client,
      topic: this.topic,
      partition: 0,
      store: "counts",
      from: -1,
      apply: keepIn(entries),
      clock: systemClock,
      logger: silentLogger,
      ...options,
    });
    return { entries, ...result };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.client, ...this.#others].map((client) => client.close()));
  }

  async #latest(partition: number, isolation: "read_committed" | "read_uncommitted"): Promise<number> {
    const [latest] = await this.client.admin.listOffsets([this.partition(partition)], "latest", isolation);
    return latest?.offset ?? -1;
  }

  async #producer(client: Client, transactionTimeoutMs = 60_000): Promise<BatchProducer> {
    const producer = await client.producer({
      transactionalId: uniqueName("tx"),
      transactionTimeoutMs,
      maxBatchBytes: MAX_BATCH_BYTES,
    });
    await producer.init();
    return producer;
  }

  async #send(producer: BatchProducer, values: readonly string[], partition: number): Promise<void> {
    const expected = (await this.end(partition)) + values.length;
    await append(producer, this.partition(partition), [...values, LAST]);
    await vi.waitFor(
      async () => {
        if ((await this.end(partition)) < expected) throw new Error("the batches are still on their way");
      },
      { timeout: 10_000, interval: 10 },
    );
  }
}

/** Appends text under keys that are like it, long ago as far as segments are concerned. */
async function append(producer: BatchProducer, { topic, partition }: TopicPartition, values: readonly string[]) {
  const output = (await producer.topic(topic)).partitions[partition];
  if (output === undefined) throw new Error(`no partition ${partition}`);
  for (const value of values) {
    const key = Buffer.from(keyOf(value));
    producer.append(output, Date.now() - 1_000, key, 0, key.length, value.padEnd(RECORD_BYTES), null, 0, 0);
  }
}

/** `a1` and `a2` are of one key. */
function keyOf(value: string): string {
  return value.replace(/\d+$/, "");
}

/** An `apply` that only keeps what it is given. */
export function keepIn(entries: Entry[]): ApplyChangelog {
  const cursor = new RecordCursor();
  const source = new RecordSource("changelog", 0, stringSerde, stringSerde);
  return (batches, from) => {
    for (const batch of batches) {
      cursor.open(batch, from);
      while (cursor.next()) {
        const { key, value, headers, offset } = cursor.record(source);
        entries.push({ key: key ?? "", value: value?.trimEnd() ?? null, headers, offset });
      }
    }
  };
}

export function valuesOf(entries: readonly Entry[]): (string | null)[] {
  return entries.map(({ value }) => value);
}

function newClient(options: Partial<Parameters<typeof createClient>[0]> = {}): Client {
  return createClient({ brokers: testBroker().brokers, logger: silentLogger, ...options });
}

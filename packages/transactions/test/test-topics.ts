import { type Client, createClient, type FetchedRecord } from "@eos/client";
import { type Logger, type OutgoingRecord, type Serde, silentLogger, stringSerde } from "@eos/core";
import {
  createExactlyOnceProcessor,
  createTransactionalProducer,
  type ExactlyOnceProcessor,
  type ProcessorOptions,
  type TransactionalProducerOptions,
} from "@eos/transactions";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { type CopyTopics, drained, readTopic, settled } from "./copy-run.ts";

export interface TestTopicsOptions {
  readonly brokers?: readonly string[];
  readonly inputPartitions?: number;
  readonly outputPartitions?: number;
  readonly outputConfig?: { readonly [name: string]: string };
}

/** Options of a processor under test; names, topics and brokers are filled in. */
export type TestProcessorOptions<VI = string, VO = VI> = Partial<ProcessorOptions<string, VI, string, VO>>;

/** What is written into an input topic: by default to partition 0, so that the order is known. */
export type TestRecord = Omit<OutgoingRecord<string | Buffer, string | Buffer>, "topic">;

/** Strings and bytes alike, whichever a test wants to write. */
const textOrBytes: Serde<string | Buffer> = {
  serialize: (_topic, value) => value,
  deserialize: (_topic, bytes) => bytes,
};

/** An input topic, an output topic and an application that nobody else uses, and what a test does with them. */
export class TestTopics implements CopyTopics, AsyncDisposable {
  readonly applicationId = uniqueName("app");
  readonly input = uniqueName("in");
  readonly output = uniqueName("out");
  readonly brokers: readonly string[];
  readonly client: Client;
  readonly #processors: { close(): Promise<void> }[] = [];

  private constructor(brokers: readonly string[]) {
    this.brokers = brokers;
    this.client = createClient({ brokers, logger: silentLogger });
  }

  static async create(options: TestTopicsOptions = {}): Promise<TestTopics> {
    const topics = new TestTopics(options.brokers ?? testBroker().brokers);
    await topics.client.connect();
    await topics.client.admin.createTopics([
      { topic: topics.input, partitions: options.inputPartitions ?? 1 },
      { topic: topics.output, partitions: options.outputPartitions ?? 1, config: options.outputConfig ?? {} },
    ]);
    return topics;
  }

  /** What a copying program is told of them. */
  get application(): CopyTopics & { readonly brokers: readonly string[] } {
    const { brokers, applicationId, input, output } = this;
    return { brokers, applicationId, input, output };
  }

  /**
   * Writes into the input, in a committed transaction, and waits until its markers are there: before them the input's
   * stable end is still the old one, and whoever waits for that end to be processed would not wait at all.
   */
  async write(
    records: readonly TestRecord[],
    producer: Partial<TransactionalProducerOptions> = {},
    topic = this.input,
  ): Promise<void> {
    await this.produce(producer, (send) => send(records), topic);
    await settled(this.client, topic);
  }

  /** Runs `work` in a transaction on the input topic; one that throws is aborted. */
  async produce(
    producer: Partial<TransactionalProducerOptions>,
    work: (send: (records: readonly TestRecord[]) => Promise<void>) => Promise<void>,
    topic = this.input,
  ): Promise<void> {
    await using transactional = createTransactionalProducer({
      brokers: this.brokers,
      transactionalId: uniqueName("writer"),
      ...producer,
    });
    await transactional.start();
    await transactional.transaction((transaction) =>
      work((records) =>
        transaction.send({
          topic,
          records: records.map((record) => ({ partition: 0, ...record })),
          key: textOrBytes,
          value: textOrBytes,
        }),
      ),
    );
  }

  /** A processor of strings; it is closed with the topics. */
  processor<VI = string, VO = VI>(options: TestProcessorOptions<VI, VO>): ExactlyOnceProcessor<string, VI, string, VO> {
    const text = stringSerde as unknown;
    const processor = createExactlyOnceProcessor<string, VI, string, VO>({
      brokers: this.brokers,
      applicationId: this.applicationId,
      input: { topic: this.input, key: stringSerde, value: text as Serde<VI> },
      output: { topic: this.output, key: stringSerde, value: text as Serde<VO> },
      logger: silentLogger,
      ...options,
    });
    this.#processors.push(processor);
    return processor;
  }

  /** Runs a processor until everything in the input is processed, and closes it. */
  async process<VI = string, VO = VI>(
    options: TestProcessorOptions<VI, VO>,
  ): Promise<ExactlyOnceProcessor<string, VI, string, VO>> {
    const processor = this.processor(options);
    await processor.start();
    await Promise.race([this.drained(), processor.finished]);
    await processor.close();
    return processor;
  }

  /** Everything in the input (or in another one) is processed and committed. */
  drained(timeoutMs = 20_000, input = this.input): Promise<void> {
    return drained(this.client, { ...this.application, input }, timeoutMs);
  }

  /** The committed records of the output, by partition and offset, once no transaction is open there. */
  async read(): Promise<FetchedRecord<string, Buffer>[]> {
    await settled(this.client, this.output);
    return readTopic(this.client, this.output);
  }

  /** How many records of the output are committed now. */
  async visible(): Promise<number> {
    return (await readTopic(this.client, this.output)).length;
  }

  /** Their values as text. */
  async values(): Promise<string[]> {
    return (await this.read()).map(({ value }) => String(value));
  }

  /** The group's offset of an input partition; −1 without one. */
  async committed(partition = 0): Promise<number> {
    const partitions = [{ topic: this.input, partition }];
    const [committed] = await this.client.admin.committedOffsets(this.applicationId, partitions);
    return committed?.offset ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processors.map((processor) => processor.close()));
    await this.client.close();
  }
}

/** A logger that keeps what it is told. */
export function recordingLogger(): Logger & {
  readonly entries: { readonly level: string; readonly fields: object; readonly message: string }[];
} {
  const entries: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  const keep = (level: string) => (fields: object, message: string) => void entries.push({ level, fields, message });
  return { entries, debug: keep("debug"), info: keep("info"), warn: keep("warn"), error: keep("error") };
}

export function numbered(count: number, first = 0): TestRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key ${first + index}`,
    value: `value ${first + index}`,
  }));
}

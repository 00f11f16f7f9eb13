import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type CommittedRecord, ConsoleRecordParser } from "./console-record-parser.ts";
import { BrokerError } from "./errors.ts";
import { type KafkaToolRun, runKafkaTool } from "./kafka-tool.ts";
import { committedOffsets, deleteGroup, type ReadableRange, readableRanges } from "./topic-offsets.ts";

const CONSOLE_CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const POLL_INTERVAL_MS = 100;

/** What is read, and for how long at most. */
export interface ReadCommittedOptions {
  readonly bootstrapServers: string;
  readonly topic: string;
  /** Only these partitions' records. @default all */
  readonly partitions?: readonly number[];
  /** Fails when it has not come to the end by then, in milliseconds. @default 60 000 */
  readonly timeoutMs?: number;
  /** Further configuration of the Java consumer. */
  readonly properties?: Readonly<Record<string, string>>;
}

/**
 * Reads a topic as a stranger does: by Kafka's own `kafka-console-consumer` with `isolation.level=read_committed`, so
 * nothing of this repository decides what counts as committed. Order is kept within a partition.
 *
 * The end is known, not guessed by a silence: the last stable offsets are taken before the consumer starts; it commits
 * its positions, which step over aborted records and transaction markers too, and a position is committed only after
 * everything before it was printed. When all have reached the end the consumer is stopped. Records beyond the end,
 * committed while it ran, are left out.
 *
 * @throws BrokerError `EOS_KAFKA_TOOL_FAILED` when the consumer fails or `timeoutMs` have passed
 */
export async function* readCommitted(options: ReadCommittedOptions): AsyncGenerator<CommittedRecord, void, undefined> {
  const { bootstrapServers, topic } = options;
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  const ranges = (await rangesBefore(deadline, options)).filter(({ start, end }) => end > start);
  if (ranges.length === 0) return;

  const ends = new Map(ranges.map(({ partition, end }) => [partition, end]));
  const group = `eos-read-committed-${randomBytes(6).toString("hex")}`;
  const parser = new ConsoleRecordParser();
  const run = await startConsumer(options, group, parser);
  const watch = new AbortController();
  const watched = stopAtEnd(run, group, ranges, options, deadline, watch.signal);
  watched.catch(() => {});
  try {
    for await (const chunk of run.stdout as AsyncIterable<Buffer>) {
      for (const record of parser.push(chunk)) {
        if (record.offset < (ends.get(record.partition) ?? 0)) yield record;
      }
    }
    await watched;
  } finally {
    watch.abort();
    await run.stop().catch(() => {});
    await deleteGroup(bootstrapServers, group).catch(() => {});
  }

  async function rangesBefore(until: number, { partitions }: ReadCommittedOptions): Promise<ReadableRange[]> {
    for (;;) {
      try {
        const all = await readableRanges(bootstrapServers, topic);
        return partitions === undefined ? all : all.filter(({ partition }) => partitions.includes(partition));
      } catch (cause) {
        // A broker that is down, or a leader that is being elected, may come back in time.
        if (Date.now() > until) throw failure(`The end of ${topic} could not be found: ${String(cause)}`);
        await sleep(POLL_INTERVAL_MS);
      }
    }
  }
}

async function startConsumer(
  { bootstrapServers, topic, properties }: ReadCommittedOptions,
  group: string,
  parser: ConsoleRecordParser,
): Promise<KafkaToolRun> {
  const consumer = { ...properties, "enable.auto.commit": "true", "auto.commit.interval.ms": String(POLL_INTERVAL_MS) };
  return runKafkaTool(
    CONSOLE_CONSUMER,
    [
      "--topic",
      topic,
      "--group",
      group,
      "--from-beginning",
      "--isolation-level",
      "read_committed",
      ...Object.entries(consumer).flatMap(([name, value]) => ["--command-property", `${name}=${value}`]),
      ...parser.formatterProperties.flatMap((property) => ["--formatter-property", property]),
    ],
    { bootstrapServers },
  );
}

/** Ends the consumer once its committed positions have reached the ends; fails when it ends before or time is up. */
async function stopAtEnd(
  run: KafkaToolRun,
  group: string,
  ranges: readonly ReadableRange[],
  { bootstrapServers, topic, timeoutMs = 60_000 }: ReadCommittedOptions,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  const partitions = ranges.map(({ partition }) => partition);
  let ended = false;
  run.ended.then(
    () => (ended = true),
    () => (ended = true),
  );
  for (;;) {
    if (signal.aborted) return;
    if (ended) {
      await run.ended;
      throw failure(`The console consumer ended before the end of ${topic}.`);
    }
    const positions = await committedOffsets(bootstrapServers, group, topic, partitions).catch(() => new Map());
    const behind = ranges.filter(({ partition, end }) => (positions.get(partition) ?? 0) < end);
    if (behind.length === 0) return run.stop();
    if (Date.now() > deadline) {
      await run.stop();
      const list = behind.map(
        ({ partition, end }) => `${topic}-${partition} at ${positions.get(partition) ?? 0}/${end}`,
      );
      throw failure(`The console consumer did not reach the end within ${timeoutMs} ms: ${list.join(", ")}.`);
    }
    await sleep(POLL_INTERVAL_MS);
  }
}

function failure(message: string): BrokerError {
  return new BrokerError(message, {
    code: "EOS_KAFKA_TOOL_FAILED",
    hint: "Check that the cluster is up and the topic exists; give a longer `timeoutMs` for a large topic or a slow machine.",
  });
}

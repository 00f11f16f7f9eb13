import { type Client, RecordCursor, RecordSource } from "@eos/client";
import {
  bytesSerde,
  type ParticipantHost,
  type ParticipantTask,
  type PartitionPosition,
  type RecordSink,
  stringSerde,
  type TaskParticipant,
  type TransactionParticipant,
} from "@eos/core";
import { readTopic } from "./copy-run.ts";
import type { TestTopics } from "./test-topics.ts";

/** What `transform` works with. */
export interface Sums {
  get(key: string): number;
  /** @returns the new sum */
  add(key: string, amount: number): number;
  /** As a store does that finds its files damaged. */
  fail(error: Error): void;
}

/** What outlives a task in its process, as files would. */
interface Disk {
  readonly sums: Map<string, number>;
  /** Of the changelog: what is behind it is not in `sums`. */
  offset: number;
}

export interface SumStoreHooks {
  /** Before what was committed is kept; what it throws is what `committed` rejects with. */
  onCommitted?: (task: ParticipantTask) => void | Promise<void>;
  onRestore?: (task: ParticipantTask) => void | Promise<void>;
}

/** Sums per key with a changelog, in memory: the smallest participant that can tell a record too many from one too few. */
export class SumStore implements TransactionParticipant<Sums, Client> {
  readonly name: string;
  /** What happened to which task, as `<taskId> <call>`. */
  readonly log: string[] = [];
  readonly hooks: SumStoreHooks;
  readonly #disks = new Map<string, Disk>();
  #host: ParticipantHost<Client> | null = null;

  constructor(name = "sums", hooks: SumStoreHooks = {}) {
    this.name = name;
    this.hooks = hooks;
  }

  static changelogOf(applicationId: string, name = "sums"): string {
    return `${applicationId}-${name}-changelog`;
  }

  async prepare(host: ParticipantHost<Client>): Promise<void> {
    this.#host = host;
    const topic = SumStore.changelogOf(host.applicationId, this.name);
    await host.client.admin.ensureTopics([{ topic, partitions: host.taskCount, replicationFactor: 1 }]);
  }

  async open(task: ParticipantTask): Promise<TaskParticipant<Sums>> {
    this.log.push(`${task.taskId} open`);
    const host = this.#host as ParticipantHost<Client>;
    const topic = SumStore.changelogOf(host.applicationId, this.name);
    let disk = this.#disks.get(task.taskId);
    if (disk === undefined) this.#disks.set(task.taskId, (disk = { sums: new Map(), offset: 0 }));
    return new TaskSums({ store: this, client: host.client, topic, task, sink: await task.sink(topic), disk });
  }
}

interface TaskSumsOptions {
  readonly store: SumStore;
  readonly client: Client;
  readonly topic: string;
  readonly task: ParticipantTask;
  readonly sink: RecordSink;
  readonly disk: Disk;
}

class TaskSums implements TaskParticipant<Sums>, Sums {
  readonly state: Sums = this;
  readonly #options: TaskSumsOptions;
  #filling = new Map<string, number>();
  #committing = new Map<string, number>();
  #isClosed = false;

  constructor(options: TaskSumsOptions) {
    this.#options = options;
  }

  get(key: string): number {
    return this.#filling.get(key) ?? this.#committing.get(key) ?? this.#options.disk.sums.get(key) ?? 0;
  }

  add(key: string, amount: number): number {
    if (this.#isClosed) throw new Error("the sums are closed");
    const sum = this.get(key) + amount;
    const bytes = Buffer.from(key);
    const { sink, task } = this.#options;
    sink.append(bytes, 0, bytes.length, String(sum), task.timestamp);
    this.#filling.set(key, sum);
    return sum;
  }

  fail(error: Error): void {
    this.#options.task.fail(error);
  }

  async restore(_positions: readonly PartitionPosition[], signal: AbortSignal): Promise<void> {
    const { store, client, topic, task, disk } = this.#options;
    const { partition } = task;
    store.log.push(`${task.taskId} restore`);
    await store.hooks.onRestore?.(task);
    const [end] = await client.admin.listOffsets([{ topic, partition }], "latest", "read_uncommitted");
    const to = end?.offset ?? 0;
    const cursor = new RecordCursor();
    const source = new RecordSource(topic, partition, stringSerde, bytesSerde);
    for await (const batch of client.readPartition({ topic, partition, from: disk.offset, to, signal })) {
      cursor.open(batch, disk.offset);
      while (cursor.next()) {
        const { key, value } = cursor.record(source);
        disk.sums.set(String(key), Number(value));
      }
    }
    disk.offset = Math.max(disk.offset, to);
  }

  beginCommit(): void {
    this.#committing = this.#filling;
    this.#filling = new Map();
  }

  async committed(): Promise<void> {
    const { store, task, sink, disk } = this.#options;
    const end = sink.endOffset;
    await store.hooks.onCommitted?.(task);
    for (const [key, sum] of this.#committing) disk.sums.set(key, sum);
    this.#committing = new Map();
    disk.offset = Math.max(disk.offset, end);
  }

  abort(): void {
    const { store, task } = this.#options;
    store.log.push(`${task.taskId} abort`);
    this.#filling = new Map();
    this.#committing = new Map();
  }

  async close(): Promise<void> {
    const { store, task } = this.#options;
    store.log.push(`${task.taskId} close`);
    this.#isClosed = true;
  }
}

/** The sums that the committed changelog amounts to. */
export async function changelogSums(topics: TestTopics, name = "sums"): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for (const { key, value } of await readTopic(topics.client, SumStore.changelogOf(topics.applicationId, name))) {
    sums.set(String(key), Number(value));
  }
  return sums;
}

/** The values per key, in the order of the output: with amounts of 1, exactly 1, 2, 3, … when each record counted once. */
export async function countsOf(topics: TestTopics): Promise<Map<string, number[]>> {
  const counts = new Map<string, number[]>();
  for (const { key, value } of await topics.read()) {
    const values = counts.get(String(key)) ?? [];
    values.push(Number(value));
    counts.set(String(key), values);
  }
  return counts;
}

import type { Client } from "@eos/client";
import { bytesSerde, int64Serde, silentLogger, stringSerde } from "@eos/core";
import { changelogTopicName, createStoreHost, keyValueStore, openStore } from "@eos/state-store";
import { type CommittedRecord, readCommitted } from "@tooling/kafka";

/** What a summing application leaves behind, each key's value as its bytes in hex. */
export interface SumResult {
  readonly inputs: number;
  readonly outputs: number;
  readonly sums: ReadonlyMap<string, string>;
  readonly changelog: ReadonlyMap<string, string>;
  /** Keys whose rows are not the running sums of their committed amounts, in their order, each once. */
  readonly wrongKeys: readonly string[];
}

export interface SumApplication {
  readonly applicationId: string;
  readonly input: string;
  readonly output: string;
}

/**
 * Folds input and changelog as Kafka's own console consumer reads them, and holds the output against the input, row by
 * row.
 */
export async function checkSums(
  bootstrapServers: string,
  { applicationId, input, output }: SumApplication,
): Promise<SumResult> {
  const read = (topic: string): Promise<CommittedRecord[]> => readAll(bootstrapServers, topic);
  const topics = [input, output, changelogTopicName(applicationId, "sums")] as const;
  const [inputs = [], outputs = [], changelog = []] = await Promise.all(topics.map(read));
  const expected = runningSums(inputs, input);
  const actual = rowsByKey(outputs);
  const keys = new Set([...expected.rows.keys(), ...actual.keys()]);
  return {
    inputs: inputs.length,
    outputs: outputs.length,
    sums: expected.sums,
    changelog: new Map(changelog.map(({ key, value }) => [String(key), hexOf(value)])),
    wrongKeys: [...keys].filter((key) => expected.rows.get(key)?.join() !== actual.get(key)?.join()),
  };
}

/**
 * One task's store as it lies in a state directory, and how much of the changelog it lacked.
 * @returns the values in hex
 */
export async function readStore(
  { brokers, applicationId, stateDir, partitions }: StorePlace,
  partition: number,
): Promise<{ readonly sums: Map<string, string>; readonly replayed: number }> {
  let replayed = 0;
  const store = keyValueStore({
    name: "sums",
    key: stringSerde,
    value: bytesSerde,
    restoreListener: { onRestoreEnd: ({ totalRestored }) => (replayed += totalRestored) },
  });
  const given = { brokers, applicationId, stateDir, taskCount: partitions, logger: silentLogger };
  await using host = await createStoreHost(given);
  await using opened = await openStore(store, host, { partition });
  const sums = new Map<string, string>();
  for await (const { key, value } of opened.store.all()) sums.set(key, hexOf(value));
  return { sums, replayed };
}

export interface StorePlace {
  readonly brokers: readonly string[];
  readonly applicationId: string;
  readonly stateDir: string;
  readonly partitions: number;
}

/** Resolves once the group has committed all of the topic, and nothing is undecided in what it writes. */
export async function isDone(
  { admin }: Client,
  { applicationId, input, output }: SumApplication,
  partitions: number,
): Promise<boolean> {
  const all = (topic: string) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const committed = await admin.committedOffsets(applicationId, all(input), { requireStable: false });
  const ends = await admin.listOffsets(all(input), "latest", "read_committed");
  const isProcessed = ends.every(
    ({ partition, offset }) => (committed.find((of) => of.partition === partition)?.offset ?? 0) >= offset,
  );
  if (!isProcessed) return false;
  const written = [...all(output), ...all(changelogTopicName(applicationId, "sums"))];
  const stable = await admin.listOffsets(written, "latest", "read_committed");
  const last = await admin.listOffsets(written, "latest", "read_uncommitted");
  return stable.every(({ offset }, index) => offset === last[index]?.offset);
}

/** Per key, its rows as `<sum> <source>`, and the last sum. */
function runningSums(records: readonly CommittedRecord[], topic: string) {
  const running = new Map<string, number>();
  const rows = new Map<string, string[]>();
  for (const { key, value, partition, offset } of records) {
    const name = String(key);
    const sum = (running.get(name) ?? 0) + int64Serde.deserialize(topic, value as Buffer);
    running.set(name, sum);
    rowsOf(rows, name).push(`${sum} ${topic}-${partition}@${offset}`);
  }
  const sums = new Map([...running].map(([key, sum]) => [key, hexOf(int64Serde.serialize(topic, sum))]));
  return { rows, sums };
}

function rowsByKey(records: readonly CommittedRecord[]): Map<string, string[]> {
  const rows = new Map<string, string[]>();
  for (const { key, value, headers } of records) {
    const sum = int64Serde.deserialize("", value as Buffer);
    rowsOf(rows, String(key)).push(`${sum} ${String(headers["eos-source"])}`);
  }
  return rows;
}

function rowsOf(rows: Map<string, string[]>, key: string): string[] {
  const known = rows.get(key);
  if (known !== undefined) return known;
  const fresh: string[] = [];
  rows.set(key, fresh);
  return fresh;
}

async function readAll(bootstrapServers: string, topic: string): Promise<CommittedRecord[]> {
  const records: CommittedRecord[] = [];
  for await (const record of readCommitted({ bootstrapServers, topic })) records.push(record);
  return records;
}

function hexOf(bytes: string | Uint8Array | null): string {
  return bytes === null ? "∅" : Buffer.from(bytes as Uint8Array).toString("hex");
}

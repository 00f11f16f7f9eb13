import { array, int8, int32, int64, PlainConnection, string, type ResponseReader } from "./plain-connection.ts";

const LIST_OFFSETS = 2;
const METADATA = 3;
const OFFSET_FETCH = 9;
const FIND_COORDINATOR = 10;
const DELETE_GROUPS = 42;

const CONSUMER = -1;
const READ_COMMITTED = 1;
const LATEST = -1;
const EARLIEST = -2;
const REQUEST_TIMEOUT_MS = 10_000;

/** What a read-committed consumer can read of one partition now. */
export interface ReadableRange {
  readonly partition: number;
  /** The first offset that is still there. */
  readonly start: number;
  /** The last stable offset: everything before it is decided. */
  readonly end: number;
}

/**
 * The readable range of each partition of `topic`.
 * @throws Error when a partition has no leader just now, or the topic does not exist
 */
export async function readableRanges(bootstrapServers: string, topic: string): Promise<ReadableRange[]> {
  const leaders = await partitionLeaders(bootstrapServers, topic);
  const ranges: ReadableRange[] = [];
  for (const address of new Set(leaders.values())) {
    const partitions = [...leaders].filter(([, leader]) => leader === address).map(([partition]) => partition);
    const starts = await listOffsets(address, topic, partitions, EARLIEST);
    const ends = await listOffsets(address, topic, partitions, LATEST);
    for (const partition of partitions) {
      ranges.push({ partition, start: starts.get(partition) as number, end: ends.get(partition) as number });
    }
  }
  return ranges.toSorted((a, b) => a.partition - b.partition);
}

/** The offsets that `group` has committed for `topic`; a partition without one is not in the map. */
export async function committedOffsets(
  bootstrapServers: string,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, number>> {
  const topics = array([topic], (name) => Buffer.concat([string(name), array(partitions, int32)]));
  const coordinator = await groupCoordinator(bootstrapServers, group);
  const reader = await ask(coordinator, OFFSET_FETCH, 1, [string(group), topics]);
  const offsets = new Map<number, number>();
  reader.array(() => {
    reader.string();
    reader.array(() => {
      const partition = reader.int32();
      const offset = reader.int64();
      reader.string();
      check(reader.int16(), `the committed offset of ${topic}-${partition}`);
      if (offset >= 0) offsets.set(partition, offset);
    });
  });
  return offsets;
}

/** Deletes a group that has no members. */
export async function deleteGroup(bootstrapServers: string, group: string): Promise<void> {
  const coordinator = await groupCoordinator(bootstrapServers, group);
  const reader = await ask(coordinator, DELETE_GROUPS, 0, [array([group], string)]);
  reader.int32();
  reader.array(() => {
    reader.string();
    check(reader.int16(), `deleting group ${group}`);
  });
}

async function partitionLeaders(bootstrapServers: string, topic: string): Promise<Map<number, string>> {
  const noAutoCreation = int8(0);
  const reader = await ask(bootstrapServers, METADATA, 4, [array([topic], string), noAutoCreation]);
  reader.int32();
  const addresses = new Map<number, string>();
  reader.array(() => {
    const id = reader.int32();
    addresses.set(id, `${reader.string()}:${reader.int32()}`);
    reader.string();
  });
  reader.string();
  reader.int32();
  const leaders = new Map<number, string>();
  reader.array(() => {
    check(reader.int16(), `the metadata of topic ${topic}`);
    reader.string();
    reader.bool();
    reader.array(() => {
      reader.int16();
      const partition = reader.int32();
      const leader = addresses.get(reader.int32());
      reader.array(() => reader.int32());
      reader.array(() => reader.int32());
      if (leader === undefined) throw new Error(`${topic}-${partition} has no leader`);
      leaders.set(partition, leader);
    });
  });
  return leaders;
}

async function listOffsets(
  address: string,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
): Promise<Map<number, number>> {
  const topics = array([topic], (name) =>
    Buffer.concat([
      string(name),
      array(partitions, (partition) => Buffer.concat([int32(partition), int64(timestamp)])),
    ]),
  );
  const reader = await ask(address, LIST_OFFSETS, 2, [int32(CONSUMER), int8(READ_COMMITTED), topics]);
  reader.int32();
  const offsets = new Map<number, number>();
  reader.array(() => {
    reader.string();
    reader.array(() => {
      const partition = reader.int32();
      check(reader.int16(), `the offsets of ${topic}-${partition}`);
      reader.int64();
      offsets.set(partition, reader.int64());
    });
  });
  return offsets;
}

async function groupCoordinator(bootstrapServers: string, group: string): Promise<string> {
  const reader = await ask(bootstrapServers, FIND_COORDINATOR, 0, [string(group)]);
  check(reader.int16(), `the coordinator of group ${group}`);
  reader.int32();
  return `${reader.string()}:${reader.int32()}`;
}

/** Asks the first of the `addresses` that can be reached. */
async function ask(
  addresses: string,
  apiKey: number,
  version: number,
  body: readonly Buffer[],
): Promise<ResponseReader> {
  let failure: unknown;
  for (const address of addresses.split(",")) {
    try {
      const connection = await PlainConnection.open(address.trim(), REQUEST_TIMEOUT_MS);
      try {
        return await connection.request(apiKey, version, body);
      } finally {
        connection.close();
      }
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function check(errorCode: number, what: string): void {
  if (errorCode !== 0) throw new Error(`Kafka answered ${what} with error code ${errorCode}`);
}

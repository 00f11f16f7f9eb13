import { silentLogger } from "@eos/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AuthorizationError, ConnectionError } from "../errors/errors.ts";
import { FastClock } from "../fast-clock-fixture.ts";
import type { Cluster } from "../network/cluster.ts";
import { ByteReader } from "../protocol/byte-reader.ts";
import type { KafkaRequest } from "../protocol/request.ts";
import { LogFixture } from "../records/log-fixture.ts";
import type { RecordBatch } from "../records/record-batch-reader.ts";
import { CorruptRecordError } from "../records/record-errors.ts";
import { OffsetOutOfRangeError } from "./fetch-errors.ts";
import { Fetcher, type FetcherOptions } from "./fetcher.ts";
import { PartitionQueue } from "./partition-queue.ts";

const OFFSET_OUT_OF_RANGE = 1;
const NOT_LEADER_OR_FOLLOWER = 6;
const TOPIC_AUTHORIZATION_FAILED = 29;

interface Asked {
  readonly node: number;
  readonly maxWaitMs: number;
  readonly partitions: readonly { readonly partition: number; readonly offset: number }[];
}

/** Brokers that answer fetches from logs, one batch a time; a fetch that finds nothing waits until {@link release}. */
class FetchCluster {
  readonly asked: Asked[] = [];
  readonly leaders = new Map<number, number>();
  readonly logs = new Map<number, LogFixture>();
  /** Codes that the next fetches of a partition answer. */
  readonly codes = new Map<number, number[]>();
  /** Runs once for a request, in place of its answer. */
  readonly failures: (Error | undefined)[] = [];
  refreshes = 0;
  onRefresh: () => void = () => {};
  damage: (payload: Buffer) => void = () => {};
  /** Holds every answer until {@link release}, as it was when it was asked for. */
  holdsAnswers = false;
  readonly #inFlight = new Set<number>();
  #held: (() => void)[] = [];

  cachedTopic(): unknown {
    const count = Math.max(0, ...this.leaders.keys()) + 1;
    return {
      name: "in",
      partitions: Array.from({ length: count }, (_, partition) => ({ leader: this.leaders.get(partition) ?? -1 })),
    };
  }

  get heldAnswers(): number {
    return this.#held.length;
  }

  refreshMetadata(): Promise<void> {
    this.refreshes++;
    this.onRefresh();
    return Promise.resolve();
  }

  /** Ends the long polls. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  async send(node: number, request: KafkaRequest): Promise<unknown> {
    expect(this.#inFlight).not.toContain(node);
    this.#inFlight.add(node);
    const { maxWaitMs, partitions } = requested(request);
    this.asked.push({ node, maxWaitMs, partitions });
    await new Promise((resolve) => setImmediate(resolve));
    const failure = this.failures.shift();
    const parts = partitions.map(({ partition, offset }) => {
      const misplaced = (this.leaders.get(partition) ?? -1) !== node;
      const errorCode = this.codes.get(partition)?.shift() ?? (misplaced ? NOT_LEADER_OR_FOLLOWER : 0);
      const log = this.logs.get(partition);
      const batch = errorCode === 0 ? log?.batches.find(({ lastOffset }) => lastOffset >= offset) : undefined;
      return { partition, errorCode, bytes: batch?.bytes ?? Buffer.alloc(0), lastStableOffset: log?.endOffset ?? 0 };
    });
    const isEmpty = parts.every(({ errorCode, bytes }) => errorCode === 0 && bytes.length === 0);
    if (this.holdsAnswers || (failure === undefined && isEmpty)) {
      await new Promise<void>((resolve) => this.#held.push(resolve));
    }
    this.#inFlight.delete(node);
    if (failure !== undefined) throw failure;
    const payload = Buffer.concat(parts.map(({ bytes }) => bytes));
    this.damage(payload);
    let start = 0;
    return {
      errorCode: 0,
      payload,
      topics: [
        {
          topic: "in",
          partitions: parts.map(({ partition, errorCode, bytes, lastStableOffset }) => {
            const recordsStart = start;
            start += bytes.length;
            return { partition, errorCode, lastStableOffset, aborted: [], recordsStart, recordsEnd: start };
          }),
        },
      ],
    };
  }
}

function requested(request: KafkaRequest): Pick<Asked, "maxWaitMs" | "partitions"> {
  const reader = new ByteReader(request.body[0] as Buffer);
  reader.skip(4);
  const maxWaitMs = reader.int32();
  reader.skip(4 + 4 + 1 + 4 + 4);
  const partitions = reader
    .array((r) => {
      r.string();
      return r.array((p) => {
        const partition = p.int32();
        p.int32();
        const offset = p.int64();
        p.skip(8 + 4);
        return { partition, offset };
      });
    })
    .flat();
  return { maxWaitMs, partitions };
}

let cluster: FetchCluster;
let fetcher: Fetcher;
let errors: { partition: number; error: Error }[];
let arrivals: (() => void)[];

beforeEach(() => {
  cluster = new FetchCluster();
  errors = [];
  arrivals = [];
});

afterEach(() => {
  fetcher.close();
  cluster.release();
});

function createFetcher(overrides: Partial<FetcherOptions> = {}): Fetcher {
  const wake = (): void => {
    for (const resolve of arrivals.splice(0)) resolve();
  };
  fetcher = new Fetcher({
    cluster: cluster as unknown as Cluster,
    clock: new FastClock(),
    logger: silentLogger,
    isolation: "read_committed",
    maxWaitMs: 100,
    maxBytes: 1_000_000,
    maxPartitionBytes: 100_000,
    maxQueueBytes: 100_000,
    onFetched: wake,
    onError: ({ partition }, error) => {
      errors.push({ partition, error });
      wake();
    },
    ...overrides,
  });
  return fetcher;
}

/** A partition of `records` one-record batches on `leader`, and its queue. */
function partition(number: number, { leader = 1, records = 3 } = {}): PartitionQueue {
  const log = new LogFixture();
  for (let i = 0; i < records; i++) log.append([{ value: `${number}-${i}` }]);
  cluster.logs.set(number, log);
  cluster.leaders.set(number, leader);
  return new PartitionQueue("in", number, 0, null);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await Promise.race([
      new Promise<void>((resolve) => arrivals.push(resolve)),
      new Promise((resolve) => setImmediate(resolve)),
    ]);
  }
}

function drain(queue: PartitionQueue): number[] {
  const offsets: number[] = [];
  for (let batch = queue.shift(); batch !== null; batch = queue.shift()) {
    offsets.push(batch.baseOffset);
    queue.release(batch);
  }
  return offsets;
}

describe("Fetcher", () => {
  test("asks each leader for its partitions together, with one request in flight, until it has what there is.", async () => {
    const queues = [partition(0), partition(1, { leader: 2 }), partition(2)];
    createFetcher();
    for (const queue of queues) fetcher.add(queue);
    await until(() => queues.every(({ position }) => position === 3));
    for (const queue of queues) {
      expect(queue.lastStableOffset).toBe(3);
      expect(drain(queue)).toEqual([0, 1, 2]);
    }
    expect(cluster.asked.filter(({ node }) => node === 2).every(({ partitions }) => partitions.length === 1)).toBe(
      true,
    );
    expect(cluster.asked.some(({ partitions }) => partitions.length === 2)).toBe(true);
  });

  test("lets the partitions of a request take turns at being first.", async () => {
    const queues = [partition(0), partition(1), partition(2)];
    createFetcher();
    for (const queue of queues) fetcher.add(queue);
    await until(() => cluster.asked.filter(({ partitions }) => partitions.length === 3).length >= 3);
    const whole = cluster.asked.filter(({ partitions }) => partitions.length === 3);
    expect(new Set(whole.map(({ partitions }) => partitions[0]?.partition)).size).toBe(3);
  });

  test("leaves a full or paused partition out until it is woken.", async () => {
    const full = partition(0);
    const paused = partition(1);
    paused.paused = true;
    createFetcher({ maxQueueBytes: 1 });
    fetcher.add(full);
    fetcher.add(paused);
    await until(() => full.position === 1);
    await new Promise((resolve) => setImmediate(resolve));
    const before = cluster.asked.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(cluster.asked).toHaveLength(before);
    expect([full.position, paused.position]).toEqual([1, 0]);
    expect(drain(full)).toEqual([0]);
    paused.paused = false;
    fetcher.wake();
    await until(() => full.position === 2 && paused.position === 1);
  });

  test.each([
    ["records", { maxQueueRecords: 3 }],
    ["bytes", { maxQueueBytes: 250 }],
  ])(
    "leaves a partition with too many %s out until it is down to the fraction at which to resume.",
    async (_, bounds) => {
      const queue = partition(0, { records: 12 });
      createFetcher({ ...bounds, resumeAt: 0.5 });
      fetcher.add(queue);
      // Batches of one record of about 70 bytes: the fourth is above either bound.
      await until(() => queue.records === 4);
      for (let left = 4; left > 1; left--) {
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        expect([queue.records, queue.position]).toEqual([left, 4]);
        queue.release(queue.shift() as RecordBatch);
        fetcher.wake();
      }
      await until(() => queue.records === 4);
      expect(queue.position).toBe(7);
    },
  );

  test("does not let the broker hold a request for long while a partition that is left out will soon have room.", async () => {
    const busy = partition(0, { records: 12 });
    const idle = partition(1);
    createFetcher({ maxQueueRecords: 3 });
    fetcher.add(busy);
    await until(() => busy.records === 4);
    fetcher.add(idle);
    const alone = () =>
      cluster.asked.filter(({ partitions }) => partitions.length === 1 && partitions[0]?.partition === 1);
    await until(() => alone().length > 0);
    expect(alone().at(-1)?.maxWaitMs).toBeLessThan(100);
    while (busy.records > 3) busy.release(busy.shift() as RecordBatch);
    fetcher.wake();
    await until(() => busy.records > 3);
  });

  test("keeps what was on its way when a partition was paused, and asks for no more of it.", async () => {
    const queue = partition(0);
    cluster.holdsAnswers = true;
    createFetcher();
    fetcher.add(queue);
    await until(() => cluster.heldAnswers === 1);
    queue.paused = true;
    cluster.holdsAnswers = false;
    cluster.release();
    await until(() => queue.position === 1);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(queue.position).toBe(1);
    queue.paused = false;
    fetcher.wake();
    await until(() => queue.position === 3);
    expect(drain(queue)).toEqual([0, 1, 2]);
  });

  test("drops an answer that comes after the partition was sought elsewhere or given away.", async () => {
    const [sought, removed] = [partition(0), partition(1, { leader: 2 })];
    cluster.holdsAnswers = true;
    createFetcher();
    fetcher.add(sought);
    fetcher.add(removed);
    await until(() => cluster.heldAnswers === 2);
    sought.seek(1);
    fetcher.remove(removed);
    cluster.holdsAnswers = false;
    cluster.release();
    await until(() => sought.position === 3);
    expect(drain(sought)).toEqual([1, 2]);
    expect(removed.isEmpty).toBe(true);
    expect(errors).toEqual([]);
  });

  test("follows a partition whose leader moves while the old leader keeps others.", async () => {
    const moving = partition(0);
    const staying = partition(1, { records: 0 });
    cluster.codes.set(0, [NOT_LEADER_OR_FOLLOWER]);
    cluster.onRefresh = () => cluster.leaders.set(0, 2);
    createFetcher();
    fetcher.add(moving);
    fetcher.add(staying);
    await until(() => moving.position === 3);
    expect(cluster.asked.filter(({ node }) => node === 2).length).toBeGreaterThan(0);
    cluster.logs.get(1)?.append([{ value: "late" }]);
    cluster.release();
    await until(() => staying.position === 1);
  });

  test("follows a leader that somebody else's metadata refresh has moved.", async () => {
    const moving = partition(0, { records: 0 });
    const staying = partition(1, { records: 0 });
    createFetcher();
    fetcher.add(moving);
    fetcher.add(staying);
    await until(() => cluster.asked.length > 0);
    cluster.leaders.set(0, 2);
    cluster.logs.get(0)?.append([{ value: "at its new leader" }]);
    cluster.release();
    await until(() => moving.position === 1);
  });

  test("waits for a leader where there is none.", async () => {
    const queue = partition(0, { leader: -1 });
    cluster.onRefresh = () => {
      if (cluster.refreshes === 3) cluster.leaders.set(0, 1);
    };
    createFetcher();
    fetcher.add(queue);
    await until(() => queue.position === 3);
  });

  test("gives up the one partition whose offset is out of range, and says which offset.", async () => {
    const [gone, fine] = [partition(0), partition(1)];
    cluster.codes.set(0, [OFFSET_OUT_OF_RANGE]);
    createFetcher();
    fetcher.add(gone);
    fetcher.add(fine);
    await until(() => fine.position === 3);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.error).toBeInstanceOf(OffsetOutOfRangeError);
    expect(errors[0]?.error).toMatchObject({ topic: "in", partition: 0, offset: 0 });
    expect([gone.closed, gone.position]).toEqual([true, 0]);
  });

  test("gives up a partition it may not read.", async () => {
    const queue = partition(0);
    cluster.codes.set(0, [TOPIC_AUTHORIZATION_FAILED]);
    createFetcher();
    fetcher.add(queue);
    await until(() => errors.length > 0);
    expect(errors[0]?.error).toBeInstanceOf(AuthorizationError);
  });

  test("fetches damaged records again: a few times, then the log itself is damaged.", async () => {
    const queue = partition(0, { records: 5 });
    const damages = new Map([
      [1, 3],
      [2, 2],
      [4, Infinity],
    ]);
    const asked = (offset: number): number =>
      cluster.asked.filter(({ partitions }) => partitions[0]?.offset === offset).length;
    cluster.damage = (payload) => {
      const offset = payload.length === 0 ? -1 : Number(payload.readBigInt64BE(0));
      if (asked(offset) > (damages.get(offset) ?? 0)) return;
      payload.writeUInt8(payload.readUInt8(payload.length - 1) ^ 1, payload.length - 1);
    };
    createFetcher();
    fetcher.add(queue);
    await until(() => errors.length > 0);
    expect([0, 1, 2, 3, 4].map(asked)).toEqual([1, 4, 3, 1, 4]);
    expect(errors[0]?.error).toBeInstanceOf(CorruptRecordError);
    expect(errors[0]?.error).toMatchObject({ severity: "fatal", offset: 4 });
    expect(queue.closed).toBe(true);
    // What came before them is delivered.
    expect(drain(queue)).toEqual([0, 1, 2, 3]);
  });

  test("tries again after a lost connection, and gives up after what is no connection's fault.", async () => {
    const queue = partition(0);
    cluster.failures.push(new ConnectionError("lost"), new ConnectionError("lost"));
    createFetcher();
    fetcher.add(queue);
    await until(() => queue.position === 3);
    expect(cluster.refreshes).toBe(2);
    expect(errors).toEqual([]);
    cluster.failures.push(new RangeError("nonsense"));
    cluster.release();
    await until(() => errors.length > 0);
    expect(errors[0]?.error).toBeInstanceOf(RangeError);
    expect(queue.closed).toBe(true);
  });

  test("asks nothing any more once it is closed.", async () => {
    const queue = partition(0, { records: 1 });
    createFetcher();
    fetcher.add(queue);
    await until(() => queue.position === 1);
    fetcher.close();
    const before = cluster.asked.length;
    cluster.release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(cluster.asked.length).toBeLessThanOrEqual(before + 1);
    expect(queue.closed).toBe(true);
  });
});

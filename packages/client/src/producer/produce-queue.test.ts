import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { BrokerError, ConnectionError } from "../errors/errors.ts";
import { FastClock } from "../fast-clock-fixture.ts";
import type { Cluster } from "../network/cluster.ts";
import type { KafkaRequest } from "../protocol/request.ts";
import type { RecordBatchWriter } from "../records/record-batch-writer.ts";
import { OutputPartition, type SealedBatch } from "./output-partition.ts";
import { ProduceQueue, type ProduceQueueOptions } from "./produce-queue.ts";
import { type ProducedBatch, producedBatches } from "./request-fixture.ts";

interface Sent {
  readonly node: number;
  readonly batches: readonly ProducedBatch[];
}

/** A broker's code for each partition of a request, in order; `null`: the partition is left out of the answer. */
type Outcome = readonly (number | null)[] | Error;

/** Leaders are `partition % 2` until they are moved. */
class ProduceCluster {
  readonly sent: Sent[] = [];
  readonly leaders = new Map<number, number>();
  refreshes = 0;
  answer: (sent: Sent) => Outcome | Promise<Outcome> = ({ batches }) => batches.map(() => 0);
  /** Where the broker has put a batch that it acknowledges. */
  baseOffset: (batch: ProducedBatch) => number = () => 0;
  readonly #inFlight = new Set<number>();

  cachedTopic(): unknown {
    return {
      name: "out",
      partitions: Array.from({ length: 8 }, (_, partition) => ({
        leader: this.leaders.get(partition) ?? partition % 2,
      })),
    };
  }

  refreshMetadata(): Promise<void> {
    this.refreshes++;
    return Promise.resolve();
  }

  async send(node: number, request: KafkaRequest): Promise<unknown> {
    const sent = { node, batches: producedBatches(request) };
    this.sent.push(sent);
    for (const { partition } of sent.batches) {
      expect(this.#inFlight).not.toContain(partition);
      this.#inFlight.add(partition);
    }
    const before = Buffer.concat(request.body);
    const outcome = await this.answer(sent);
    // A buffer that was given back too early would be another batch's by now.
    expect(Buffer.concat(request.body).equals(before)).toBe(true);
    for (const { partition } of sent.batches) this.#inFlight.delete(partition);
    if (outcome instanceof Error) throw outcome;
    const partitions = sent.batches.flatMap((produced, index) => {
      const errorCode = outcome[index];
      if (typeof errorCode !== "number") return [];
      const baseOffset = errorCode === 0 ? this.baseOffset(produced) : -1;
      return [{ partition: produced.partition, errorCode, errorMessage: null, baseOffset }];
    });
    return { topics: [{ topic: "out", partitions }] };
  }
}

let cluster: ProduceCluster;
let clock: FastClock;
let freed: string[];

beforeEach(() => {
  cluster = new ProduceCluster();
  clock = new FastClock();
  freed = [];
});

function createQueue(options: Partial<ProduceQueueOptions> = {}): ProduceQueue {
  return new ProduceQueue({
    cluster: cluster as unknown as Cluster,
    clock,
    transactionalId: "tx",
    produceVersion: 12,
    deliveryTimeoutMs: 10_000,
    onConnectionLoss: "resend",
    ...options,
  });
}

function outputs(count: number): OutputPartition[] {
  return Array.from({ length: count }, (_, partition) => new OutputPartition("out", partition));
}

function batch(name: string, count = 1): SealedBatch {
  const bytes = Buffer.from(name);
  const writer = {
    count,
    free() {
      freed.push(name);
      bytes.fill(0);
    },
  };
  return { bytes, writer: writer as unknown as RecordBatchWriter, sealedAtMs: clock.monotonicMs() };
}

/** What each partition's broker was sent, repeats included. */
function log(partition: number): string[] {
  return cluster.sent.flatMap(({ batches }) =>
    batches.filter((b) => b.partition === partition).map(({ batch: bytes }) => bytes.toString()),
  );
}

describe("ProduceQueue", () => {
  test("Whatever passes: a partition has one request in flight, its batches arrive in order, and a retry repeats the same bytes.", async () => {
    const outcome = fc.constantFrom("ok", "retry", "moved", "lost", "lost-after", "late");
    const scenario = fc.record({
      batches: fc.array(fc.nat(3), { minLength: 1, maxLength: 30, size: "max" }),
      outcomes: fc.array(outcome, { maxLength: 40, size: "max" }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ batches, outcomes }) => {
        cluster = new ProduceCluster();
        freed = [];
        const received: string[][] = [[], [], [], []];
        let turn = 0;
        cluster.answer = async (sent) => {
          const fate = outcomes[turn++] ?? "ok";
          if (fate === "late") for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
          if (fate === "lost") return new ConnectionError("lost");
          const codes = sent.batches.map(({ partition, batch: bytes }) => {
            if (fate === "retry") return 51;
            if (fate === "moved") {
              cluster.leaders.set(partition, (sent.node + 1) % 2);
              return 6;
            }
            // A broker drops a repeated batch by its sequence: here, by its name.
            const name = bytes.toString();
            if (received[partition]?.at(-1) !== name) received[partition]?.push(name);
            return 0;
          });
          return fate === "lost-after" ? new ConnectionError("lost") : codes;
        };
        const queue = createQueue();
        const partitions = outputs(4);
        const expected: string[][] = [[], [], [], []];
        for (const [serial, partition] of batches.entries()) {
          queue.enqueue(partitions[partition] as OutputPartition, batch(`b${serial}`));
          expected[partition]?.push(`b${serial}`);
          if (serial % 3 === 0) queue.flush();
        }
        queue.flush();
        await queue.drained();
        expect(received).toEqual(expected);
        expect(queue.pendingBatches).toBe(0);
        expect(freed.toSorted()).toEqual(expected.flat().toSorted());
      }),
      { numRuns: 300 },
    );
  });

  test("A partition's end offset is behind its last acknowledged batch, wherever the broker has put that.", async () => {
    const queue = createQueue();
    const [first, second] = outputs(2) as [OutputPartition, OutputPartition];
    expect([first.endOffset, second.endOffset]).toEqual([-1, -1]);
    // A marker of the transaction before lies between the two.
    cluster.baseOffset = ({ batch: bytes }) => ({ a: 10, b: 14, c: 100 })[bytes.toString()] ?? Number.NaN;
    queue.enqueue(first, batch("a", 3));
    queue.enqueue(second, batch("c", 50));
    queue.flush();
    await queue.drained();
    expect([first.endOffset, second.endOffset]).toEqual([13, 150]);
    queue.enqueue(first, batch("b", 2));
    queue.flush();
    await queue.drained();
    expect([first.endOffset, second.endOffset]).toEqual([16, 150]);
  });

  test("What is retried, refused, or not answered at all moves no end offset.", async () => {
    const queue = createQueue();
    const [partition] = outputs(1) as [OutputPartition];
    const seen: number[] = [];
    const outcomes: Outcome[] = [[51], new ConnectionError("lost"), [0], [45]];
    cluster.answer = () => {
      seen.push(partition.endOffset);
      return outcomes.shift() ?? [];
    };
    cluster.baseOffset = () => 7;
    queue.enqueue(partition, batch("a", 2));
    queue.enqueue(partition, batch("b", 5));
    queue.flush();
    await expect(queue.drained()).rejects.toThrow(/OUT_OF_ORDER_SEQUENCE_NUMBER/);
    expect(seen).toEqual([-1, -1, -1, 9]);
    await queue.reset();
    expect(partition.endOffset).toBe(9);
  });

  test("Partitions of one leader share a request; those of another have their own.", async () => {
    const queue = createQueue();
    for (const partition of outputs(4)) queue.enqueue(partition, batch(`p${partition.partition}`));
    queue.flush();
    await queue.drained();
    expect(cluster.sent.map(({ node, batches }) => [node, batches.map(({ partition }) => partition)])).toEqual([
      [0, [0, 2]],
      [1, [1, 3]],
    ]);
  });

  test("Batches that together are too large for a request are sent in several.", async () => {
    const queue = createQueue();
    for (const partition of outputs(3)) {
      cluster.leaders.set(partition.partition, 1);
      queue.enqueue(partition, { ...batch("x"), bytes: Buffer.alloc(3 * 1024 * 1024) });
    }
    queue.flush();
    await queue.drained();
    expect(cluster.sent.map(({ batches }) => batches.length)).toEqual([2, 1]);
  });

  test("An answer that leaves a partition out acknowledges nothing of it (F4).", async () => {
    const queue = createQueue();
    const [first, , third] = outputs(3) as [OutputPartition, OutputPartition, OutputPartition];
    cluster.answer = () => [0, null];
    queue.enqueue(first, batch("a"));
    queue.enqueue(third, batch("b"));
    queue.flush();
    await expect(queue.drained()).rejects.toThrow(/Produce of out-2 failed/);
  });

  test("Within a transaction a lost connection fails the queue at once: nobody knows what the broker has.", async () => {
    const queue = createQueue({ onConnectionLoss: "fail" });
    const [partition] = outputs(1) as [OutputPartition];
    cluster.answer = () => new ConnectionError("lost");
    queue.enqueue(partition, batch("a"));
    queue.enqueue(partition, batch("b"));
    queue.flush();
    await expect(queue.drained()).rejects.toThrow("lost");
    expect(cluster.sent).toHaveLength(1);
    queue.flush();
    expect(cluster.sent).toHaveLength(1);
  });

  test("A refusal that no retry helps fails the queue; batches behind it do not leave.", async () => {
    const queue = createQueue();
    const [partition] = outputs(1) as [OutputPartition];
    cluster.answer = () => [45];
    queue.enqueue(partition, batch("a"));
    queue.enqueue(partition, batch("b"));
    queue.flush();
    await expect(queue.drained()).rejects.toThrow(/OUT_OF_ORDER_SEQUENCE_NUMBER/);
    expect(log(0)).toEqual(["a"]);
    await expect(queue.drained()).rejects.toThrow(BrokerError);
  });

  test("What can be retried is retried for the delivery timeout and no longer.", async () => {
    const queue = createQueue({ deliveryTimeoutMs: 500 });
    const [partition] = outputs(1) as [OutputPartition];
    cluster.answer = () => [19];
    const startedMs = clock.monotonicMs();
    queue.enqueue(partition, batch("a"));
    queue.flush();
    await expect(queue.drained()).rejects.toThrow(/NOT_ENOUGH_REPLICAS/);
    expect(clock.monotonicMs() - startedMs).toBeGreaterThan(500);
    expect(clock.monotonicMs() - startedMs).toBeLessThan(1_000);
    expect(cluster.refreshes).toBe(cluster.sent.length - 1);
  });

  test("A partition without a leader waits for one.", async () => {
    const queue = createQueue();
    const [partition] = outputs(1) as [OutputPartition];
    cluster.leaders.set(0, -1);
    const refresh = cluster.refreshMetadata.bind(cluster);
    cluster.refreshMetadata = () => {
      if (cluster.refreshes === 3) cluster.leaders.set(0, 1);
      return refresh();
    };
    queue.enqueue(partition, batch("a"));
    queue.flush();
    await queue.drained();
    expect(cluster.sent.map(({ node }) => node)).toEqual([1]);
  });

  test("A reset waits for what is in flight, so that no late Produce lands in the next transaction.", async () => {
    const queue = createQueue();
    const [partition] = outputs(1) as [OutputPartition];
    let answer = (): void => {};
    cluster.answer = () =>
      new Promise((resolve) => {
        answer = () => resolve([0]);
      });
    queue.enqueue(partition, batch("a"));
    queue.enqueue(partition, batch("b"));
    queue.flush();
    await new Promise((resolve) => setImmediate(resolve));
    let isReset = false;
    const reset = queue.reset().then(() => {
      isReset = true;
    });
    const drained = queue.drained();
    await expect(drained).rejects.toThrow("reset");
    await new Promise((resolve) => setImmediate(resolve));
    expect(isReset).toBe(false);
    expect(freed).toEqual([]);
    answer();
    await reset;
    expect(freed).toEqual(["a", "b"]);
    expect([queue.pendingBatches, partition.inFlight, partition.ready.length]).toEqual([0, false, 0]);
    expect(log(0)).toEqual(["a"]);

    cluster.answer = () => [0];
    queue.enqueue(partition, batch("c"));
    queue.flush();
    await queue.drained();
    expect(log(0)).toEqual(["a", "c"]);
  });

  test("What runs before a partition is produced to holds its batches back, and its failure is the queue's.", async () => {
    const announced: number[] = [];
    const queue = createQueue({
      beforeProduce: (partitions) => {
        expect(cluster.sent).toEqual([]);
        announced.push(...partitions.map(({ partition }) => partition));
        return Promise.reject(new BrokerError({ api: "AddPartitionsToTxn", kafkaCode: 29 }));
      },
    });
    const [partition] = outputs(1) as [OutputPartition];
    queue.enqueue(partition, batch("a"));
    queue.flush();
    await expect(queue.drained()).rejects.toThrow(/TOPIC_AUTHORIZATION_FAILED/);
    expect(announced).toEqual([0]);
    expect(cluster.sent).toEqual([]);
  });
});

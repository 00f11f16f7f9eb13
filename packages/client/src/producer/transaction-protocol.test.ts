import { silentLogger } from "@eos/core";
import { describe, expect, test } from "vitest";
import { AuthorizationError, BrokerError, ConnectionError, ProducerFencedError } from "../errors/errors.ts";
import { FastClock } from "../fast-clock-fixture.ts";
import type { Cluster } from "../network/cluster.ts";
import { ByteReader } from "../protocol/byte-reader.ts";
import { readProducerId } from "../protocol/producer-id.ts";
import type { KafkaRequest } from "../protocol/request.ts";
import { OffsetBatch } from "./group-offsets.ts";
import { OutputPartition } from "./output-partition.ts";
import { TransactionProtocol } from "./transaction-protocol.ts";

type Answer = object | Error;

/** Answers requests by API from lists, the last entry for ever; remembers what was asked. */
class ScriptedCluster {
  readonly requests: KafkaRequest[] = [];
  readonly forgotten: string[] = [];
  readonly #script: { readonly [api: string]: Answer[] };

  constructor(script: { readonly [api: string]: Answer[] }) {
    this.#script = script;
  }

  get apis(): string[] {
    return this.requests.map(({ apiName }) => apiName);
  }

  coordinator(kind: string): Promise<number> {
    const failure = this.#next(`FindCoordinator ${kind}`);
    return failure instanceof Error ? Promise.reject(failure) : Promise.resolve(1);
  }

  forgetCoordinator(kind: string, key: string): void {
    this.forgotten.push(`${kind} ${key}`);
  }

  send(_node: number, request: KafkaRequest): Promise<Answer> {
    this.requests.push(request);
    const answer = this.#next(request.apiName);
    if (answer === undefined) throw new Error(`no answer to ${request.apiName}`);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }

  #next(key: string): Answer | undefined {
    const answers = this.#script[key];
    return answers !== undefined && answers.length > 1 ? answers.shift() : answers?.[0];
  }
}

function createProtocol(cluster: ScriptedCluster, transactionVersion: 1 | 2): TransactionProtocol {
  return new TransactionProtocol({
    cluster: cluster as unknown as Cluster,
    clock: new FastClock(),
    logger: silentLogger,
    transactionalId: "tx",
    transactionTimeoutMs: 10_000,
    transactionVersion,
  });
}

const id = (epoch: number, errorCode = 0) => ({ errorCode, producerId: 7n, producerEpoch: epoch });
const ok = { errorCode: 0 };
const lost = new ConnectionError("lost");
const codes = (...errorCodes: number[]) => ({
  topics: [{ topic: "out", partitions: errorCodes.map((errorCode, partition) => ({ partition, errorCode })) }],
});
const never = (): boolean => false;
const drained = Promise.resolve();

const partitions = [0, 1].map((partition) => new OutputPartition("out", partition));

function initIds(request: KafkaRequest | undefined): { producerId: bigint; epoch: number } {
  const reader = new ByteReader(request?.body[0] as Buffer);
  reader.compactNullableString();
  reader.int32();
  return { producerId: readProducerId(reader), epoch: reader.int16() };
}

describe("TransactionProtocol: an EndTxn without an answer", () => {
  test("is sent again, byte for byte, until it is answered.", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3)], EndTxn: [lost, lost, id(4)] });
    const protocol = createProtocol(cluster, 2);
    await protocol.initProducerId();
    await protocol.commit(drained, [], "acknowledged", never);
    const [first, ...again] = cluster.requests.slice(1);
    expect(again).toHaveLength(2);
    for (const request of again) expect(request.body).toEqual(first?.body);
    expect(protocol.producerEpoch).toBe(4);
  });

  test("keeps its outcome open while no coordinator can be found, however long that takes.", async () => {
    const noCoordinator = new BrokerError({ api: "FindCoordinator", kafkaCode: 15 });
    const cluster = new ScriptedCluster({
      InitProducerId: [id(3)],
      EndTxn: [lost, id(4)],
      "FindCoordinator transaction": [{}, {}, noCoordinator, new ConnectionError("none"), noCoordinator, {}],
    });
    const protocol = createProtocol(cluster, 2);
    await protocol.initProducerId();
    await protocol.commit(drained, [], "acknowledged", never);
    expect(cluster.apis).toEqual(["InitProducerId", "EndTxn", "EndTxn"]);
  });

  test("is given up when the producer is closed.", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3)], EndTxn: [lost] });
    const protocol = createProtocol(cluster, 2);
    await protocol.initProducerId();
    await expect(protocol.commit(drained, [], "acknowledged", () => cluster.requests.length > 4)).rejects.toThrow(
      "lost",
    );
  });

  test("is not sent again when the answer is final.", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3)], EndTxn: [id(-1, 90)] });
    const protocol = createProtocol(cluster, 2);
    await protocol.initProducerId();
    await expect(protocol.commit(drained, [], "acknowledged", never)).rejects.toThrow(ProducerFencedError);
    expect(cluster.apis).toEqual(["InitProducerId", "EndTxn"]);
  });

  test("goes to the new coordinator after NOT_COORDINATOR, and stays with it after CONCURRENT_TRANSACTIONS.", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3)], EndTxn: [id(-1, 51), id(-1, 16), id(4)] });
    const protocol = createProtocol(cluster, 2);
    await protocol.initProducerId();
    await protocol.commit(drained, [], "acknowledged", never);
    expect(cluster.forgotten).toEqual(["transaction tx"]);
  });
});

describe("TransactionProtocol: the epoch after an abort (D6)", () => {
  test("Version 1 takes a fresh one by InitProducerId, as the holder of the old: it never takes the id from a successor (KIP-360).", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3), id(4)], EndTxn: [ok] });
    const protocol = createProtocol(cluster, 1);
    await protocol.initProducerId();
    expect(initIds(cluster.requests[0])).toEqual({ producerId: -1n, epoch: -1 });
    await protocol.abort(never);
    expect(cluster.apis).toEqual(["InitProducerId", "EndTxn", "InitProducerId"]);
    expect(initIds(cluster.requests[2])).toEqual({ producerId: 7n, epoch: 3 });
    expect(protocol.producerEpoch).toBe(4);
  });

  test("Version 1 asks again when the answer to that InitProducerId is lost.", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3), lost, id(4)], EndTxn: [ok] });
    const protocol = createProtocol(cluster, 1);
    await protocol.initProducerId();
    await protocol.abort(never);
    expect(cluster.requests.slice(2).map(initIds)).toEqual([
      { producerId: 7n, epoch: 3 },
      { producerId: 7n, epoch: 3 },
    ]);
    expect(protocol.producerEpoch).toBe(4);
  });

  test("Version 2 has it from EndTxn's answer.", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3)], EndTxn: [id(4)] });
    const protocol = createProtocol(cluster, 2);
    await protocol.initProducerId();
    await protocol.abort(never);
    expect(cluster.apis).toEqual(["InitProducerId", "EndTxn"]);
    expect(protocol.producerEpoch).toBe(4);
  });

  test("Version 2 asks for it when the broker had nothing to end: the old epoch's sequences must not go on.", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3), id(4)], EndTxn: [id(-1, 48)] });
    const protocol = createProtocol(cluster, 2);
    await protocol.initProducerId();
    await protocol.abort(never);
    expect(initIds(cluster.requests[2])).toEqual({ producerId: 7n, epoch: 3 });
    expect(protocol.producerEpoch).toBe(4);
  });
});

describe("TransactionProtocol: announcing", () => {
  test("Version 1 announces each partition and group once a transaction, and anew in the next.", async () => {
    const cluster = new ScriptedCluster({
      InitProducerId: [id(3)],
      AddPartitionsToTxn: [codes(51, 51), codes(0, 0), codes(0, 0)],
      AddOffsetsToTxn: [{ errorCode: 51 }, ok],
      TxnOffsetCommit: [codes(0)],
      EndTxn: [ok],
    });
    const protocol = createProtocol(cluster, 1);
    await protocol.initProducerId();
    const offsets = new OffsetBatch();
    offsets.set("in", 0, 5, "");
    const generation = { groupId: "g", generationId: 1, memberId: "m", groupInstanceId: null };
    for (let transaction = 0; transaction < 2; transaction++) {
      await Promise.all([protocol.addPartitions(partitions), protocol.addPartitions(partitions.slice(1))]);
      await protocol.addPartitions(partitions);
      await protocol.commit(drained, [{ generation, offsets }], "acknowledged", never);
    }
    expect(cluster.apis.filter((api) => api === "AddPartitionsToTxn")).toHaveLength(3);
    expect(cluster.apis.filter((api) => api === "AddOffsetsToTxn")).toHaveLength(3);
    expect(cluster.apis.filter((api) => api === "TxnOffsetCommit")).toHaveLength(2);
  });

  test("Version 2 announces nothing.", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3)], EndTxn: [id(4)], TxnOffsetCommit: [codes(0)] });
    const protocol = createProtocol(cluster, 2);
    await protocol.initProducerId();
    await protocol.addPartitions(partitions);
    const offsets = new OffsetBatch();
    offsets.set("in", 0, 5, "");
    const generation = { groupId: "g", generationId: 1, memberId: "m", groupInstanceId: null };
    await protocol.commit(drained, [{ generation, offsets }], "acknowledged", never);
    expect(cluster.apis).toEqual(["InitProducerId", "TxnOffsetCommit", "EndTxn"]);
  });

  test("When one partition is refused the error is the refusal, not the OPERATION_NOT_ATTEMPTED of the others.", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3)], AddPartitionsToTxn: [codes(55, 29)] });
    const protocol = createProtocol(cluster, 1);
    await protocol.initProducerId();
    await expect(protocol.addPartitions(partitions)).rejects.toThrow(AuthorizationError);
  });
});

describe("TransactionProtocol: a commit", () => {
  test("does not end the transaction when a record or an offset was refused, and waits for both before it says so.", async () => {
    const cluster = new ScriptedCluster({ InitProducerId: [id(3)], TxnOffsetCommit: [codes(22)] });
    const protocol = createProtocol(cluster, 2);
    await protocol.initProducerId();
    const offsets = new OffsetBatch();
    offsets.set("in", 0, 5, "");
    const generation = { groupId: "g", generationId: 1, memberId: "m", groupInstanceId: null };
    let acknowledge = (): void => {};
    const produced = new Promise<void>((resolve) => {
      acknowledge = resolve;
    });
    let outcome: unknown;
    const commit = protocol
      .commit(produced, [{ generation, offsets }], "acknowledged", never)
      .catch((error: unknown) => {
        outcome = error;
      });
    await new Promise((resolve) => setImmediate(resolve));
    expect(outcome).toBeUndefined();
    acknowledge();
    await commit;
    expect(outcome).toMatchObject({ kafkaName: "ILLEGAL_GENERATION" });
    expect(cluster.apis).not.toContain("EndTxn");
  });

  test("of nothing asks nothing.", async () => {
    const cluster = new ScriptedCluster({});
    await createProtocol(cluster, 2).commit(drained, [], "nothing", never);
    expect(cluster.requests).toEqual([]);
  });
});

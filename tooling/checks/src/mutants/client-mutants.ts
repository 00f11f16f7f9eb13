import type { Mutant } from "./mutant.ts";

/** What is sent and answered: producing, fetching, groups, connections. */
export const clientMutants: readonly Mutant[] = [
  {
    name: "D2",
    file: "packages/client/src/fetch/fetcher.ts",
    find: "for (const batch of batches) queue.push(batch);",
    replace: "for (const batch of batches) if (batch.count > 0) queue.push(batch);",
    test: {
      file: "packages/client/test/regression/d2-compacted-empty-batches.test.ts",
      title: "do not stop a reader: it goes on behind them.",
    },
  },
  {
    name: "D3",
    file: "packages/client/src/producer/transaction-protocol.ts",
    find: "        generationId,\n        memberId,\n",
    replace: '        generationId: -1,\n        memberId: "",\n',
    test: {
      file: "packages/client/test/regression/d3-zombie-commit.test.ts",
      title: "is refused inside a transaction, and nothing of it is visible.",
    },
  },
  {
    name: "D4",
    file: "packages/client/src/protocol/offset-fetch.ts",
    find: ".boolean(request.requireStable)",
    replace: ".boolean(false)",
    test: {
      file: "packages/client/test/regression/d4-unstable-offsets.test.ts",
      title: "is called unstable instead of the offset before it.",
    },
  },
  {
    name: "D5",
    file: "packages/client/src/producer/batch-producer.ts",
    find: "baseSequence: partition.nextSequence,",
    replace: "baseSequence: 0,",
    test: {
      file: "packages/client/test/regression/d5-two-sends-lost-ack.test.ts",
      title:
        "are repeated byte for byte without a transaction: the broker drops what it has, and all of them are there once.",
    },
  },
  {
    name: "D6",
    file: "packages/client/src/producer/transaction-protocol.ts",
    find: "if (this.producerId === producerId && this.producerEpoch === producerEpoch) await",
    replace: "if (this.producerId !== producerId && this.producerEpoch === producerEpoch) await",
    test: {
      file: "packages/client/test/regression/d6-reuse-after-abort.test.ts",
      title: "is not reached by a Produce of the aborted transaction that comes late.",
    },
  },
  {
    name: "D7",
    file: "packages/client/src/fetch/fetcher.ts",
    find: "else this.#giveUp(queue, this.#partitionError(part.errorCode, queue, offset));",
    replace: "else queue.seek(offset + 1);",
    test: {
      file: "packages/client/test/regression/d7-out-of-range.test.ts",
      title: "is an error of the reader, before and behind what there is.",
    },
  },
  {
    name: "unknown partition",
    file: "packages/client/src/producer/record-appender.ts",
    find: "throw new UnknownPartitionError({ topic: name, partition, partitionCount: count });",
    replace: "continue;",
    test: {
      file: "packages/client/test/regression/unknown-partition.test.ts",
      title: "is refused by name, without a transaction and in one; nothing is dropped in silence.",
    },
  },
  {
    name: "timer loop",
    file: "packages/client/src/kafkajs/connections.ts",
    find: "    repairTimers(connection.requestQueue);\n",
    replace: "    void repairTimers;\n",
    test: {
      file: "packages/client/test/regression/timer-loop.test.ts",
      title: "sets no timers.",
    },
  },
  {
    name: "negative timeout",
    file: "packages/client/src/kafkajs/connections.ts",
    find: "    repairTimers(connection.requestQueue);\n",
    replace: "    void repairTimers;\n",
    test: {
      file: "packages/client/test/regression/negative-timeout.test.ts",
      title: "is quiet for as long as the broker asked, and no timer has a negative timeout.",
    },
  },
  {
    name: "error codes",
    file: "packages/client/src/errors/kafka-errors.ts",
    find: '["PRODUCER_FENCED", "fenced"]',
    replace: '["KAFKAJS_UNKNOWN_ERROR_CODE", "abort"]',
    test: {
      file: "packages/client/test/regression/error-codes.test.ts",
      title: "PRODUCER_FENCED closes the producer whose id was taken over.",
    },
  },
  {
    name: "error codes",
    file: "packages/client/src/errors/kafka-errors.ts",
    find: '["TRANSACTION_ABORTABLE", "abort"]',
    replace: '["KAFKAJS_UNKNOWN_ERROR_CODE", "fatal"]',
    test: {
      file: "packages/client/test/regression/error-codes.test.ts",
      title: "TRANSACTION_ABORTABLE aborts, and the producer goes on.",
    },
  },
  {
    name: "F4",
    file: "packages/client/src/producer/produce-queue.ts",
    find: "      if (!answers.has(partition)) {\n",
    replace:
      "      if (!answers.has(partition)) answers.set(partition, { code: 0, message: null });\n      if (!answers.has(partition)) {\n",
    test: {
      file: "packages/client/test/regression/f4-missing-partition-in-answer.test.ts",
      title: "acknowledges nothing of it: the transaction fails and is repeated.",
    },
  },
  {
    name: "F5",
    file: "packages/client/src/producer/produce-queue.ts",
    find: "      if (code === 0) {\n",
    replace: "      if (code === 0 || code === 3) {\n",
    test: {
      file: "packages/client/test/regression/f5-keyless-retry.test.ts",
      title: "stay in the partitions they were given, and are there once.",
    },
  },
  {
    name: "EndTxn unanswered",
    file: "packages/client/src/producer/transaction-protocol.ts",
    find: "if (!isRetriable(error) || gaveUp()) throw error;",
    replace: "throw error;",
    test: {
      file: "packages/client/test/regression/end-txn-unanswered.test.ts",
      title: "is sent again: the commit resolves, with the records there once.",
    },
  },
  {
    name: "EndTxn unanswered",
    file: "packages/client/src/producer/transaction-protocol.ts",
    find: "if (!isRetriable(error) || gaveUp()) throw error;",
    replace:
      'if (!(error instanceof Error) || !("code" in error) || error.code === "EOS_BROKER" || gaveUp()) throw error;',
    test: {
      file: "packages/client/src/producer/transaction-protocol.test.ts",
      title: "keeps its outcome open while no coordinator can be found, however long that takes.",
    },
  },
  {
    name: "crc",
    file: "packages/client/src/fetch/fetcher.ts",
    find: "verifyCrc: true,",
    replace: "verifyCrc: false,",
    test: {
      file: "packages/client/test/regression/crc.test.ts",
      title: "is noticed: the record is not delivered, and read whole when it comes undamaged.",
    },
  },
  {
    name: "fresh epoch",
    file: "packages/client/src/producer/transaction-protocol.ts",
    find: "initProducerId({ transactionalId, transactionTimeoutMs, ...current })",
    replace: "initProducerId({ transactionalId, transactionTimeoutMs })",
    test: {
      file: "packages/client/src/producer/transaction-protocol.test.ts",
      title:
        "Version 1 takes a fresh one by InitProducerId, as the holder of the old: it never takes the id from a successor (KIP-360).",
    },
  },
  {
    name: "late Produce",
    file: "packages/client/src/producer/produce-queue.ts",
    find: "if (this.#requestsInFlight > 0) await new Promise<void>((resolve) => this.#settledWaiters.push(resolve));",
    replace: "",
    test: {
      file: "packages/client/src/producer/produce-queue.test.ts",
      title: "A reset waits for what is in flight, so that no late Produce lands in the next transaction.",
    },
  },
  {
    name: "record of an abort",
    file: "packages/client/src/producer/batch-producer.ts",
    find: "if (this.#filledSinceMs === 0) this.#begin();",
    replace: 'if (this.#filledSinceMs === 0 && this.#machine.is("ready")) this.#begin();',
    test: {
      file: "packages/client/src/producer/batch-producer.test.ts",
      title:
        "A record that comes while the producer aborts or initialises is refused, and is not in the next transaction.",
    },
  },
  {
    name: "moved leader",
    file: "packages/client/src/fetch/fetcher.ts",
    find: "nobody else would begin.\n      this.#startLoops();\n",
    replace: "nobody else would begin.\n",
    test: {
      file: "packages/client/src/fetch/fetcher.test.ts",
      title: "follows a partition whose leader moves while the old leader keeps others.",
    },
  },
  {
    name: "abort out of reach",
    file: "packages/client/src/producer/record-producer.ts",
    find: "await producer.abort().catch(() => undefined);",
    replace: "await producer.abort();",
    test: {
      file: "packages/client/test/regression/abort-out-of-reach.test.ts",
      title: "rejects the sends and goes on when there is one again.",
    },
  },
  {
    name: "reader's end",
    file: "packages/client/src/fetch/partition-reader.ts",
    find: "queue.paused = queue.position >= to || (isFull && queue.bytes > 0);",
    replace: "queue.paused = isFull && queue.bytes > 0;",
    test: {
      file: "packages/client/src/fetch/partition-reader.test.ts",
      title:
        "gives the batches that have records, ends behind the last offset whatever is there, and asks for nothing beyond it.",
    },
  },
  {
    name: "revoke",
    file: "packages/client/src/group/group-member.ts",
    find: "const outcome = await Promise.race([hooks.onRevoked(partitions, signal), expired]);",
    replace:
      "const outcome = await Promise.race([Promise.resolve(void hooks.onRevoked(partitions, signal)), expired]);",
    test: {
      file: "packages/client/src/group/group-member.test.ts",
      title: "revokes before it rejoins when the group rebalances, and keeps its member id.",
    },
  },
];

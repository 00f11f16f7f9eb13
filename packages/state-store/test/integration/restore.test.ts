import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BatchChunk, Client, PartitionReaderOptions } from "@eos/client";
import { runKafkaTool } from "@tooling/kafka";
import { testBroker } from "@tooling/kafka/testing";
import { describe, expect, test, vi } from "vitest";
import type { StateRestoreListener } from "../../src/changelog/restore-listener.ts";
import { ChangelogTruncatedError } from "../../src/errors.ts";
import { type Entry, keepIn, TestChangelog, valuesOf } from "./changelog-fixture.ts";

/** A cleaner that takes away what it may as soon as it comes by; each batch has a segment of its own. */
const COMPACTED_SOON = {
  "cleanup.policy": "compact",
  "segment.ms": "1",
  "min.cleanable.dirty.ratio": "0.001",
  "min.compaction.lag.ms": "0",
};

describe("the end of a restore", () => {
  test("of an empty changelog is its beginning.", async () => {
    await using changelog = await TestChangelog.create();
    expect(await changelog.restore()).toEqual({ entries: [], position: 0, records: 0 });
    expect(await changelog.restore({ from: 0 })).toEqual({ entries: [], position: 0, records: 0 });
  });

  test("is behind the commit markers that the changelog ends in.", async () => {
    await using changelog = await TestChangelog.create();
    const end = await changelog.transaction("commit", ["a1", "b1"]);
    const { entries, position, records } = await changelog.restore();
    expect(valuesOf(entries)).toEqual(["a1", "b1"]);
    expect([position, records, end]).toEqual([3, 2, 3]);
    expect(await changelog.restore({ from: 2 })).toEqual({ entries: [], position: 3, records: 0 });
  });

  test("is behind the abort markers that the changelog ends in, without what was aborted.", async () => {
    await using changelog = await TestChangelog.create();
    await changelog.transaction("commit", ["a1"]);
    const end = await changelog.transaction("abort", ["a2", "b1"]);
    const { entries, position } = await changelog.restore();
    expect(valuesOf(entries)).toEqual(["a1"]);
    expect([position, end]).toEqual([5, 5]);
  });

  test("is behind the last records, also when compaction has taken them away.", async () => {
    await using changelog = await TestChangelog.create({ config: COMPACTED_SOON });
    await changelog.transaction("commit", ["a1"]);
    const end = await changelog.transaction("abort", ["a2"]);
    const written = async (): Promise<number[]> => {
      const entries: Entry[] = [];
      const all = { ...changelog.partition(), from: 0, to: end, isolation: "read_uncommitted" } as const;
      for await (const { batches, nextOffset } of changelog.client.readChunks(all)) {
        await keepIn(entries)(
          batches.filter(({ isolated }) => isolated === "data"),
          0,
          nextOffset,
        );
      }
      return entries.map(({ offset }) => offset);
    };
    await expect.poll(written, { timeout: 45_000, interval: 500 }).toEqual([0]);
    const { entries, position } = await changelog.restore();
    expect(valuesOf(entries)).toEqual(["a1"]);
    expect(position).toBe(end);
    expect(await changelog.restore({ from: 2 })).toEqual({ entries: [], position: end, records: 0 });
  }, 90_000);

  test("is behind a transaction that is open when it starts: it is waited for.", async () => {
    await using changelog = await TestChangelog.create();
    await changelog.transaction("commit", ["a1"]);
    const producer = await changelog.openTransaction(["a2"]);
    let isCommitted = false;
    let restored = changelog.restore();
    restored = restored.then((result) => {
      expect(isCommitted).toBe(true);
      return result;
    });
    // A restore that did not wait would be over long before.
    await sleep(500);
    isCommitted = true;
    await producer.commit([]);
    expect(valuesOf((await restored).entries)).toEqual(["a1", "a2", "last"]);
  });

  test("comes when the transaction of a producer that died has timed out.", async () => {
    await using changelog = await TestChangelog.create();
    await changelog.transaction("commit", ["a1"]);
    const dying = await changelog.otherClient();
    await changelog.openTransaction(["a2"], { client: dying, transactionTimeoutMs: 1_000 });
    await dying.close();
    const [stableEnd, end] = [await changelog.stableEnd(), await changelog.end()];
    expect(stableEnd).toBeLessThan(end);
    const { entries, position } = await changelog.restore();
    expect(valuesOf(entries)).toEqual(["a1"]);
    expect(position).toBeGreaterThanOrEqual(end);
  });
});

describe("a restore", () => {
  test("that is given up anywhere goes on from what was applied: every record once, in order.", async () => {
    await using changelog = await TestChangelog.create();
    const count = 300;
    for (let i = 0; i < 6; i++) {
      const values = Array.from({ length: count / 6 }, (_, j) => `k${i}-${j}`);
      await changelog.transaction(i % 3 === 2 ? "abort" : "commit", values);
    }
    const whole = (await changelog.restore()).entries;
    expect(whole).toHaveLength((count / 6) * 4);
    const entries: Entry[] = [];
    let position = -1;
    let suspended = 0;
    for (let isDone = false; !isDone;) {
      const keep = keepIn(entries);
      await changelog
        .restore({
          from: position,
          listener: { onRestoreSuspended: () => suspended++ },
          client: { admin: changelog.client.admin, readChunks: (options) => byBatch(changelog.client, options) },
          apply: async (batches, from, nextOffset) => {
            await keep(batches, from, nextOffset);
            position = nextOffset;
            if (entries.length % 7 === 0) throw new Error("killed");
          },
        })
        .then(
          () => (isDone = true),
          (error: unknown) => expect(String(error)).toContain("killed"),
        );
    }
    expect(entries).toEqual(whole);
    expect(suspended).toBeGreaterThan(20);
  });

  test("of several partitions at once gives each its own records, and tells the listener of each.", async () => {
    await using changelog = await TestChangelog.create({ partitions: 4 });
    const partitions = [0, 1, 2, 3];
    for (const partition of partitions) {
      await changelog.transaction(
        "commit",
        Array.from({ length: 50 }, (_, i) => `p${partition}-${i}`),
        partition,
      );
    }
    const told: string[] = [];
    const listener: StateRestoreListener = {
      onRestoreStart: ({ topicPartition, store, startingOffset, endingOffset }) =>
        told.push(`${store} ${topicPartition.partition}: ${startingOffset} to ${endingOffset}`),
      onRestoreEnd: ({ topicPartition, totalRestored }) => told.push(`${topicPartition.partition}: ${totalRestored}`),
    };
    const results = await Promise.all(partitions.map((partition) => changelog.restore({ partition, listener })));
    for (const partition of partitions) {
      expect(valuesOf(results[partition]?.entries ?? [])).toEqual(
        Array.from({ length: 50 }, (_, i) => `p${partition}-${i}`),
      );
    }
    expect(told.toSorted()).toEqual(partitions.flatMap((p) => [`${p}: 50`, `counts ${p}: 0 to 51`]).toSorted());
  });

  test("from an offset beyond the end says so: the topic was created anew.", async () => {
    await using changelog = await TestChangelog.create();
    await changelog.transaction("commit", ["a1", "b1", "c1"]);
    const { position } = await changelog.restore();
    await changelog.client.admin.deleteTopics([changelog.topic]);
    await vi.waitFor(() => changelog.createTopic({}), { timeout: 10_000, interval: 100 });
    await changelog.transaction("commit", ["a1"]);
    await expect(changelog.restore({ from: position })).rejects.toThrow(ChangelogTruncatedError);
    await expect(changelog.restore({ from: position })).rejects.toThrow(
      /ends at offset 2, but the store has it up to 4/,
    );
    expect(valuesOf((await changelog.restore()).entries)).toEqual(["a1"]);
  });

  test("from an offset that was deleted says so; from the beginning it reads what is left.", async () => {
    await using changelog = await TestChangelog.create({ config: { "cleanup.policy": "compact,delete" } });
    await changelog.transaction("commit", ["a1", "b1"]);
    await changelog.transaction("commit", ["c1"]);
    await deleteBefore(changelog, 3);
    await expect(changelog.restore({ from: 1 })).rejects.toThrow(/begins at offset 3, but the store has it up to 1/);
    expect(valuesOf((await changelog.restore()).entries)).toEqual(["c1"]);
    await deleteBefore(changelog, await changelog.end());
    expect(await changelog.restore()).toEqual({ entries: [], position: 5, records: 0 });
  });
});

/** Chunks of one batch, so that there are many places at which to give up. */
async function* byBatch(client: Client, options: PartitionReaderOptions): AsyncGenerator<BatchChunk> {
  for await (const { batches } of client.readChunks(options)) {
    for (const batch of batches) yield { batches: [batch], nextOffset: batch.nextOffset };
  }
}

/** Deletes the records below `offset` as retention does: with Kafka's own tool. */
async function deleteBefore(changelog: TestChangelog, offset: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "eos-delete-records-"));
  try {
    const file = join(folder, "offsets.json");
    await writeFile(file, JSON.stringify({ version: 1, partitions: [{ ...changelog.partition(), offset }] }));
    const run = await runKafkaTool("org.apache.kafka.tools.DeleteRecordsCommand", ["--offset-json-file", file], {
      bootstrapServers: testBroker().bootstrapServers,
    });
    run.stdout.resume();
    await run.ended;
  } finally {
    await rm(folder, { recursive: true });
  }
}

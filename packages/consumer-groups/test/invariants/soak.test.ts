import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, createProducer } from "@eos/client";
import { stringSerde } from "@eos/core";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { describe, expect, it } from "vitest";
import { readHandledLogs } from "../handled-log.ts";
import { LoggingWorker } from "../logging-worker.ts";

const RECORDS = 200_000;
const KEYS = 400;
const PARTITIONS = 8;
const RECORDS_PER_SECOND = 5_000;
const TICK_MS = 50;
const SESSION_TIMEOUT_MS = 3_000;

/** Something is done to the group this often, on average. */
const CHURN_MS = 2_000;
const FEWEST = 2;
const MOST = 4;

interface Churn {
  joined: number;
  left: number;
  killed: number;
  frozen: number;
  scaled: number;
}

describe("a group whose members join, leave, are killed and frozen every few seconds", () => {
  it("loses no record and keeps the order of each key", { timeout: 240_000 }, async () => {
    const { brokers } = testBroker();
    const topic = uniqueName("soak-input");
    const groupId = uniqueName("soak");
    const folder = mkdtempSync(join(tmpdir(), "eos-soak-"));
    await using client = createClient({ brokers });
    await client.connect();
    await client.admin.createTopics([{ topic, partitions: PARTITIONS, replicationFactor: 1 }]);
    const logs: string[] = [];
    const everyone: LoggingWorker[] = [];
    let workers: LoggingWorker[] = [];
    const churn: Churn = { joined: 0, left: 0, killed: 0, frozen: 0, scaled: 0 };

    const addWorker = (): LoggingWorker => {
      const log = join(folder, `${logs.length}.log`);
      writeFileSync(log, "");
      logs.push(log);
      const worker = new LoggingWorker({
        brokers: brokers.join(","),
        "group-id": groupId,
        topic,
        log,
        "session-timeout-ms": SESSION_TIMEOUT_MS,
      });
      everyone.push(worker);
      workers.push(worker);
      churn.joined++;
      return worker;
    };
    const take = (): LoggingWorker | undefined => {
      // One that is only just starting has no signal handlers yet.
      const awake = workers.filter((worker) => !worker.isFrozen && worker.count("state") > 0);
      const taken = awake[Math.floor(Math.random() * awake.length)];
      workers = workers.filter((worker) => worker !== taken);
      return taken;
    };
    const thawing: Promise<void>[] = [];
    const happen = async (): Promise<void> => {
      if (workers.length < FEWEST) return void addWorker();
      const what = Math.random();
      if (what < 0.2 && workers.length < MOST) addWorker();
      else if (what < 0.35) {
        const worker = take();
        if (worker === undefined) return;
        expect(await worker.terminate(), worker.log).toBe(0);
        churn.left++;
      } else if (what < 0.6) {
        const worker = take();
        if (worker === undefined) return;
        await worker.kill();
        churn.killed++;
        addWorker();
      } else if (what < 0.8) {
        const worker = take();
        if (worker === undefined) return;
        workers.push(worker);
        worker.freeze();
        churn.frozen++;
        thawing.push(sleep(SESSION_TIMEOUT_MS + Math.random() * 2_000).then(() => worker.thaw()));
      } else {
        const worker = take();
        if (worker === undefined) return;
        workers.push(worker);
        worker.scale(Math.random() < 0.6 ? 1 : -1);
        churn.scaled++;
      }
    };

    try {
      await Promise.all([addWorker().running(), addWorker().running()]);
      const producer = createProducer({ brokers });
      await producer.start();
      const numbersOf = new Map<string, number>();
      const startedMs = performance.now();
      let written = 0;
      let nextChurnMs = CHURN_MS;
      while (written < RECORDS) {
        const elapsedMs = performance.now() - startedMs;
        const due = Math.min(RECORDS, Math.floor((elapsedMs / 1_000) * RECORDS_PER_SECOND)) - written;
        const records = Array.from({ length: due }, (_, index) => {
          const key = `key-${(written + index) % KEYS}`;
          const number = numbersOf.get(key) ?? 0;
          numbersOf.set(key, number + 1);
          return { key, value: String(number) };
        });
        if (due > 0) await producer.send({ topic, key: stringSerde, value: stringSerde, records });
        written += due;
        if (elapsedMs > nextChurnMs) {
          nextChurnMs = elapsedMs + CHURN_MS * (0.5 + Math.random());
          await happen();
        }
        await sleep(TICK_MS);
      }
      await producer.close();
      await Promise.all(thawing);
      await caughtUp();
      const codes = await Promise.all(workers.map((worker) => worker.terminate()));
      const report = readHandledLogs(logs, numbersOf);
      const count = (event: "rebalanced" | "refused" | "lost") =>
        everyone.reduce((sum, worker) => sum + worker.count(event), 0);
      console.log(
        `soak: records=${report.records} lost=${report.lost.length} out-of-order=${report.outOfOrder.length} handled-again=${report.handledAgain} ` +
          `joined=${churn.joined} left=${churn.left} killed=${churn.killed} frozen=${churn.frozen} scaled=${churn.scaled} ` +
          `rebalances=${count("rebalanced")} lost-assignments=${count("lost")} refused-commits=${count("refused")} in ${Math.round((performance.now() - startedMs) / 1_000)} s`,
      );
      expect(report).toMatchObject({ records: RECORDS, lost: [], outOfOrder: [] });
      expect(codes).toEqual(codes.map(() => 0));
      expect(everyone.flatMap(({ events }) => events.filter(({ event }) => event === "failed"))).toEqual([]);
    } finally {
      await Promise.all(everyone.map((worker) => worker.kill()));
      rmSync(folder, { recursive: true, force: true });
    }

    async function caughtUp(): Promise<void> {
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
      const ends = await client.admin.listOffsets(partitions, "latest");
      const deadline = performance.now() + 60_000;
      for (;;) {
        const committed = await client.admin.committedOffsets(groupId, partitions);
        const behind = ends.filter(
          ({ partition, offset }) => committed.find((of) => of.partition === partition)?.offset !== offset,
        );
        if (behind.length === 0) return;
        if (performance.now() > deadline) {
          throw new Error(
            `the group does not catch up: ${JSON.stringify({ behind, committed })}\n${workers.map(({ log }) => log).join("\n")}`,
          );
        }
        await sleep(200);
      }
    }
  });
});

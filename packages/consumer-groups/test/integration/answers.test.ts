import { setTimeout as sleep } from "node:timers/promises";
import type { ConsumerGroupOptions, DeadLetterPort, ErrorAnswer, RecordResult } from "@eos/consumer-groups";
import { jsonSerde, stringSerde } from "@eos/core";
import { createConsumerGroup } from "@eos/consumer-groups";
import { silentLogger } from "@eos/core";
import { describe, expect, it } from "vitest";
import { Journal } from "../journal.ts";
import { failureOf, numbered, TestGroups, upTo } from "../test-groups.ts";

/** The third record of ten fails: with what, and how. */
const failing = (fail: () => unknown): Pick<ConsumerGroupOptions<string, string>, "handler"> => ({
  handler: ({ offset }) => (offset === 2 ? (fail() as undefined) : undefined),
});

const failures = [
  { how: "throws an error", thrown: new Error("broken"), text: "broken" },
  { how: "rejects", thrown: new Error("broken"), text: "broken" },
  { how: "throws a string", thrown: "just text", text: "just text" },
  { how: "rejects with undefined", thrown: undefined, text: "undefined" },
  { how: "throws undefined", thrown: undefined, text: "undefined" },
] as const;

describe("a handler that fails", () => {
  it.for(failures)(
    "stops the group by default when it $how; the error names the record, which comes again",
    async ({ how, thrown, text }) => {
      const fail = (): Promise<never> => {
        if (how.startsWith("rejects")) return Promise.reject(thrown as unknown);
        throw thrown as unknown;
      };
      await using groups = await TestGroups.create();
      await groups.write(numbered(10));
      const group = groups.group(failing(fail));
      await group.start();
      expect(await failureOf(group)).toMatchObject({
        code: "EOS_HANDLER",
        severity: "fatal",
        message: `handling ${groups.topic}-0@2 failed: ${text}`,
        record: { ...groups.partition(), offset: 2 },
        hint: expect.stringContaining("onError") as string,
      });
      expect(group.health()).toMatchObject({ state: "ERROR", isLive: false, isReady: false });
      // What came before it is committed.
      expect(await groups.committed()).toBe(2);
      const seen = new Journal<number>();
      await groups.group({ handler: ({ offset }) => seen.add(offset) }).start();
      await seen.reached(8);
      expect(seen.entries).toEqual(upTo(8, 2));
    },
  );

  it("is asked again after 'retry', later each time, with the attempt in its context, and its partition waits", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(5));
    const seen = new Journal<{ readonly offset: number; readonly attempt: number; readonly atMs: number }>();
    const results: (RecordResult & { readonly offset: number })[] = [];
    const group = groups.group({
      handler: ({ offset }, { attempt }) => {
        seen.add({ offset, attempt, atMs: performance.now() });
        if (offset === 2 && attempt < 4) throw new Error("not yet");
      },
      onError: (_error, _record, attempt) => (attempt === 2 ? sleep(1).then(() => "retry") : "retry"),
      onResult: ({ offset }, result) => void results.push({ offset, ...result }),
    });
    await group.start();
    await groups.untilCommitted(5);
    expect(seen.entries.map(({ offset, attempt }) => [offset, attempt])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [2, 2],
      [2, 3],
      [2, 4],
      [3, 1],
      [4, 1],
    ]);
    const waits = upTo(3, 3).map((index) => (seen.entries[index]?.atMs ?? 0) - (seen.entries[index - 1]?.atMs ?? 0));
    for (const [index, least] of [95, 195, 395].entries()) expect(waits[index]).toBeGreaterThan(least);
    expect(results[2]).toMatchObject({ offset: 2, outcome: "handled", attempts: 4 });
    expect(group.metrics()).toMatchObject({ recordsConsumedTotal: 5, recordsFailedTotal: 3 });
  });

  it.for(["sync", "async"] as const)(
    "has its record skipped by 'skip', which is said and counted (%s)",
    async (kind) => {
      await using groups = await TestGroups.create();
      await groups.write(numbered(10));
      const skipped: unknown[] = [];
      const outcomes: string[] = [];
      const group = groups.group({
        handler: ({ offset }) => {
          if (offset % 4 !== 0) return;
          if (kind === "async") return Promise.reject(new Error(`no ${offset}`));
          throw new Error(`no ${offset}`);
        },
        onError: () => (kind === "async" ? Promise.resolve("skip") : "skip"),
        onResult: (_record, { outcome }) => void outcomes.push(outcome),
        observer: { recordSkipped: ({ offset, error }) => void skipped.push([offset, (error as Error).message]) },
      });
      await group.start();
      await groups.untilCommitted(10);
      expect(skipped).toEqual([0, 4, 8].map((offset) => [offset, `no ${offset}`]));
      expect(outcomes).toEqual(upTo(10).map((offset) => (offset % 4 === 0 ? "skipped" : "handled")));
      expect(group.metrics()).toMatchObject({ recordsSkippedTotal: 3, recordsFailedTotal: 3 });
    },
  );

  it("stops the group when onError itself throws, rejects, or gives no answer that is one", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(10));
    const answers: (() => ErrorAnswer | Promise<ErrorAnswer>)[] = [
      () => {
        throw new Error("from onError");
      },
      () => Promise.reject(new Error("from onError")),
      () => "whatever" as "skip",
    ];
    for (const onError of answers) {
      const group = groups.group({ ...failing(() => Promise.reject(new Error("broken"))), onError });
      await group.start();
      expect(await failureOf(group)).toMatchObject({ code: "EOS_HANDLER", record: { offset: 2 } });
    }
    expect(await groups.committed()).toBe(2);
  });

  it("is a value that cannot be read, too: onError gets the serde's error", async () => {
    await using groups = await TestGroups.create();
    await groups.write([{ value: '{"a":1}' }, { value: "no json" }, { value: '{"a":3}' }]);
    const seen = new Journal<number | undefined>();
    const errors: unknown[] = [];
    const group = createConsumerGroup({
      brokers: groups.brokers,
      groupId: groups.groupId,
      topics: groups.topic,
      key: stringSerde,
      value: jsonSerde<{ a: number }>(),
      logger: silentLogger,
      handler: ({ value }) => seen.add(value?.a),
      onError: (error) => {
        errors.push(error);
        return "skip";
      },
    });
    await group.start();
    await groups.untilCommitted(3);
    await group.close();
    expect(seen.entries).toEqual([1, 3]);
    expect(errors).toMatchObject([{ code: "EOS_SERDE" }]);
  });
});

describe("onError 'dead-letter'", () => {
  it("sends the record through the port, and only then completes it", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(10));
    const sent = new Journal<readonly unknown[]>();
    const results: string[] = [];
    const deadLetter: DeadLetterPort = {
      send: async ({ offset, value }, error, context) => {
        await sleep(20);
        expect(results).toHaveLength(2);
        sent.add([offset, value, (error as Error).message, context]);
      },
    };
    const group = groups.group({
      ...failing(() => Promise.reject(new Error("broken"))),
      onError: () => "dead-letter",
      deadLetter,
      onResult: (_record, { outcome }) => void results.push(outcome),
    });
    await group.start();
    await groups.untilCommitted(10);
    expect(sent.entries).toEqual([[2, "value 2", "broken", { groupId: groups.groupId, attempts: 1 }]]);
    expect(results).toEqual(upTo(10).map((offset) => (offset === 2 ? "dead-lettered" : "handled")));
    expect(group.metrics()).toMatchObject({ recordsDeadLetteredTotal: 1, recordsConsumedTotal: 10 });
  });

  it("asks again, with both errors, when the port fails", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(4));
    const asked: unknown[] = [];
    let sends = 0;
    const group = groups.group({
      ...failing(() => Promise.reject(new Error("broken"))),
      deadLetter: {
        send: () => {
          if (++sends < 3) throw new Error("no letter-box");
        },
      },
      onError: (error) => {
        asked.push(error);
        return "dead-letter";
      },
    });
    await group.start();
    await groups.untilCommitted(4);
    expect(asked).toMatchObject([
      { message: "broken" },
      { code: "EOS_DEAD_LETTER", cause: { message: "no letter-box" }, handlerError: { message: "broken" } },
      { code: "EOS_DEAD_LETTER" },
    ]);
    expect(group.metrics().recordsDeadLetteredTotal).toBe(1);
  });

  it("without a port stops the group and says what is missing", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(4));
    const group = groups.group({ ...failing(() => Promise.reject(new Error("broken"))), onError: () => "dead-letter" });
    await group.start();
    expect(await failureOf(group)).toMatchObject({
      code: "EOS_HANDLER",
      record: { offset: 2 },
      cause: { code: "EOS_NO_DEAD_LETTER_PORT" },
    });
    expect(await groups.committed()).toBe(2);
  });

  it("takes a whole batch that nobody blamed a record of", async () => {
    await using groups = await TestGroups.create();
    await groups.write(numbered(4));
    const sent = new Journal<number>();
    const group = groups.group({
      batchHandler: () => Promise.reject(new Error("broken")),
      deadLetter: { send: ({ offset }) => sent.add(offset) },
      onError: () => "dead-letter",
    });
    await group.start();
    await groups.untilCommitted(4);
    expect(sent.entries).toEqual(upTo(4));
    expect(group.metrics()).toMatchObject({ recordsDeadLetteredTotal: 4, recordsConsumedTotal: 4 });
  });
});

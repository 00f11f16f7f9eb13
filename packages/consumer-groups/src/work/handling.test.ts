import type { FetchedRecord } from "@eos/client";
import { systemClock } from "@eos/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DeadLetterError } from "../errors.ts";
import type { ErrorAnswer } from "../handler.ts";
import { BusyMeter } from "../member/busy-meter.ts";
import { GroupMetrics } from "../member/group-metrics.ts";
import { Delivery, type DeliveryOwner, type UnknownRecord } from "./delivery.ts";
import { DeliveryAbandoned } from "./delivery-abandoned.ts";
import { Handling, type HandlingOptions } from "./handling.ts";
import { Slots } from "./slots.ts";
import { quiet, SILENT } from "./work-fixture.ts";

const RECORD = { topic: "in", partition: 2, offset: 7 } as FetchedRecord<unknown, unknown>;

function setUp(options: Partial<HandlingOptions<UnknownRecord>> = {}) {
  const events: string[] = [];
  const stops: Error[] = [];
  const metrics = new GroupMetrics();
  const slots = new Slots(1);
  const handling = new Handling<UnknownRecord>({
    groupId: "g",
    handle: () => undefined,
    recordsOf: (record) => [record],
    slots,
    logger: SILENT,
    observer: { recordSkipped: ({ offset }) => events.push(`observed ${offset}`) },
    metrics,
    meter: new BusyMeter(systemClock),
    deadLetter: undefined,
    onError: () => "stop",
    onResult: undefined,
    onStop: (error) => stops.push(error),
    onIdle: () => events.push("idle"),
    ...options,
  });
  const owner: DeliveryOwner<UnknownRecord> = {
    completed: (_, outcome) => events.push(`completed ${outcome}`),
    again: () => events.push("again"),
    blame: ({ subject }, error) => ({ record: subject, error }),
    blamed: ({ subject }) => [subject],
    slotFree: () => {},
  };
  const delivery = new Delivery<UnknownRecord>(RECORD, owner, null);
  const hasFreeSlot = (): boolean => {
    const probe = { slotFree: () => {} };
    const isFree = slots.mayStart(probe);
    slots.leave(probe);
    return isFree;
  };
  return { handling, delivery, events, stops, metrics, hasFreeSlot };
}

const failing = (...thrown: [unknown?]) => ({
  handle: () => {
    throw thrown.length === 0 ? new Error("broken") : thrown[0];
  },
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Handling", () => {
  it("says at once that a handler has returned, and takes no slot for it", () => {
    const { handling, delivery, events, hasFreeSlot } = setUp();
    expect(handling.start(delivery)).toBe(true);
    expect(events).toEqual([]);
    expect(hasFreeSlot()).toBe(true);
    expect(delivery.attempt).toBe(1);
  });

  it("holds a slot for a promise until it resolves, and completes the delivery then", async () => {
    let resolve = (): void => {};
    const { handling, delivery, events, hasFreeSlot } = setUp({
      handle: () => new Promise<void>((settle) => (resolve = settle)),
    });
    expect(handling.start(delivery)).toBe(false);
    expect(hasFreeSlot()).toBe(false);
    expect(handling.inHand.has(delivery)).toBe(true);
    resolve();
    await quiet(1);
    expect(events).toEqual(["idle", "completed handled"]);
    expect(hasFreeSlot()).toBe(true);
  });

  it("believes a foreign thenable once, and takes what it throws for a failure", async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- it is what the test is about
    const twice = { then: (ok: () => void, not: (error: Error) => void) => (ok(), ok(), not(new Error("no"))) };
    const settled = setUp({ handle: () => twice });
    settled.handling.start(settled.delivery);
    await quiet(1);
    expect(settled.events).toEqual(["idle", "completed handled"]);
    const thrower = {
      // oxlint-disable-next-line unicorn/no-thenable -- it is what the test is about
      then: () => {
        throw new Error("no promise");
      },
    };
    const thrown = setUp({ handle: () => thrower });
    thrown.handling.start(thrown.delivery);
    await quiet(1);
    expect(thrown.stops).toMatchObject([{ code: "EOS_HANDLER", cause: { message: "no promise" } }]);
  });

  it.each<unknown>([new Error("broken"), "a string", undefined, null])(
    "asks onError about what was thrown: %s",
    (thrown) => {
      const asked: unknown[][] = [];
      const onError = (...args: unknown[]): ErrorAnswer => (asked.push(args), "skip");
      const { handling, delivery, events, metrics } = setUp({ ...failing(thrown), onError });
      expect(handling.start(delivery)).toBe(false);
      expect(asked).toEqual([[thrown, RECORD, 1]]);
      expect(events).toEqual(["observed 7", "idle", "completed skipped"]);
      expect(metrics).toMatchObject({ failed: 1, skipped: 1 });
    },
  );

  it("stops with the error and the record when the answer is 'stop', late or at once, or onError fails itself", async () => {
    const answers: HandlingOptions<UnknownRecord>["onError"][] = [
      () => "stop",
      () => Promise.resolve("stop" as const),
      () => {
        throw new Error("broken");
      },
      () => Promise.reject(new Error("broken")),
    ];
    for (const onError of answers) {
      const { handling, delivery, events, stops, hasFreeSlot } = setUp({ ...failing(), onError });
      handling.start(delivery);
      await quiet(1);
      expect(stops).toMatchObject([{ code: "EOS_HANDLER", record: { topic: "in", partition: 2, offset: 7 } }]);
      expect(stops).toMatchObject([{ cause: { message: "broken" } }]);
      expect(delivery.isDropped).toBe(true);
      expect(events).toEqual(["idle"]);
      expect(hasFreeSlot()).toBe(true);
    }
  });

  it("stops when the answer is none of the four", () => {
    const { handling, delivery, stops } = setUp({ ...failing(), onError: () => "ignore" as ErrorAnswer });
    handling.start(delivery);
    expect(stops[0]?.message).toContain("onError answered ignore");
  });

  it("tries again after a backoff that doubles, and holds no slot meanwhile", async () => {
    const { handling, delivery, events, hasFreeSlot } = setUp({ ...failing(), onError: () => "retry" });
    for (const waitMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]) {
      events.length = 0;
      handling.start(delivery);
      expect(delivery.phase).toBe("backing-off");
      expect(hasFreeSlot()).toBe(true);
      vi.advanceTimersByTime(waitMs - 1);
      expect(events).toEqual(["idle"]);
      vi.advanceTimersByTime(1);
      expect(events).toEqual(["idle", "again"]);
    }
  });

  it("leaves no timer behind when a delivery is dropped that was to be tried again", () => {
    const { handling, delivery, events } = setUp({ ...failing(), onError: () => "retry" });
    handling.start(delivery);
    handling.drop(delivery, new Error("gone"));
    expect(vi.getTimerCount()).toBe(0);
    expect(events).toEqual(["idle"]);
  });

  it("ignores what comes of a dropped delivery, and fires its signal, also for who asks only then", async () => {
    let resolve = (): void => {};
    const { handling, delivery, events, metrics } = setUp({
      handle: () => new Promise<void>((settle) => (resolve = settle)),
    });
    handling.start(delivery);
    handling.drop(delivery, new Error("gone"));
    expect(delivery.signal.aborted).toBe(true);
    resolve();
    await quiet(1);
    expect(events).toEqual(["idle"]);
    expect(metrics.failed).toBe(0);
  });

  it("asks nobody about a delivery that was abandoned", async () => {
    const onError = vi.fn(() => "skip" as const);
    const { handling, delivery, metrics } = setUp({ handle: () => Promise.reject(new DeliveryAbandoned()), onError });
    handling.start(delivery);
    await quiet(1);
    expect(onError).not.toHaveBeenCalled();
    expect(delivery.isDropped).toBe(true);
    expect(metrics.failed).toBe(0);
  });

  it("does not bring a delivery back that onError itself has made void", () => {
    const scenario = setUp({
      ...failing(),
      onError: () => {
        scenario.handling.drop(scenario.delivery, new Error("closed"));
        return "retry";
      },
    });
    scenario.handling.start(scenario.delivery);
    expect(scenario.delivery.phase).toBe("dropped");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("completes a record when the dead letters have it", async () => {
    const sent: unknown[][] = [];
    const deadLetter = { send: (...args: unknown[]) => void sent.push(args) };
    const { handling, delivery, events, metrics } = setUp({
      ...failing("why"),
      deadLetter,
      onError: () => "dead-letter",
    });
    handling.start(delivery);
    await quiet(1);
    expect(sent).toEqual([[RECORD, "why", { groupId: "g", attempts: 1 }]]);
    expect(events).toEqual(["idle", "completed dead-lettered"]);
    expect(metrics.deadLettered).toBe(1);
  });

  it("stops with a hint when there is nowhere to send dead letters", async () => {
    const { handling, delivery, stops } = setUp({ ...failing(), onError: () => "dead-letter" });
    handling.start(delivery);
    await quiet(1);
    expect(stops[0]?.cause).toMatchObject({ code: "EOS_NO_DEAD_LETTER_PORT" });
  });

  it.each(["at once", "later"])("asks onError again a second after the dead letters failed %s", async (when) => {
    let sends = 0;
    const send = (): Promise<void> => {
      if (++sends > 2) return Promise.resolve();
      if (when === "at once") throw new Error("no broker");
      return Promise.reject(new Error("no broker"));
    };
    const asked: unknown[] = [];
    const { handling, delivery, events, hasFreeSlot } = setUp({
      ...failing("why"),
      deadLetter: { send },
      onError: (error) => (asked.push(error), "dead-letter"),
    });
    handling.start(delivery);
    for (const count of [1, 2]) {
      await quiet(2);
      expect(sends).toBe(count);
      expect(hasFreeSlot()).toBe(false);
      vi.advanceTimersByTime(1_000);
    }
    await quiet(2);
    expect(asked[1]).toBeInstanceOf(DeadLetterError);
    expect(asked[1]).toMatchObject({ handlerError: "why", cause: { message: "no broker" } });
    expect(events).toEqual(["idle", "completed dead-lettered"]);
  });

  it("tells onResult how each record ended, and is not moved by what that throws", async () => {
    const results: unknown[] = [];
    const onResult: HandlingOptions<UnknownRecord>["onResult"] = (record, { outcome, attempts }) => {
      results.push([record.offset, outcome, attempts]);
      throw new Error("ignored");
    };
    const sync = setUp({ onResult });
    expect(sync.handling.start(sync.delivery)).toBe(true);
    const late = setUp({ onResult, handle: () => Promise.resolve() });
    late.handling.start(late.delivery);
    await quiet(1);
    expect(late.events).toEqual(["idle", "completed handled"]);
    const skipped = setUp({ onResult, ...failing(), onError: () => Promise.resolve("skip" as const) });
    skipped.handling.start(skipped.delivery);
    await quiet(1);
    expect(results).toEqual([
      [7, "handled", 1],
      [7, "handled", 1],
      [7, "skipped", 1],
    ]);
  });

  it("counts the time of each one who has the delivery from when it was given to them", async () => {
    const nowMs = vi.spyOn(performance, "now").mockReturnValue(1_000);
    let fail = (_error: Error): void => {};
    let answer = (_answer: ErrorAnswer): void => {};
    const results: number[] = [];
    const { handling, delivery } = setUp({
      handle: () => new Promise((_, reject) => (fail = reject)),
      onError: () => new Promise((resolve) => (answer = resolve)),
      onResult: (_record, { durationMs }) => results.push(durationMs),
    });
    handling.start(delivery);
    expect(delivery.sinceMs).toBe(1_000);
    nowMs.mockReturnValue(1_250);
    fail(new Error("late"));
    await quiet(1);
    expect(delivery.sinceMs).toBe(1_250);
    nowMs.mockReturnValue(9_000);
    answer("skip");
    await quiet(1);
    expect(results).toEqual([250]);
    nowMs.mockRestore();
  });
});

import { once } from "node:events";
import type { Clock, TopicPartition } from "@eos/core";
import { describe, expect, test, vi } from "vitest";
import type { GroupLag } from "./group-lag.ts";
import { type CommittedPosition, LagMonitor, type PartitionEnd } from "./lag-monitor.ts";

/** A clock that stands until it is told to go; it counts who sleeps. */
class ManualClock implements Clock {
  #ms = 0;
  #sleepers: { readonly untilMs: number; readonly wake: () => void }[] = [];

  now(): number {
    return 1_700_000_000_000 + this.#ms;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const sleeper = { untilMs: this.#ms + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
    });
  }

  get sleepers(): number {
    return this.#sleepers.length;
  }

  async advance(ms: number): Promise<void> {
    this.#ms += ms;
    const due = this.#sleepers.filter(({ untilMs }) => untilMs <= this.#ms);
    this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper));
    for (const { wake } of due) wake();
    await turn();
  }
}

/** Lets everything that is already settled run its course. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Partition {
  offset: number | null;
  metadata?: string;
  end: number;
  start?: number;
}

/** A group whose partitions a test may change between samples. */
class FakeSource {
  partitions: { [name: string]: Partition };
  readonly calls: string[] = [];
  /** What the next call of `committed` waits for. */
  gate: Promise<void> = Promise.resolve();

  constructor(partitions: { [name: string]: Partition }) {
    this.partitions = partitions;
  }

  async committed(): Promise<CommittedPosition[]> {
    this.calls.push("committed");
    const answer = Object.entries(this.partitions).map(([name, { offset, metadata = null }]) => ({
      ...parse(name),
      offset,
      metadata,
    }));
    await this.gate;
    return answer;
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<PartitionEnd[]> {
    this.calls.push("endOffsets");
    return this.#answer(partitions, ({ end }) => end);
  }

  async startOffsets(partitions: readonly TopicPartition[]): Promise<PartitionEnd[]> {
    this.calls.push(`startOffsets ${partitions.map((tp) => `${tp.topic}-${tp.partition}`).join()}`);
    return this.#answer(partitions, ({ start = 0 }) => start);
  }

  /** In another order than asked, and without those that are gone. */
  #answer(partitions: readonly TopicPartition[], offsetOf: (partition: Partition) => number): PartitionEnd[] {
    return partitions.toReversed().flatMap((tp) => {
      const partition = this.partitions[`${tp.topic}-${tp.partition}`];
      return partition === undefined ? [] : [{ ...tp, offset: offsetOf(partition) }];
    });
  }
}

function parse(name: string): TopicPartition {
  const [topic = "", partition] = name.split("-");
  return { topic, partition: Number(partition) };
}

function createMonitor(partitions: { [name: string]: Partition }, window?: number) {
  const clock = new ManualClock();
  const source = new FakeSource(partitions);
  const monitor = new LagMonitor(window === undefined ? { source, clock } : { source, clock, window });
  return { clock, source, monitor };
}

describe("LagMonitor.sample", () => {
  test("sums up the group, in the order of its partitions", async () => {
    const { clock, source, monitor } = createMonitor({
      "b-0": { offset: 5, end: 5 },
      "a-10": { offset: 90, end: 100 },
      "a-2": { offset: 20, end: 20 },
    });
    await monitor.sample();
    await clock.advance(10_000);
    source.partitions["b-0"] = { offset: 5, end: 45 };
    source.partitions["a-2"] = { offset: 20, end: 22 };
    source.partitions["a-10"] = { offset: 100, end: 100 };
    await expect(monitor.sample()).resolves.toEqual({
      timeMs: 1_700_000_010_000,
      records: 42,
      maxRecords: 40,
      maxSeconds: 10,
      state: "OK",
      partitions: [
        { topic: "a", partition: 2, offset: 20, endOffset: 22, records: 2, seconds: 10, state: "OK" },
        { topic: "a", partition: 10, offset: 100, endOffset: 100, records: 0, seconds: 0, state: "OK" },
        { topic: "b", partition: 0, offset: 5, endOffset: 45, records: 40, seconds: 10, state: "OK" },
      ],
    });
  });

  test("asks for the ends after the commits, so that no commit lies beyond them", async () => {
    const { source, monitor } = createMonitor({ "a-0": { offset: 1, end: 1 } });
    let open = (): void => {};
    source.gate = new Promise((resolve) => {
      open = resolve;
    });
    const sample = monitor.sample();
    await turn();
    expect(source.calls).toEqual(["committed"]);
    source.partitions["a-0"] = { offset: 3, end: 3 };
    open();
    await expect(sample).resolves.toMatchObject({ records: 2 });
    expect(source.calls).toEqual(["committed", "endOffsets"]);
  });

  test("counts a partition without a commit from where the group would begin", async () => {
    const { source, monitor } = createMonitor({
      "a-0": { offset: null, start: 40, end: 100 },
      "a-1": { offset: 10, end: 10 },
      "a-2": { offset: null, start: 7, end: 7 },
    });
    const { records, partitions } = await monitor.sample();
    expect(records).toBe(60);
    expect(partitions.map(({ offset, records: of, seconds }) => [offset, of, seconds])).toEqual([
      [null, 60, null],
      [10, 0, 0],
      [null, 0, 0],
    ]);
    expect(source.calls).toContain("startOffsets a-0,a-2");
  });

  test("takes the first commit for no rewind, though the group was thought to begin at the end", async () => {
    const { clock, source, monitor } = createMonitor({ "a-0": { offset: null, start: 150, end: 150 } });
    await monitor.sample();
    await clock.advance(5_000);
    source.partitions["a-0"] = { offset: 120, end: 150 };
    await expect(monitor.sample()).resolves.toMatchObject({ records: 30, state: "OK" });
  });

  test("does not know the worst age when that of one partition is unknown", async () => {
    const { monitor } = createMonitor({ "a-0": { offset: 5, end: 100 }, "a-1": { offset: 3, end: 3 } });
    await expect(monitor.sample()).resolves.toMatchObject({ maxSeconds: null, maxRecords: 95 });
  });

  test("of a group without partitions is 0", async () => {
    const { monitor } = createMonitor({});
    await expect(monitor.sample()).resolves.toMatchObject({ records: 0, maxRecords: 0, maxSeconds: 0, state: "OK" });
  });

  test("never counts below 0 when the committed offset lies beyond the end", async () => {
    const { monitor } = createMonitor({ "a-0": { offset: 100, end: 10 }, "a-1": { offset: 0, end: 4 } });
    await expect(monitor.sample()).resolves.toMatchObject({ records: 4 });
  });

  test("has the state of its worst partition, each judged by its own past", async () => {
    const { clock, source, monitor } = createMonitor(
      { "a-0": { offset: 0, end: 100 }, "a-1": { offset: 0, end: 100 }, "a-2": { offset: 50, end: 100 } },
      3,
    );
    const states: unknown[] = [];
    for (let i = 1; i <= 4; i++) {
      source.partitions["a-0"] = { offset: i, end: 100 + i };
      source.partitions["a-1"] = { offset: 10 * i, end: 100 };
      source.partitions["a-2"] = { offset: 50, metadata: `beyond the gap: ${i}`, end: 100 };
      const { state, partitions } = await monitor.sample();
      states.push([state, ...partitions.map((of) => of.state)]);
      await clock.advance(5_000);
    }
    expect(states).toEqual([
      ["OK", "OK", "OK", "OK"],
      ["OK", "OK", "OK", "OK"],
      ["STALL", "WARN", "OK", "STALL"],
      ["STALL", "WARN", "OK", "STALL"],
    ]);
  });

  test("leaves a partition out that is gone, and forgets its past", async () => {
    const { clock, source, monitor } = createMonitor({ "a-0": { offset: 9, end: 9 }, "b-0": { offset: 1, end: 1 } });
    await monitor.sample();
    const endOffsets = source.endOffsets.bind(source);
    source.endOffsets = async (partitions) => endOffsets(partitions.filter(({ topic }) => topic !== "a"));
    await clock.advance(5_000);
    await expect(monitor.sample()).resolves.toMatchObject({ partitions: [{ topic: "b" }] });
    source.endOffsets = endOffsets;
    source.partitions["a-0"] = { offset: 9, end: 12 };
    await clock.advance(5_000);
    await expect(monitor.sample()).resolves.toMatchObject({ partitions: [{ topic: "a", seconds: null }, {}] });
  });

  test("is taken one at a time, and never shows less than what was committed when it was asked for", async () => {
    const { source, monitor } = createMonitor({ "a-0": { offset: 0, end: 10 } });
    let open = (): void => {};
    source.gate = new Promise((resolve) => {
      open = resolve;
    });
    const first = monitor.sample();
    source.partitions["a-0"] = { offset: 10, end: 10 };
    const rest = [monitor.sample(), monitor.sample()];
    await turn();
    expect(source.calls).toEqual(["committed"]);
    open();
    await expect(first).resolves.toMatchObject({ records: 10 });
    const [second, third] = await Promise.all(rest);
    expect(second).toMatchObject({ records: 0 });
    expect(third).toBe(second);
    expect(source.calls).toEqual(["committed", "endOffsets", "committed", "endOffsets"]);
  });

  test("fails for those who asked, and not for the next", async () => {
    const { source, monitor } = createMonitor({ "a-0": { offset: 0, end: 10 } });
    source.gate = Promise.reject(new Error("no broker"));
    const first = monitor.sample();
    const second = monitor.sample();
    await expect(first).rejects.toThrow("no broker");
    await expect(second).rejects.toThrow("no broker");
    source.gate = Promise.resolve();
    await expect(monitor.sample()).resolves.toMatchObject({ records: 10 });
  });
});

describe("LagMonitor.watch", () => {
  test("samples at once, then at its interval, until it is stopped", async () => {
    const { clock, source, monitor } = createMonitor({ "a-0": { offset: 0, end: 10 } });
    const seen: number[] = [];
    const stop = monitor.watch(({ records }) => seen.push(records), { intervalMs: 2_000 });
    await turn();
    expect(seen).toEqual([10]);
    source.partitions["a-0"] = { offset: 4, end: 10 };
    await clock.advance(1_999);
    expect(seen).toEqual([10]);
    await clock.advance(1);
    expect(seen).toEqual([10, 6]);
    stop();
    await turn();
    expect(clock.sleepers).toBe(0);
    const { length } = source.calls;
    await clock.advance(60_000);
    expect([seen, source.calls.length]).toEqual([[10, 6], length]);
  });

  test("pauses for five seconds unless told otherwise", async () => {
    const { clock, monitor } = createMonitor({});
    const listener = vi.fn();
    const stop = monitor.watch(listener);
    await turn();
    await clock.advance(4_999);
    expect(listener).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    expect(listener).toHaveBeenCalledTimes(2);
    stop();
  });

  test("can be stopped by its listener", async () => {
    const { clock, monitor } = createMonitor({});
    const listener = vi.fn(() => stop());
    const stop = monitor.watch(listener);
    await turn();
    await clock.advance(60_000);
    expect([listener.mock.calls.length, clock.sleepers]).toEqual([1, 0]);
  });

  test("keeps silent once it is stopped, also about a sample that was being taken", async () => {
    for (const outcome of ["answers", "fails"] as const) {
      const { source, monitor } = createMonitor({});
      let settle = (): void => {};
      source.gate = new Promise((resolve, reject) => {
        settle = outcome === "answers" ? resolve : () => reject(new Error("closed"));
      });
      const listener = vi.fn();
      const onError = vi.fn();
      const stop = monitor.watch(listener, { onError });
      stop();
      settle();
      await turn();
      expect(listener).not.toHaveBeenCalled();
      expect(onError).not.toHaveBeenCalled();
    }
  });

  test("goes on after a failed sample, a listener that throws, and one that rejects", async () => {
    const { clock, source, monitor } = createMonitor({ "a-0": { offset: 0, end: 1 } });
    const errors: unknown[] = [];
    const outcomes: (() => void | Promise<void>)[] = [
      () => {
        throw new Error("listener threw");
      },
      () => Promise.reject(new Error("listener rejected")),
      () => {},
    ];
    const seen: GroupLag[] = [];
    source.gate = Promise.reject(new Error("no broker"));
    const warned = once(process, "warning");
    const stop = monitor.watch(
      (lag) => {
        seen.push(lag);
        return outcomes.shift()?.();
      },
      {
        intervalMs: 1_000,
        onError: (error) => {
          errors.push((error as Error).message);
          throw new Error("onError is broken too");
        },
      },
    );
    await turn();
    source.gate = Promise.resolve();
    for (let i = 0; i < 3; i++) await clock.advance(1_000);
    stop();
    expect(errors).toEqual(["no broker", "listener threw", "listener rejected"]);
    expect(seen).toHaveLength(3);
    expect(await warned).toMatchObject([{ name: "EosLagWarning" }]);
  });

  test("waits for a listener that is asynchronous", async () => {
    const { clock, monitor } = createMonitor({});
    let finish = (): void => {};
    const listener = vi.fn(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    const stop = monitor.watch(listener, { intervalMs: 1_000 });
    await turn();
    await clock.advance(10_000);
    expect(listener).toHaveBeenCalledTimes(1);
    finish();
    await turn();
    await clock.advance(1_000);
    expect(listener).toHaveBeenCalledTimes(2);
    stop();
  });

  test("warns once of what nobody listens for", async () => {
    const { clock, source, monitor } = createMonitor({});
    source.committed = () => Promise.reject(new Error("no broker"));
    const warnings: Error[] = [];
    const collect = (warning: Error): void => void warnings.push(warning);
    process.on("warning", collect);
    const stop = monitor.watch(() => {}, { intervalMs: 1_000 });
    for (let i = 0; i < 5; i++) await clock.advance(1_000);
    stop();
    process.off("warning", collect);
    expect(warnings).toMatchObject([{ name: "EosLagWarning", detail: expect.stringContaining("no broker") }]);
  });

  test("lets each watcher have its own interval", async () => {
    const { clock, monitor } = createMonitor({});
    const [slow, fast] = [vi.fn(), vi.fn()];
    const stops = [monitor.watch(slow, { intervalMs: 4_000 }), monitor.watch(fast, { intervalMs: 1_000 })];
    await turn();
    for (let i = 0; i < 8; i++) await clock.advance(1_000);
    expect([slow.mock.calls.length, fast.mock.calls.length]).toEqual([3, 9]);
    for (const stop of stops) stop();
  });

  test("refuses a wrong option", () => {
    const { monitor } = createMonitor({});
    expect(() => monitor.watch(() => {}, { intervalMs: 0 })).toThrow(TypeError);
    expect(() => monitor.watch(() => {}, { interval: 5 } as object)).toThrow('did you mean "intervalMs"?');
  });
});

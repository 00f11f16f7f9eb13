import { type ParticipantHost, silentLogger, systemClock } from "@eos/core";
import type { Client } from "@eos/client";
import { describe, expect, it, vi } from "vitest";
import { openMemoryEngine } from "../engine/memory-engine.ts";
import type { StoreEngine } from "../engine/store-engine.ts";
import { CorruptStoreError, StoreIoError } from "../errors.ts";
import { keyValueKind } from "../key-value/key-value-kind.ts";
import { PlainValue } from "../key-value/value-form.ts";
import { stringSerde } from "@eos/core";
import type { ChangelogReplay } from "./changelog-replay.ts";
import { StandbyTask } from "./standby-task.ts";

/** A standby copy, and what happened to its place in which order. */
class Bench {
  readonly events: string[] = [];
  readonly openFailures: Error[] = [];
  readonly replayFailures: Error[] = [];
  readonly wipeFailures: Error[] = [];
  /** Opening waits for it. */
  opening: Promise<void> = Promise.resolve();
  readonly standby = new StandbyTask({
    name: "counts",
    kind: keyValueKind(stringSerde, new PlainValue(stringSerde)),
    topicPartition: { topic: "app-counts-changelog", partition: 0 },
    home: {
      open: () => this.#open(),
      wipe: async () => {
        this.events.push("wipe");
        const failure = this.wipeFailures.shift();
        if (failure !== undefined) throw failure;
      },
      markCurrent: async () => undefined,
      markBehind: () => undefined,
      release: async () => void this.events.push("release"),
    },
    replay: {
      rollForward: async () => {
        const failure = this.replayFailures.shift();
        if (failure !== undefined) throw failure;
      },
      follow: (_engine: StoreEngine, signal: AbortSignal) => {
        this.events.push("follow");
        return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      },
    } as unknown as ChangelogReplay,
    host: {
      clock: {
        ...systemClock,
        // Retries come at once; the mark of every minute does not.
        sleep: (ms: number, signal?: AbortSignal) => (ms < 60_000 ? Promise.resolve() : systemClock.sleep(ms, signal)),
      },
      logger: silentLogger,
    } as unknown as ParticipantHost<Client>,
    onEnded: () => void this.events.push("ended"),
  });

  async until(event: string): Promise<void> {
    await vi.waitFor(() => expect(this.events).toContain(event), { interval: 1 });
  }

  async #open(): Promise<StoreEngine> {
    await this.opening;
    const failure = this.openFailures.shift();
    if (failure !== undefined) throw failure;
    this.events.push("open");
    const engine = await openMemoryEngine({ name: "counts", logger: silentLogger, clock: systemClock });
    const close = async (): Promise<void> => {
      this.events.push("close");
      await engine.close();
    };
    return Object.create(engine, {
      position: { get: () => engine.position },
      close: { value: close },
    }) as StoreEngine;
  }
}

describe("a standby copy", () => {
  it("is handed over with the engine that was still opening when its task came", async () => {
    const bench = new Bench();
    let opened = (): void => {};
    bench.opening = new Promise((resolve) => (opened = resolve));
    const started = bench.standby.start();
    const promoted = bench.standby.promote();
    opened();
    await started;
    const home = await promoted;
    await home.open();
    expect(bench.events).toEqual(["open", "ended"]);
  });

  it("leaves the place to a task that came while the engine failed to open", async () => {
    const bench = new Bench();
    let opened = (): void => {};
    bench.opening = new Promise((resolve) => (opened = resolve));
    bench.openFailures.push(new StoreIoError("/state", "opening", new Error("EIO")));
    const started = bench.standby.start();
    const promoted = bench.standby.promote();
    opened();
    await expect(started).rejects.toThrow(StoreIoError);
    await (await promoted).open();
    expect(bench.events).not.toContain("release");
  });

  it("is a task's that came while it was being closed", async () => {
    const bench = new Bench();
    await bench.standby.start();
    await bench.until("follow");
    const closed = bench.standby.close();
    const home = await bench.standby.promote();
    await closed;
    await home.open();
    expect(bench.events).toEqual(["open", "follow", "ended", "ended"]);
  });

  it("closes its engine and lets go of the place when it is closed", async () => {
    const bench = new Bench();
    await bench.standby.start();
    await bench.until("follow");
    await bench.standby.close();
    expect(bench.events).toEqual(["open", "follow", "ended", "close", "release"]);
  });

  it("begins anew when it is too old, or damaged, at the start", async () => {
    const bench = new Bench();
    bench.openFailures.push(
      new CorruptStoreError("/state", "it was last used long ago"),
      new CorruptStoreError("/state", "it was last used long ago"),
    );
    await bench.standby.start();
    await bench.until("follow");
    expect(bench.events).toEqual(["wipe", "open", "follow"]);
    await bench.standby.close();
  });

  it("tries again to wipe what is damaged", async () => {
    const bench = new Bench();
    const damage = new CorruptStoreError("/state", "a value is wrong");
    bench.replayFailures.push(damage, damage);
    bench.wipeFailures.push(new StoreIoError("/state", "wiping", new Error("EIO")));
    await bench.standby.start();
    await bench.until("follow");
    expect(bench.events).toEqual(["open", "close", "wipe", "open", "close", "wipe", "open", "follow"]);
    await bench.standby.close();
  });
});

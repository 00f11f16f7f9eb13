import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@eos/client";
import { int64Serde, type ParticipantHost, silentLogger, stringSerde, systemClock } from "@eos/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UnrecoverableStoreError } from "../errors.ts";
import { installSnapshot } from "../install-snapshot.ts";
import { keyValueStore } from "../key-value/key-value-store.ts";
import { sessionStore } from "../session/session-store.ts";
import type { StoreBuilder } from "../store-builder.ts";
import { SimulatedTask } from "../testing/simulated-task.ts";
import { versionedKeyValueStore } from "../versioned/versioned-key-value-store.ts";
import { type WindowStore, windowStore, type WindowStoreOptions } from "../window/window-store.ts";
import { StoreHomes, type StoreHomesOptions } from "./store-homes.ts";

const DAY_MS = 86_400_000;
const START = 20_000 * DAY_MS;
const STRINGS = { key: stringSerde, value: stringSerde } as const;

let stateDir: string;
const disposables: AsyncDisposable[] = [];

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "eos-homes-"));
});

afterEach(async () => {
  for (const each of disposables.splice(0)) await each[Symbol.asyncDispose]();
  await rm(stateDir, { recursive: true, force: true });
});

async function start<S>(create: () => StoreBuilder<S, unknown>): Promise<SimulatedTask<S>> {
  const task = await SimulatedTask.start(create);
  disposables.push(task);
  task.at(START);
  return task;
}

function corrupted(task: SimulatedTask<unknown>): number {
  return (task.builder as StoreBuilder<unknown, unknown>).metrics(0)!.corruptionTotal;
}

function homesOf(options: Omit<StoreHomesOptions, "storage" | "deleteRetentionMs">): StoreHomes {
  const host = {
    applicationId: "app",
    client: {},
    stateDir,
    stateCleanupDelayMs: DAY_MS,
    clock: systemClock,
    logger: silentLogger,
  } as unknown as ParticipantHost<Client>;
  return new StoreHomes(host, { ...options, storage: "persistent", deleteRetentionMs: null });
}

/** The process finds another store's snapshot in its store's place. */
function installing(
  builder: StoreBuilder<unknown, unknown>,
  snapshot: string,
  place: { readonly stateDir: string },
): void {
  const prepare = builder.prepare.bind(builder);
  builder.prepare = async (host) => {
    await installSnapshot({
      snapshot,
      stateDir: place.stateDir,
      applicationId: "simulated",
      taskId: "0_0",
      store: "counts",
    });
    await prepare(host);
  };
}

describe("a store's place", () => {
  const ofChangelog = { name: "counts", origin: "app-counts-changelog", layout: "key-value" };

  /** Opens a store in one and the same folder, and closes it. */
  async function visit(options: typeof ofChangelog, partition = 0): Promise<number> {
    const home = await homesOf(options).acquire({ taskId: "0_0", partition }, { timeoutMs: 0 });
    try {
      const engine = await home.open();
      await engine.batch().write({ changelogOffset: 1, streamTime: 1 });
      await engine.close();
      return engine.commitNumber;
    } finally {
      await home.release();
    }
  }

  it("holds one partition of one changelog in one layout, and no other", async () => {
    expect(await visit(ofChangelog)).toBe(1);
    const is = 'it is of "app-counts-changelog-0 key-value"';
    await expect(visit(ofChangelog, 1)).rejects.toMatchObject({
      code: "EOS_STORE_CORRUPT",
      reason: `${is}, not of "app-counts-changelog-1 key-value"`,
    });
    await expect(visit({ ...ofChangelog, origin: "other-counts-changelog" })).rejects.toMatchObject({
      reason: `${is}, not of "other-counts-changelog-0 key-value"`,
    });
    await expect(visit({ ...ofChangelog, layout: "versioned" })).rejects.toMatchObject({
      reason: `${is}, not of "app-counts-changelog-0 versioned"`,
    });
    expect(await visit(ofChangelog)).toBe(2);
  });
});

describe("a window store whose options have changed", () => {
  type Changed = Partial<WindowStoreOptions<string, string>>;
  // The topic of the first opening stays as it is, and is to be long enough for the second.
  const changelog = { "retention.ms": "-1" };
  const windows = (changed: Changed): StoreBuilder<WindowStore<string, string>, unknown> =>
    windowStore({ name: "windows", ...STRINGS, windowSizeMs: 60_000, retentionMs: 7 * DAY_MS, changelog, ...changed });

  it.each<[string, Changed, number]>([
    ["retentionMs was raised", { retentionMs: 14 * DAY_MS }, 1],
    ["retentionMs was lowered", { retentionMs: 4 * DAY_MS }, 1],
    ["segmentIntervalMs was changed", { segmentIntervalMs: DAY_MS }, 1],
    ["retentionMs was raised, with the same segments", { retentionMs: 14 * DAY_MS, segmentIntervalMs: 302_400_000 }, 0],
    ["the size was changed", { windowSizeMs: 30_000 }, 0],
  ])("finds its windows after %s, wiped and restored where their keys have changed", async (_, changed, wipes) => {
    let options: Changed = {};
    const task = await start(() => windows(options));
    task.state.put("a", "1", START);
    task.state.put("b", "2", START - DAY_MS);
    await task.commit();
    options = changed;
    await task.restart();
    expect(corrupted(task)).toBe(wipes);
    expect(task.state.fetch("a", START)).toBe("1");
    expect(task.state.fetch("b", START - DAY_MS)).toBe("2");
    await task.restart();
    expect(corrupted(task)).toBe(0);
  });
});

describe("the layouts of the kinds", () => {
  const retentionMs = 2 * DAY_MS;
  const layouts = [
    ["key-value", () => keyValueStore({ name: "s", ...STRINGS })],
    ["versioned", () => versionedKeyValueStore({ name: "s", ...STRINGS, historyRetentionMs: DAY_MS })],
    ["window segment=86400000 ms", () => windowStore({ name: "s", ...STRINGS, windowSizeMs: 1, retentionMs })],
    ["session segment=86400000 ms", () => sessionStore({ name: "s", ...STRINGS, retentionMs })],
  ] as const;

  it.each(layouts)("are told by what is on disk: %s", async (layout, create) => {
    const task = await start<unknown>(create);
    const snapshot = join(stateDir, "snapshot");
    await (task.builder as StoreBuilder<unknown, unknown>).snapshot(0, snapshot);
    await installSnapshot({ snapshot, stateDir, applicationId: "app", taskId: "0_0", store: "s" });
    const homes = homesOf({ name: "s", origin: "other", layout: "another" });
    const home = await homes.acquire({ taskId: "0_0", partition: 0 }, { timeoutMs: 0 });
    await expect(home.open()).rejects.toThrow(`it is of "simulated-s-changelog-0 ${layout}", not of "other-0 another"`);
    await home.release();
  });
});

describe("a snapshot of another store", () => {
  const SOURCE = { ...STRINGS, value: int64Serde } as const;

  async function snapshotOfAnother(storage: "persistent" | "inMemory"): Promise<string> {
    const source = await start(() => keyValueStore({ name: "other", ...SOURCE, storage }));
    // As many records as the other has: its offset is one that this changelog knows.
    source.state.put("theirs", 1);
    await source.commit();
    const snapshot = join(stateDir, "snapshot");
    await (source.builder as StoreBuilder<unknown, unknown>).snapshot(0, snapshot);
    return snapshot;
  }

  it.each(["persistent", "inMemory"] as const)("is found out at the opening, and restored (%s)", async (storage) => {
    const snapshot = await snapshotOfAnother(storage);
    let isInstalled = false;
    const task = await start(() => {
      const builder = keyValueStore({ name: "counts", ...SOURCE });
      if (isInstalled) installing(builder, snapshot, task);
      return builder;
    });
    task.state.put("ours", 2);
    await task.commit();
    isInstalled = true;
    await task.restart();
    expect(corrupted(task)).toBe(1);
    expect([task.state.get("ours"), task.state.get("theirs")]).toEqual([2, null]);
  });

  it("leaves a store without a changelog closed", async () => {
    const snapshot = await snapshotOfAnother("persistent");
    let isInstalled = false;
    const task = await start(() => {
      const builder = keyValueStore({ name: "counts", ...SOURCE, changelog: "none" });
      if (isInstalled) installing(builder, snapshot, task);
      return builder;
    });
    isInstalled = true;
    const failure = await task.restart().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnrecoverableStoreError);
    expect((failure as Error).message).toContain(
      'it is of "simulated-other-changelog-0 key-value", not of "counts-0 key-value"',
    );
  });
});

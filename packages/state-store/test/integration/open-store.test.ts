import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectionError } from "@eos/client";
import { int64Serde, type ParticipantTask, silentLogger, stringSerde } from "@eos/core";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { afterEach, describe, expect, it } from "vitest";
import {
  CorruptStoreError,
  createStoreHost,
  installSnapshot,
  keyValueStore,
  openStore,
  type StateRestoreListener,
  StoreClosedError,
  type StoreChange,
  type StoreHost,
} from "../../src/index.ts";

const counts = (restoreListener: StateRestoreListener = {}) =>
  keyValueStore({ name: "counts", key: stringSerde, value: int64Serde, restoreListener });

/** Counts what restores bring. */
function counter(): StateRestoreListener & { restored: number } {
  return {
    restored: 0,
    onBatchRestored({ numRestored }) {
      this.restored += numRestored;
    },
  };
}

async function entries(store: { all(): AsyncIterable<{ key: string; value: number }> }): Promise<[string, number][]> {
  const all: [string, number][] = [];
  for await (const { key, value } of store.all()) all.push([key, value]);
  return all;
}

describe("a store without a processor", () => {
  const applicationId = uniqueName("app");
  const folders: string[] = [];
  const hosts: StoreHost[] = [];

  async function host(stateDir?: string): Promise<StoreHost> {
    const { brokers } = testBroker();
    const given = { brokers, applicationId, taskCount: 2, replicationFactor: 1, logger: silentLogger };
    const created = await createStoreHost({ ...given, stateDir: stateDir ?? (await folder()) });
    hosts.push(created);
    return created;
  }

  async function folder(): Promise<string> {
    const created = await mkdtemp(join(tmpdir(), "eos-open-store-"));
    folders.push(created);
    return created;
  }

  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((each) => each.close()));
    await Promise.all(folders.splice(0).map((each) => rm(each, { recursive: true, force: true })));
  });

  // The tests follow one another: each finds what the one before has committed.
  const partition = 1;

  it("keeps what was committed over a restart, and replays nothing", async () => {
    const stateDir = await folder();
    const first = await openStore(counts(), await host(stateDir), { partition });
    first.store.put("JFK-LAX", 3);
    first.store.put("ATL-ORD", 5);
    await first.commit();
    first.store.put("ATL-ORD", 6);
    await first.close();
    const listener = counter();
    const second = await openStore(counts(listener), await host(stateDir), { partition });
    expect(await entries(second.store)).toEqual([
      ["ATL-ORD", 5],
      ["JFK-LAX", 3],
    ]);
    expect(listener.restored).toBe(0);
    await second.close();
  });

  it("comes back from its changelog alone", async () => {
    const listener = counter();
    const opened = await openStore(counts(listener), await host(), { partition });
    expect(await entries(opened.store)).toEqual([
      ["ATL-ORD", 5],
      ["JFK-LAX", 3],
    ]);
    expect(listener.restored).toBe(2);
    await opened.close();
  });

  it("shows its committed state to others, with the changes as they are committed", async () => {
    const builder = counts();
    const opened = await openStore(builder, await host(), { partition });
    const changes: StoreChange<string, number>[] = [];
    const end = builder.onChange((change) => changes.push(change));
    opened.store.put("JFK-LAX", 4);
    opened.store.put("JFK-LAX", 5);
    opened.store.delete("ATL-ORD");
    expect(builder.partitions).toEqual([partition]);
    expect(builder.readOnly(partition)?.store.get("JFK-LAX")).toBe(3);
    expect(changes).toEqual([]);
    await opened.commit();
    end();
    expect(builder.readOnly(partition)?.store.get("JFK-LAX")).toBe(5);
    expect(changes.map(({ key, value }) => [key, value])).toEqual([
      ["JFK-LAX", 5],
      ["ATL-ORD", null],
    ]);
    expect(builder.readOnly(0)).toBeUndefined();
    await opened.close();
    expect(builder.readOnly(partition)).toBeUndefined();
    expect(() => opened.store.get("JFK-LAX")).toThrow(/is closed/);
  });

  it("begins with a snapshot, and reads what came after it from the changelog", async () => {
    const stateDir = await folder();
    const snapshot = join(await folder(), "counts");
    const builder = counts();
    const opened = await openStore(builder, await host(), { partition });
    await builder.snapshot(partition, snapshot);
    opened.store.put("SFO-SEA", 1);
    await opened.commit();
    await opened.close();
    await installSnapshot({ snapshot, stateDir, applicationId, taskId: `0_${partition}`, store: "counts" });
    const listener = counter();
    const next = await openStore(counts(listener), await host(stateDir), { partition });
    expect(await entries(next.store)).toEqual([
      ["JFK-LAX", 5],
      ["SFO-SEA", 1],
    ]);
    expect(listener.restored).toBe(1);
    await next.close();
    expect(await readdir(join(stateDir, applicationId, `0_${partition}`))).toEqual(["counts"]);
  });

  it("stays as it is when the snapshot is damaged", async () => {
    const stateDir = await folder();
    const snapshot = join(await folder(), "counts");
    const builder = counts();
    const opened = await openStore(builder, await host(stateDir), { partition });
    await builder.snapshot(partition, snapshot);
    await opened.close();
    await writeFile(join(snapshot, "CURRENT"), "MANIFEST-999999\n");
    const place = { snapshot, stateDir, applicationId, taskId: `0_${partition}`, store: "counts" };
    await expect(installSnapshot(place)).rejects.toBeInstanceOf(CorruptStoreError);
    const listener = counter();
    const next = await openStore(counts(listener), await host(stateDir), { partition });
    expect(listener.restored).toBe(0);
    expect(next.store.get("JFK-LAX")).toBe(5);
    await next.close();
  });

  it("comes back whole from its changelog when its files were damaged, and says why", async () => {
    const stateDir = await folder();
    const first = await openStore(counts(), await host(stateDir), { partition });
    const expected = await entries(first.store);
    await first.close();
    const files = join(stateDir, applicationId, `0_${partition}`, "counts");
    const tables = (await readdir(files)).filter((name) => name.endsWith(".ldb"));
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) {
      const bytes = await readFile(join(files, table));
      bytes[bytes.length >>> 2]! ^= 1;
      await writeFile(join(files, table), bytes);
    }
    const warnings: unknown[] = [];
    const logger = {
      ...silentLogger,
      warn: (fields: { readonly reason?: unknown }) => void warnings.push(fields.reason),
    };
    const listener = counter();
    const builder = counts(listener);
    const next = await openStore(builder, { ...(await host(stateDir)), logger }, { partition });
    expect(await entries(next.store)).toEqual(expected);
    expect(listener.restored).toBeGreaterThan(expected.length);
    expect(builder.metrics(partition)?.corruptionTotal).toBe(1);
    expect(warnings.map(String)).toEqual([expect.stringMatching(/\.ldb/)]);
    await next.close();
  });

  it("has a warm copy elsewhere, which becomes the store without being read again", async () => {
    const owner = await openStore(counts(), await host(), { partition });
    const listener = counter();
    const builder = counts(listener);
    const elsewhere = await host();
    await builder.prepare(elsewhere);
    const standby = await builder.standby(partition);
    await expect(builder.standby(partition)).rejects.toThrow(TypeError);
    const deadline = Date.now() + 20_000;
    async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
      while (!(await condition())) {
        if (Date.now() > deadline) throw new Error("the standby copy does not follow");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    await until(async () => (await standby.lag()) === 0);
    expect(await entries(standby.store)).toEqual([
      ["JFK-LAX", 5],
      ["SFO-SEA", 1],
    ]);
    owner.store.put("SFO-SEA", 2);
    await owner.commit();
    await until(() => standby.store.get("SFO-SEA") === 2);
    await owner.close();
    const restoredBefore = listener.restored;
    const promoted = await openStore(builder, elsewhere, { partition });
    expect(promoted.store.get("SFO-SEA")).toBe(2);
    expect(listener.restored).toBe(restoredBefore);
    promoted.store.put("SFO-SEA", 3);
    await promoted.commit();
    await promoted.close();
  });

  it("takes nothing while it cannot go back to what its changelog says, and never leaves a gap", async () => {
    const stateDir = await folder();
    const builder = counts();
    const failures: { engine: boolean; brokers: boolean } = { engine: false, brokers: false };
    const real = await host(stateDir);
    const failing: StoreHost = {
      ...real,
      client: {
        ...real.client,
        admin: {
          ...real.client.admin,
          listOffsets: (...args) =>
            failures.brokers
              ? Promise.reject(new ConnectionError("out of reach"))
              : real.client.admin.listOffsets(...args),
        },
      },
    };
    const failingBuilder = {
      name: builder.name,
      prepare: (given: StoreHost) => builder.prepare(given),
      open: async (task: ParticipantTask) => {
        const participant = await builder.open(task);
        const committed = participant.committed.bind(participant);
        participant.committed = (positions) =>
          failures.engine ? Promise.reject(new Error("the disk is full")) : committed(positions);
        return participant;
      },
    } as unknown as typeof builder;
    const opened = await openStore(failingBuilder, failing, { partition });
    opened.store.put("A", 1);
    await opened.commit();
    opened.store.put("B", 1);
    failures.engine = failures.brokers = true;
    await expect(opened.commit()).rejects.toThrow("out of reach");
    expect(() => opened.store.put("C", 1)).toThrow(StoreClosedError);
    failures.engine = false;
    await expect(opened.commit()).rejects.toThrow("out of reach");
    failures.brokers = false;
    await opened.commit();
    opened.store.put("C", 1);
    await opened.commit();
    const expected = await entries(opened.store);
    expect(expected.map(([key]) => key)).toEqual(expect.arrayContaining(["A", "B", "C"]));
    await opened.close();
    const fresh = await openStore(counts(), await host(), { partition });
    expect(await entries(fresh.store)).toEqual(expected);
    for (const key of ["A", "B", "C"]) fresh.store.delete(key);
    await fresh.commit();
    await fresh.close();
  });

  it("loses nothing of two commits at a time", async () => {
    const opened = await openStore(counts(), await host(), { partition });
    opened.store.put("A", 1);
    const first = opened.commit();
    opened.store.put("B", 1);
    await Promise.all([first, opened.commit()]);
    expect([opened.store.get("A"), opened.store.get("B")]).toEqual([1, 1]);
    opened.store.delete("A");
    opened.store.delete("B");
    await opened.commit();
    await opened.close();
  });

  it("is refused while another has its place, and opened when that lets go", async () => {
    const stateDir = await folder();
    const first = await openStore(counts(), await host(stateDir), { partition });
    const signal = AbortSignal.timeout(300);
    await expect(openStore(counts(), await host(stateDir), { partition, signal })).rejects.toThrow("timeout");
    const waiting = openStore(counts(), await host(stateDir), { partition });
    await first.close();
    const second = await waiting;
    expect(second.store.get("SFO-SEA")).toBe(3);
    await second.close();
  });
});

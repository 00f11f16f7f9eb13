import { silentLogger, systemClock } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openMemoryEngine } from "../engine/memory-engine.ts";
import type { Direction, KeyRange, StoreEngine } from "../engine/store-engine.ts";
import type { EntryCursor } from "../iterators/entry-source.ts";
import { writeLayer } from "../task/changelog-applier.ts";
import type { ByteReader } from "./byte-store.ts";
import { OverlayStore } from "./overlay-store.ts";
import { DATA, PhysicalKey, PLAIN_PREFIX_BYTES } from "./physical-key.ts";
import { NEVER } from "./stored-value.ts";

interface Logged {
  readonly key: string;
  readonly value: string | null;
}

const MAX_RECORD_BYTES = 100;

async function openStore(
  caching = false,
): Promise<{ store: OverlayStore; engine: StoreEngine; log: Logged[]; hits: () => number }> {
  const engine = await openMemoryEngine({ name: "test", logger: silentLogger, clock: systemClock });
  const log: Logged[] = [];
  let hits = 0;
  const store = new OverlayStore({
    name: "test",
    caching,
    prefixBytes: PLAIN_PREFIX_BYTES,
    sink: {
      endOffset: -1,
      checkRecordSize: (bytes) => {
        if (bytes > MAX_RECORD_BYTES) throw new RangeError(`a record of ${bytes} bytes`);
      },
      append: (key, start, end, value) =>
        void log.push({
          key: key.toString("latin1", start, end),
          value: value === null ? null : typeof value === "string" ? value : Buffer.from(value).toString(),
        }),
    },
    onHit: () => void hits++,
    onFailure: (error) => {
      throw error;
    },
  });
  store.attach(engine);
  return { store, engine, log, hits: () => hits };
}

const scratch = new PhysicalKey(PLAIN_PREFIX_BYTES);

function keyOf(key: string): PhysicalKey {
  scratch.set(Buffer.from(key, "latin1"));
  return scratch;
}

function get(reader: ByteReader, key: string): string | undefined {
  return reader.get(keyOf(key))?.bytes().toString();
}

async function drain(cursor: EntryCursor): Promise<[string, string][]> {
  const all: [string, string][] = [];
  for (let next = await cursor.next(); next !== undefined; next = await cursor.next()) {
    all.push([next.key.toString("latin1", 1), next.value.bytes().toString()]);
  }
  return all;
}

async function commit(store: OverlayStore, engine: StoreEngine): Promise<void> {
  const layer = store.committing;
  if (layer === null) return;
  const batch = engine.batch();
  await writeLayer(layer, batch);
  await batch.write({ changelogOffset: 1, streamTime: layer.streamTime });
  store.endCommit();
}

/** The same with plain maps: what is committed, and what two transactions wrote above. */
class Reference {
  committed = new Map<string, string>();
  committing: Map<string, string | null> | null = null;
  filling = new Map<string, string | null>();

  visible(): Map<string, string> {
    const all = new Map<string, string | null>([
      ...this.committed,
      ...(this.committing ?? new Map<string, string | null>()),
      ...this.filling,
    ]);
    return new Map([...all].filter((entry): entry is [string, string] => entry[1] !== null));
  }

  begin(): void {
    this.committing = this.filling;
    this.filling = new Map();
  }

  commit(): void {
    for (const [key, value] of this.committing ?? []) {
      if (value === null) this.committed.delete(key);
      else this.committed.set(key, value);
    }
    this.committing = null;
  }

  abort(): void {
    this.committing = null;
    this.filling = new Map();
  }
}

const keys = fc.constantFrom("", "a", "ab", "b", "b\0", "c\x80", "\xff", "\xff\xff");
const bounds = fc.option(keys, { nil: undefined });
const steps = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("put" as const), key: keys, value: fc.option(fc.string({ maxLength: 4 })) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("get" as const), key: keys }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("range" as const),
      from: bounds,
      to: bounds,
      open: fc.boolean(),
      direction: fc.constantFrom<Direction>("forward", "reverse"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("begin" as const, "commit" as const, "abort" as const) }) },
);

function rangeOf(from: string | undefined, to: string | undefined, open: boolean): KeyRange {
  const bound = (key: string): Buffer => Buffer.concat([Buffer.of(DATA), Buffer.from(key, "latin1")]);
  return {
    ...(from === undefined ? {} : { [open ? "gt" : "gte"]: bound(from) }),
    ...(to === undefined ? {} : { [open ? "lt" : "lte"]: bound(to) }),
  };
}

function inRange(key: string, from: string | undefined, to: string | undefined, open: boolean): boolean {
  if (from !== undefined && (open ? key <= from : key < from)) return false;
  return to === undefined || (open ? key < to : key <= to);
}

describe("OverlayStore", () => {
  it("shows what maps would show, through puts, commits and aborts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 60 }), fc.boolean(), async (program, caching) => {
        const { store, engine } = await openStore(caching);
        const reference = new Reference();
        for (const step of program) {
          if (step.do === "put") {
            store.put(keyOf(step.key), step.value, 0, NEVER);
            reference.filling.set(step.key, step.value);
          } else if (step.do === "get") {
            expect(get(store, step.key)).toBe(reference.visible().get(step.key));
            expect(get(store.committed, step.key)).toBe(reference.committed.get(step.key));
          } else if (step.do === "range") {
            const { from, to, open, direction } = step;
            const expected = [...reference.visible()].filter(([key]) => inRange(key, from, to, open));
            expected.sort(([a], [b]) => (a < b ? -1 : 1));
            if (direction === "reverse") expected.reverse();
            expect(await drain(store.iterate(rangeOf(from, to, open), direction))).toEqual(expected);
          } else if (step.do === "begin" && store.committing === null) {
            store.beginCommit();
            reference.begin();
          } else if (step.do === "commit") {
            await commit(store, engine);
            reference.commit();
          } else if (step.do === "abort") {
            store.abort();
            reference.abort();
          }
        }
        expect(await drain(store.iterate({}, "forward"))).toEqual(
          [...reference.visible()].sort(([a], [b]) => (a < b ? -1 : 1)),
        );
        await engine.close();
      }),
      { numRuns: 300 },
    );
  });

  it("keeps an iterator on what it saw when it was opened, whatever is written and committed meanwhile", async () => {
    const { store, engine } = await openStore();
    for (const key of ["a", "b", "c"]) store.put(keyOf(key), "old", 0, NEVER);
    store.beginCommit();
    store.put(keyOf("d"), "old", 0, NEVER);
    const cursor = store.iterate({}, "forward");
    for (const key of ["a", "b", "c", "d", "e"]) store.put(keyOf(key), "new", 0, NEVER);
    await commit(store, engine);
    store.beginCommit();
    await commit(store, engine);
    expect(await drain(cursor)).toEqual(["a", "b", "c", "d"].map((key) => [key, "old"]));
  });

  it("logs every write at once, or with the cache the last of each key when the commit begins", async () => {
    const plain = await openStore(false);
    const cached = await openStore(true);
    for (const { store } of [plain, cached]) {
      store.put(keyOf("a"), "1", 0, NEVER);
      store.put(keyOf("b"), "1", 0, NEVER);
      store.put(keyOf("a"), "2", 0, NEVER);
      store.put(keyOf("b"), null, 0, NEVER);
    }
    expect(plain.log).toHaveLength(4);
    expect(cached.log).toEqual([]);
    plain.store.beginCommit();
    cached.store.beginCommit();
    expect(plain.log).toHaveLength(4);
    expect(cached.log).toEqual([
      { key: "a", value: "2" },
      { key: "b", value: null },
    ]);
  });

  it("refuses with the cache what the changelog could not take, and keeps what was there", async () => {
    const { store, log } = await openStore(true);
    store.put(keyOf("a"), "1", 0, NEVER);
    const tooLarge = ["é".repeat(50), Buffer.alloc(100)];
    for (const value of tooLarge) expect(() => store.put(keyOf("a"), value, 0, NEVER)).toThrow("of 101 bytes");
    expect(() => store.put(keyOf("a"), "é".repeat(49), 0, 5)).toThrow(RangeError);
    expect(get(store, "a")).toBe("1");
    store.put(keyOf("b"), "é".repeat(49), 0, NEVER);
    store.put(keyOf("c"), "x".repeat(60), 0, 5);
    store.put(keyOf("b"), null, 0, NEVER);
    store.beginCommit();
    expect(log.map(({ key }) => key)).toEqual(["a", "b", "c"]);
  });

  it("hides a value from the stream time it expires at, wherever it lies", async () => {
    const { store, engine } = await openStore();
    store.put(keyOf("a"), "1", 100, 150);
    store.observe(149);
    expect(get(store, "a")).toBe("1");
    store.beginCommit();
    store.observe(150);
    expect(get(store, "a")).toBeUndefined();
    await commit(store, engine);
    expect(get(store, "a")).toBeUndefined();
    expect(await drain(store.iterate({}, "forward"))).toEqual([]);
    // The committed view's stream time is that of the commit.
    expect(get(store.committed, "a")).toBe("1");
    store.abort();
    expect(store.streamTime).toBe(149);
    expect(get(store, "a")).toBe("1");
  });

  it("counts what the overlay answers", async () => {
    const { store, hits } = await openStore();
    store.put(keyOf("a"), "1", 0, NEVER);
    get(store, "a");
    get(store, "b");
    store.put(keyOf("b"), null, 0, NEVER);
    get(store, "b");
    expect(hits()).toBe(2);
  });

  it("tells of a value that is not what was written, and throws", async () => {
    const { engine } = await openStore();
    const failures: unknown[] = [];
    const bad = new Error("bad value");
    const store = new OverlayStore({
      name: "test",
      caching: false,
      prefixBytes: PLAIN_PREFIX_BYTES,
      sink: null,
      onHit: () => undefined,
      onFailure: (error) => void failures.push(error),
    });
    const broken = Object.create(engine, {
      get: {
        value: () => {
          throw bad;
        },
      },
      iterate: { value: () => ({ next: () => Promise.reject(bad) }) },
      position: { value: engine.position },
    }) as StoreEngine;
    store.attach(broken);
    expect(() => get(store, "a")).toThrow(bad);
    await expect(drain(store.iterate({}, "forward"))).rejects.toBe(bad);
    expect(failures).toEqual([bad, bad]);
  });
});

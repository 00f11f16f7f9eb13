import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Arena } from "../src/bytes/arena.ts";
import { NEVER } from "../src/bytes/stored-value.ts";
import type { Direction, EngineEntry, KeyRange, StoreEngine } from "../src/engine/store-engine.ts";

/** One engine and what surrounds it. */
export interface EngineUnderTest {
  readonly engine: StoreEngine;
  /** Stops cleanly and opens again; absent for an engine that nothing of survives. */
  reopen?(): Promise<void>;
  /** Opens what the files hold at this moment, without a stop. */
  kill?(): Promise<void>;
  /** Goes on with a snapshot as the store. */
  restoreSnapshot?(): Promise<void>;
  /** Closes it and removes what it left. */
  dispose(): Promise<void>;
}

interface ModelValue {
  readonly text: string;
  readonly timestamp: number;
  readonly expiresAt: number;
}

/** By physical key in latin1, which sorts as the bytes do. */
type Model = Map<string, ModelValue>;

type Write = { readonly key: string; readonly value: ModelValue | null };
type Operation =
  | { readonly type: "commit"; readonly writes: readonly Write[]; readonly offset: number; readonly streamTime: number }
  | { readonly type: "discard"; readonly writes: readonly Write[] }
  | { readonly type: "iterate"; readonly range: KeyRange; readonly direction: Direction }
  | { readonly type: "clear"; readonly range: KeyRange }
  | { readonly type: "reopen" | "kill" | "restoreSnapshot" };

const keyArbitrary = fc
  .array(fc.constantFrom(0x00, 0x01, 0x61, 0xff), { maxLength: 3 })
  .map((bytes) => Buffer.of(1, ...bytes).toString("latin1"));
const writeArbitrary = fc.record({
  key: keyArbitrary,
  value: fc.option(
    fc.record({
      text: fc.string({ maxLength: 12, unit: "grapheme" }),
      timestamp: fc.integer({ min: -1, max: 2 ** 45 }),
      expiresAt: fc.constantFrom(NEVER, 17, 2 ** 45),
    }),
  ),
});
const writesArbitrary = fc.array(writeArbitrary, { maxLength: 8 });
const boundArbitrary = fc.option(keyArbitrary, { nil: undefined, freq: 2 });
const rangeArbitrary = fc
  .record({
    lower: boundArbitrary,
    upper: boundArbitrary,
    lowerBound: fc.constantFrom("gte" as const, "gt" as const),
    upperBound: fc.constantFrom("lt" as const, "lte" as const),
  })
  .map(({ lower, upper, lowerBound, upperBound }): KeyRange => ({
    ...(lower === undefined ? {} : { [lowerBound]: bytesOf(lower) }),
    ...(upper === undefined ? {} : { [upperBound]: bytesOf(upper) }),
  }));
const operationArbitrary: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("commit" as const),
      writes: writesArbitrary,
      offset: fc.nat(),
      streamTime: fc.integer({ min: -1, max: 2 ** 45 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("discard" as const), writes: writesArbitrary }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("iterate" as const),
      range: rangeArbitrary,
      direction: fc.constantFrom("forward" as const, "reverse" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("clear" as const), range: rangeArbitrary }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("reopen", "kill", "restoreSnapshot") }) },
);

/** What every engine has to do, whatever it stores in. */
export function describeEngine(name: string, create: () => Promise<EngineUnderTest>): void {
  const withEngine = async (test: (subject: EngineUnderTest) => Promise<void>): Promise<void> => {
    const subject = await create();
    try {
      await test(subject);
    } finally {
      await subject.dispose();
    }
  };

  describe(name, () => {
    it("holds what a sorted map holds, whatever is written, read, cleared, reopened and killed", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operationArbitrary, { maxLength: 25 }), async (operations) => {
          await withEngine(async (subject) => {
            await runAgainstModel(subject, operations);
          });
        }),
        { numRuns: 60 },
      );
    }, 60_000);

    it("begins without data, and knows nothing of a changelog", async () => {
      await withEngine(async ({ engine }) => {
        expect(engine.position).toMatchObject({ changelogOffset: -1, streamTime: -1 });
        expect(engine.commitNumber).toBe(0);
        expect(await entriesOf(engine, {}, "forward")).toEqual([]);
        expect(await engine.approximateNumEntries()).toBe(0);
      });
    });

    it("iterates over what was there when the iterator was made, not when it is first asked", async () => {
      await withEngine(async ({ engine }) => {
        await commit(engine, [write("\x01a", "old"), write("\x01b", "old")]);
        const before = engine.iterate({}, "forward");
        await commit(engine, [write("\x01a", "new"), { key: "\x01b", value: null }, write("\x01c", "new")]);
        expect((await drain(before)).map(textOf)).toEqual(["old", "old"]);
        expect((await drain(engine.iterate({}, "forward"))).map(textOf)).toEqual(["new", "new"]);
      });
    });

    it("gives up an iterator that its consumer leaves early", async () => {
      await withEngine(async ({ engine }) => {
        await commit(engine, [write("\x01a", "1"), write("\x01b", "2")]);
        const iterator = engine.iterate({}, "forward");
        for await (const entry of iterator) {
          expect(textOf(entry)).toBe("1");
          break;
        }
        expect(await iterator.next()).toEqual({ done: true, value: undefined });
      });
    });

    it("iterates over many chunks in both directions", async () => {
      await withEngine(async ({ engine }) => {
        const keys = Array.from({ length: 5_000 }, (_, i) => `\x01${String(i).padStart(5, "0")}`);
        await commit(
          engine,
          keys.map((key) => write(key, key.slice(1))),
        );
        const forward = (await drain(engine.iterate({}, "forward"))).map(keyOf);
        expect(forward).toEqual(keys);
        const reverse = (await drain(engine.iterate({}, "reverse"))).map(keyOf);
        expect(reverse).toEqual(keys.toReversed());
      });
    });

    it("shows nothing of a batch before it is written", async () => {
      await withEngine(async ({ engine }) => {
        const batch = engine.batch();
        fill(batch, [write("\x01a", "1")]);
        expect(engine.get(bytesOf("\x01a"))).toBeUndefined();
        await batch.write({ changelogOffset: 1, streamTime: 1 });
        expect(engine.get(bytesOf("\x01a"))?.bytes().toString()).toBe("1");
      });
    });

    it("does not keep the memory that values were written from", async () => {
      await withEngine(async ({ engine }) => {
        const key = bytesOf("\x01a");
        const batch = engine.batch();
        const value = new Arena().write(key, key.length, "written", 1, NEVER);
        batch.put(value);
        value.buffer.fill(0);
        await batch.write({ changelogOffset: 1, streamTime: 1 });
        expect(engine.get(key)?.bytes().toString()).toBe("written");
      });
    });

    it("refuses every use after it was closed", async () => {
      await withEngine(async ({ engine }) => {
        const batch = engine.batch();
        const iterator = engine.iterate({}, "forward");
        await engine.close();
        const closed = expect.objectContaining({ code: "EOS_STORE_CLOSED" });
        expect(() => engine.get(bytesOf("\x01a"))).toThrow(closed);
        expect(() => engine.iterate({}, "forward")).toThrow(closed);
        expect(() => engine.batch()).toThrow(closed);
        await expect(engine.clear({})).rejects.toEqual(closed);
        await expect(batch.write({ changelogOffset: 1, streamTime: 1 })).rejects.toEqual(closed);
        await expect(iterator.next()).rejects.toEqual(closed);
        await engine.close();
      });
    });
  });
}

async function runAgainstModel(subject: EngineUnderTest, operations: readonly Operation[]): Promise<void> {
  const model: Model = new Map();
  let position = { changelogOffset: -1, streamTime: -1 };
  let commits = 0;
  for (const operation of operations) {
    switch (operation.type) {
      case "commit":
        position = { changelogOffset: operation.offset, streamTime: operation.streamTime };
        commits++;
        await commit(subject.engine, operation.writes, position);
        for (const { key, value } of operation.writes) {
          if (value === null) model.delete(key);
          else model.set(key, value);
        }
        break;
      case "discard": {
        const batch = subject.engine.batch();
        fill(batch, operation.writes);
        await batch.discard();
        break;
      }
      case "iterate":
        expect(await entriesOf(subject.engine, operation.range, operation.direction)).toEqual(
          modelEntries(model, operation.range, operation.direction),
        );
        break;
      case "clear":
        await subject.engine.clear(operation.range);
        for (const [key] of modelEntries(model, operation.range, "forward")) model.delete(key);
        break;
      case "reopen":
      case "kill":
      case "restoreSnapshot":
        await subject[operation.type]?.();
    }
    expect(subject.engine.position).toMatchObject(position);
    expect(subject.engine.commitNumber).toBe(commits);
    expect(await subject.engine.approximateNumEntries()).toBe(model.size);
    for (const key of [...model.keys(), "\x01absent"]) expect(get(subject.engine, key)).toEqual(model.get(key));
  }
  expect(await entriesOf(subject.engine, {}, "forward")).toEqual(modelEntries(model, {}, "forward"));
}

export async function commit(
  engine: StoreEngine,
  writes: readonly Write[],
  position = { changelogOffset: engine.position.changelogOffset + 1, streamTime: engine.position.streamTime + 1 },
): Promise<void> {
  const batch = engine.batch();
  fill(batch, writes);
  await batch.write(position);
}

export function write(key: string, text: string): Write {
  return { key, value: { text, timestamp: 1, expiresAt: NEVER } };
}

function fill(batch: ReturnType<StoreEngine["batch"]>, writes: readonly Write[]): void {
  const arena = new Arena();
  for (const { key: text, value } of writes) {
    const key = bytesOf(text);
    if (value === null) batch.delete(key);
    else batch.put(arena.write(key, key.length, value.text, value.timestamp, value.expiresAt));
  }
}

export async function drain(entries: AsyncIterable<EngineEntry>): Promise<EngineEntry[]> {
  const drained: EngineEntry[] = [];
  for await (const entry of entries) drained.push(entry);
  return drained;
}

async function entriesOf(
  engine: StoreEngine,
  range: KeyRange,
  direction: Direction,
): Promise<readonly (readonly [string, ModelValue])[]> {
  return (await drain(engine.iterate(range, direction))).map((entry) => [keyOf(entry), modelValue(entry.value)]);
}

function modelEntries(model: Model, range: KeyRange, direction: Direction): (readonly [string, ModelValue])[] {
  const { gte, gt, lt, lte } = range;
  const inside = [...model].filter(([text]) => {
    const key = bytesOf(text);
    return (
      (gte === undefined || key.compare(gte) >= 0) &&
      (gt === undefined || key.compare(gt) > 0) &&
      (lt === undefined || key.compare(lt) < 0) &&
      (lte === undefined || key.compare(lte) <= 0)
    );
  });
  const sorted = inside.toSorted(([a], [b]) => bytesOf(a).compare(bytesOf(b)));
  return direction === "forward" ? sorted : sorted.toReversed();
}

function get(engine: StoreEngine, key: string): ModelValue | undefined {
  const value = engine.get(bytesOf(key));
  return value === undefined ? undefined : modelValue(value);
}

function modelValue(value: EngineEntry["value"]): ModelValue {
  return { text: value.bytes().toString(), timestamp: value.timestamp, expiresAt: value.expiresAt };
}

function keyOf({ key }: EngineEntry): string {
  return key.toString("latin1");
}

function textOf({ value }: EngineEntry): string {
  return value.bytes().toString();
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

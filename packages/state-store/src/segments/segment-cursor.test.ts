import { describe, expect, it } from "vitest";
import { Arena } from "../bytes/arena.ts";
import type { ByteReader } from "../bytes/byte-store.ts";
import { NEVER } from "../bytes/stored-value.ts";
import type { Direction, EngineEntry, KeyRange } from "../engine/store-engine.ts";
import { WindowRange } from "../keys/window-key.ts";
import { iterateSegments, segmentStart } from "./segment-cursor.ts";

const INTERVAL_MS = 10;
const KEY = Buffer.from("k");

/** Each range that is opened gives one entry, which begins as it does; of every second one later than asked for. */
class ScriptedReader implements ByteReader {
  readonly opened: { readonly range: KeyRange; readonly direction: Direction }[] = [];
  closings = 0;
  readonly streamTime: number;

  constructor(streamTime: number) {
    this.streamTime = streamTime;
  }

  get(): undefined {
    return undefined;
  }

  approximateNumEntries(): Promise<number> {
    return Promise.resolve(0);
  }

  iterate(range: KeyRange, direction: Direction) {
    const key = range.gte!;
    const entry = { key, value: new Arena().write(key, key.length, "x", 0, NEVER) };
    const left: EngineEntry[] = [entry];
    const isLate = this.opened.push({ range, direction }) % 2 === 0;
    return {
      next: () => (isLate ? Promise.resolve(left.shift()) : left.shift()),
      close: () => {
        this.closings++;
        return Promise.resolve();
      },
    };
  }
}

function segmentsOf(reader: ScriptedReader): number[] {
  return reader.opened.map(({ range }) => Number(range.gte!.readBigInt64BE(1)));
}

async function drain(cursor: ReturnType<typeof iterateSegments>): Promise<number[]> {
  const segments: number[] = [];
  for (let next = await cursor.next(); next !== undefined; next = await cursor.next()) {
    segments.push(Number(next.key.readBigInt64BE(1)));
  }
  return segments;
}

describe("reading segments", () => {
  it("opens a key's range in each segment of the time at once, and gives one behind the other", async () => {
    const reader = new ScriptedReader(100);
    const cursor = iterateSegments(reader, new WindowRange(KEY, KEY, 25, 52), INTERVAL_MS, "forward");
    expect(segmentsOf(reader)).toEqual([2, 3, 4, 5]);
    expect(await drain(cursor)).toEqual([2, 3, 4, 5]);
    expect(await cursor.next()).toBeUndefined();
  });

  it("begins with the last segment when it reads in reverse", async () => {
    const reader = new ScriptedReader(100);
    const cursor = iterateSegments(reader, new WindowRange(KEY, KEY, 25, 52), INTERVAL_MS, "reverse");
    expect(await drain(cursor)).toEqual([5, 4, 3, 2]);
    expect(reader.opened.every(({ direction }) => direction === "reverse")).toBe(true);
  });

  it("looks into no segment beyond stream time", () => {
    const reader = new ScriptedReader(45);
    iterateSegments(reader, new WindowRange(KEY, KEY, 25, Infinity), INTERVAL_MS, "forward");
    expect(segmentsOf(reader)).toEqual([2, 3, 4]);
  });

  it("reads all keys by one range", () => {
    const reader = new ScriptedReader(100);
    iterateSegments(reader, new WindowRange(null, null, 25, 52), INTERVAL_MS, "forward");
    expect(reader.opened.map(({ range }) => range)).toEqual([{ gte: segmentStart(2), lt: segmentStart(6) }]);
  });

  it("stays in its segment when keys are open at one end", () => {
    const reader = new ScriptedReader(100);
    iterateSegments(reader, new WindowRange(KEY, null, 25, 31), INTERVAL_MS, "forward");
    expect(reader.opened.map(({ range }) => range.lt)).toEqual([segmentStart(3), segmentStart(4)]);
  });

  it.each([
    [-1, 0, 10],
    [100, 101, 200],
    [100, 30, 20],
  ])("opens an empty range, to hear of a closed store, at %i for %i to %i", (streamTime, from, to) => {
    const reader = new ScriptedReader(streamTime);
    iterateSegments(reader, new WindowRange(KEY, KEY, from, to), INTERVAL_MS, "forward");
    expect(reader.opened).toHaveLength(1);
    const { gte, lt } = reader.opened[0]!.range;
    expect(gte).toEqual(lt);
  });

  it("closes all ranges, also those it has not come to", async () => {
    const reader = new ScriptedReader(100);
    const cursor = iterateSegments(reader, new WindowRange(KEY, KEY, 25, 52), INTERVAL_MS, "forward");
    await cursor.next();
    await cursor.close();
    expect(reader.closings).toBe(4);
  });
});

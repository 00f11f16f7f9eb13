import { describe, expect, it } from "vitest";
import { PhysicalKey, SEGMENTED_PREFIX_BYTES } from "../bytes/physical-key.ts";
import { readWindowStart, WINDOW_SUFFIX_BYTES, writeWindowSuffix } from "../keys/window-key.ts";
import { segmentStart } from "./segment-cursor.ts";
import { segmentedFormat } from "./segmented-format.ts";

const format = segmentedFormat("window", WINDOW_SUFFIX_BYTES, readWindowStart, {
  retentionMs: 100,
  segmentIntervalMs: 30,
});

function logged(start: number): PhysicalKey {
  const bytes = Buffer.concat([Buffer.from("key"), Buffer.alloc(WINDOW_SUFFIX_BYTES)]);
  writeWindowSuffix(bytes, 3, start, 0);
  return fromLog(bytes);
}

function fromLog(bytes: Buffer): PhysicalKey {
  const key = new PhysicalKey(SEGMENTED_PREFIX_BYTES);
  key.setRange(bytes, 0, bytes.length);
  return key;
}

describe("the changelog of a store with retention", () => {
  it("has a layout that tells the kind and the segments", () => {
    expect(format.layout).toBe("window segment=30 ms");
  });

  it("tells of each key the time, and the segment", () => {
    const key = logged(170);
    expect(format.complete(key, 200)).toBe(170);
    expect(key.bytes().subarray(0, SEGMENTED_PREFIX_BYTES)).toEqual(segmentStart(5));
    expect(format.complete(logged(1_000), 200)).toBe(1_000);
    expect(format.complete(logged(0), -1)).toBe(0);
  });

  it("has records that are skipped: what has expired", () => {
    expect(format.complete(logged(100), 200)).toBe("skip");
    expect(format.complete(logged(101), 200)).toBe(101);
  });

  it("has records that are skipped: what Kafka Streams logs and drops, and what others wrote", () => {
    expect(format.complete(logged(-1), -1)).toBe("skip");
    expect(format.complete(fromLog(Buffer.alloc(WINDOW_SUFFIX_BYTES, 0x7f)), -1)).toBe("skip");
    expect(format.complete(fromLog(Buffer.alloc(WINDOW_SUFFIX_BYTES - 1)), -1)).toBe("skip");
    expect(format.complete(fromLog(Buffer.alloc(0)), -1)).toBe("skip");
    expect(format.complete(fromLog(Buffer.alloc(WINDOW_SUFFIX_BYTES)), -1)).toBe(0);
  });

  it("expires what lies before the oldest segment with a live record, when stream time leaves one behind", () => {
    expect(format.expiredBelow?.(-1, 129)).toBeNull();
    expect(format.expiredBelow?.(-1, 130)).toEqual(segmentStart(1));
    expect(format.expiredBelow?.(130, 159)).toBeNull();
    expect(format.expiredBelow?.(159, 160)).toEqual(segmentStart(2));
    expect(format.expiredBelow?.(159, 1_000)).toEqual(segmentStart(30));
  });
});

import type { OffsetSpec } from "@eos/client";
import { describe, expect, it } from "vitest";
import type { SeekPosition } from "./consumer-group.ts";
import { seekOffset } from "./seek-offset.ts";

const PARTITION = { topic: "in", partition: 0 };

/** A partition with the offsets 10 to 99; record n is of the time n × 1,000. */
const admin = {
  listOffsets: async (_partitions: unknown, spec: OffsetSpec) => {
    const found =
      spec === "earliest" ? 10 : spec === "latest" ? 100 : Math.ceil((spec as { timestamp: number }).timestamp / 1_000);
    return [{ ...PARTITION, offset: found > 99 && typeof spec === "object" ? -1 : found, timestamp: -1 }];
  },
};

const offsetOf = (position: unknown): Promise<number> => seekOffset(admin, PARTITION, position as SeekPosition);

describe("seekOffset", () => {
  it.each<[SeekPosition, number]>([
    [{ offset: 42 }, 42],
    [{ offset: 0 }, 0],
    ["beginning", 10],
    ["end", 100],
    [{ timestampMs: 50_500 }, 51],
    [{ timestampMs: 1_000_000 }, 100],
  ])("finds %j at offset %i", async (position, offset) => {
    await expect(offsetOf(position)).resolves.toBe(offset);
  });

  it.each([{ offset: -1 }, { offset: 1.5 }, { offset: "5" }, { timestampMs: Number.NaN }, {}, "start"])(
    "refuses %j",
    async (position) => {
      await expect(offsetOf(position)).rejects.toThrow(TypeError);
    },
  );
});

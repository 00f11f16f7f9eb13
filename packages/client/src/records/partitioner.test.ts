import { describe, expect, it } from "vitest";

import { murmur2, partitionForKey } from "./partitioner.ts";

// org.apache.kafka.common.utils.UtilsTest#testMurmur2
const GOLDEN: readonly (readonly [string, number])[] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

describe("murmur2", () => {
  it.each(GOLDEN)("hashes '%s' as Java does", (key, expected) => {
    const bytes = Buffer.from(key);
    expect(murmur2(bytes, 0, bytes.length)).toBe(expected);
    const padded = Buffer.from(`??${key}?`);
    expect(murmur2(padded, 2, 2 + bytes.length)).toBe(expected);
  });
});

describe("partitionForKey", () => {
  it.each(GOLDEN)("puts '%s' where toPositive(hash) % n is", (key, hash) => {
    const bytes = Buffer.from(key);
    for (const count of [1, 4, 7, 64]) {
      expect(partitionForKey(bytes, 0, bytes.length, count)).toBe((hash & 0x7fffffff) % count);
    }
  });
});

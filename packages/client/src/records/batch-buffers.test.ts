import { describe, expect, it } from "vitest";

import { BatchBuffers } from "./batch-buffers.ts";

describe("BatchBuffers", () => {
  it("gives the smallest size that is large enough, and exactly what is asked above the largest", () => {
    const buffers = new BatchBuffers();
    const sizes = [1, 16_384, 16_385, 262_145, 1_048_576, 1_048_577].map((bytes) => buffers.take(bytes).length);
    expect(sizes).toEqual([16_384, 16_384, 65_536, 1_048_576, 1_048_576, 1_048_577]);
  });

  it("hands a buffer that was given back out again", () => {
    const buffers = new BatchBuffers();
    const buffer = buffers.take(20_000);
    buffers.give(buffer);
    expect(buffers.idleBytes).toBe(65_536);
    expect(buffers.take(16_384)).not.toBe(buffer);
    expect(buffers.take(65_536)).toBe(buffer);
    expect(buffers.idleBytes).toBe(0);
  });

  it("keeps no more than its limit, and no buffer of an odd size", () => {
    const buffers = new BatchBuffers(100_000);
    const taken = [buffers.take(65_536), buffers.take(65_536), buffers.take(2_000_000)];
    for (const buffer of taken) buffers.give(buffer);
    expect(buffers.idleBytes).toBe(65_536);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readTimestamp, TIMESTAMP_BYTES, writeValueAndTimestamp } from "./value-and-timestamp.ts";

describe("a value and its timestamp", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.maxSafeInteger(), fc.nat(9), (value, timestamp, at) => {
        const bytes = Buffer.alloc(at + TIMESTAMP_BYTES + value.length);
        expect(writeValueAndTimestamp(bytes, at, value, timestamp)).toBe(bytes.length);
        expect(readTimestamp(bytes, at)).toBe(timestamp);
        expect(bytes.subarray(at + TIMESTAMP_BYTES)).toEqual(Buffer.from(value));
      }),
    );
  });
});

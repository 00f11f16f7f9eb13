import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prefixRange } from "./key-ranges.ts";

const bytes = fc.array(fc.constantFrom(0, 1, 0xfe, 0xff), { maxLength: 4 }).map((rest) => Buffer.from([1, ...rest]));

describe("the range of a prefix", () => {
  it("has the keys in it that begin with it, and no others", () => {
    fc.assert(
      fc.property(bytes, bytes, (prefix, key) => {
        const { gte, lt } = prefixRange(prefix);
        const isWithin = key.compare(gte!) >= 0 && key.compare(lt!) < 0;
        expect(isWithin).toBe(key.subarray(0, prefix.length).equals(prefix));
      }),
      { numRuns: 500 },
    );
  });
});
